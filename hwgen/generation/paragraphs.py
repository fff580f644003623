"""Paragraphs: a text, or the rows of a text file, as pages in one or several hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hwgen.generation import lines
from hwgen.generation.labelled_folder import LabelledFolder, Line
from hwgen.generation.labels.truth import Placing
from hwgen.generation.progress import Progress, left_out, tell_left_out
from hwgen.generation.sheet import write_pictures
from hwgen.generation.verification import Tally, VerifiedLine, Verifier, write_lines
from hwgen.inference import pages, picture_files, picture_formats, text_files
from hwgen.settings.generate import GenerateSettings
from hwgen.settings.setting import SettingError

if TYPE_CHECKING:
    import numpy as np

    from hwgen.inference.hand_file import Hand
    from hwgen.inference.line_layout import WrittenLine
    from hwgen.inference.repertoire import Repertoire
    from hwgen.inference.writer import Writer


class ParagraphsTask:
    """Paragraphs on one page, or on several in a folder or a file.

    Args:
        settings: GenerateSettings, with `pages.page_width`.
        repertoire: of the model that writes; what it cannot write is refused here.
        file: the text file, or None: `settings.writing.text`.
        hand: the one that all is written in; None: those of seeds.
        verifier: what reads each line back, or None.
        folder: whether a folder is written.

    Raises:
        CharsetError, TextFileError: a text that cannot be written.
        ValueError: measures that make no page, or pages that the output cannot hold.
    """

    def __init__(
        self,
        settings: GenerateSettings,
        repertoire: Repertoire,
        file: text_files.TextFile | None,
        *,
        hand: Hand | None = None,
        verifier: Verifier | None = None,
        folder: bool,
    ) -> None:
        self.settings, self.hand, self.verifier, self.folder = settings, hand, verifier, folder
        wanted, height_px = settings.pages, settings.pages.height_px
        paragraphs, place = self._paragraphs(repertoire, file)
        self.style = pages.PageStyle(
            pages.parse_width(wanted.page_width or '', repertoire.picture_size(1, height_px)[0]),
            line_spacing=wanted.line_spacing,
            margin=wanted.margin,
            indent=wanted.indent,
            lines=wanted.page_lines,
        )
        if not any(paragraphs):
            raise SettingError(f'{place} is empty: expected at least one character')
        self.paragraphs = paragraphs
        self.units = [repertoire.encode(paragraph).units if paragraph else () for paragraph in paragraphs]
        self.num_characters = sum(map(len, self.units))
        self.layout = pages.lay_out(self.units, self.style)
        hands = settings.hands
        self.seeds = [hands.style_seed + number for number in range(hands.num_styles)]
        self.cells = dict(char_px=repertoire.char_px, char_width_px=repertoire.char_width_px)
        self.factor = (height_px or repertoire.char_px) / repertoire.char_px
        self.place = place
        self._check_place(self.layout)

    def _paragraphs(self, repertoire: Repertoire, file: text_files.TextFile | None) -> tuple[list[str], str]:
        """The paragraphs, and where they stand."""
        self.skipped: list[str] = []
        if file is None:
            text = (self.settings.writing.text or '').strip()
            return [row.strip() for row in text.split('\n')], '--text'
        lengths, self.skipped = text_files.check_rows(
            file, repertoire.encode, skip_unwritable=self.settings.writing.skip_unwritable
        )
        tell_left_out(self.skipped)
        return [row.text for row in file.rows() if not row.text or row.number in lengths], file.name

    def _check_place(self, layout: list[list[pages.PageLine | None]]) -> None:
        """Refuses pages that the output cannot hold."""
        out = self.settings.writing.out or ''
        several = len(layout) * len(self.seeds) > 1
        if not self.folder and several and not picture_formats.format_of(out).several:
            raise SettingError(
                f'{len(layout)} pages in {len(self.seeds)} hands: expected a folder, or a .pdf or .tif,'
                f' as --out, not {out}'
            )
        width, height = pages.page_size(max(map(len, layout)), self.style, **self.cells)
        for scale in {1.0, self.factor}:  # it is drawn as the model writes, and scaled then
            picture_formats.check_size(
                round(width * scale),
                round(height * scale),
                place=self.place,
                path='a.png' if self.folder else out,
                advice=(
                    '--page_lines, with a folder as --out, makes several pages of it, and --page_width says'
                    ' how wide they are'
                ),
            )

    def write(self, writer: Writer, progress: Progress) -> str:
        """Writes the file or the folder; says what is in it."""
        out, overwrite = self.settings.writing.out or '', self.settings.writing.overwrite
        layouts = [self._laid_out(writer, seed) for seed in self.seeds]
        num_lines = sum(line is not None for layout in layouts for page in layout for line in page)
        progress.begin(num_lines, self.num_characters * len(self.seeds))
        composed = self._composed(writer, layouts, progress)
        if not self.folder:
            tally, images = Tally(all_told=True), []
            for number, (image, on_page, _) in enumerate(composed, 1):
                images.append(image)
                for row, line in enumerate(on_page, 1):
                    tally.add(line.written, text=line.text, place=f'page {number}, line {row}')
            told = write_pictures(images, out, replace=overwrite)
            return f'page of {told}{tally.summary()}' + left_out(self.skipped)
        with LabelledFolder(self.settings, writer, noun='page') as folder:
            for image, on_page, seed in composed:
                text = '\\n'.join(line.text for line in on_page)
                folder.add(image, on_page, text, style=lines.style_name(seed, self.hand))
        return folder.told() + left_out(self.skipped)

    def _laid_out(self, writer: Writer, seed: int) -> list[list[pages.PageLine | None]]:
        """The lines of the pages of a hand; where characters take the room that they take, lines are as full
        as it lets them.
        """
        if writer.layout == 'cells':
            return self.layout
        rooms, offset = [], 0
        for paragraph, units in zip(self.paragraphs, self.units, strict=True):
            rooms.append(
                writer.advances(
                    paragraph,
                    style_seed=seed,
                    truncation=self.settings.hands.truncation,
                    style=None if self.hand is None else self.hand.style,
                    noise_offset=offset,
                )
                * (writer.char_px / writer.char_width_px)
                if units
                else None
            )
            offset += len(units)
        layout = pages.lay_out(self.units, self.style, rooms=rooms)
        self._check_place(layout)
        return layout

    def _composed(
        self, writer: Writer, layouts: list[list[list[pages.PageLine | None]]], progress: Progress
    ) -> Iterator[tuple[np.ndarray, list[Line], int]]:
        """Each page in each hand: its image, its lines, the seed."""
        vector = None if self.hand is None else self.hand.style
        for seed, page in (
            (seed, page) for seed, layout in zip(self.seeds, layouts, strict=True) for page in layout
        ):
            written: list[WrittenLine | VerifiedLine] = []
            there = [line for line in page if line]
            for start in range(0, len(there), lines.CHUNK_LINES):
                chunk = there[start : start + lines.CHUNK_LINES]
                written += write_lines(
                    writer,
                    self.verifier,
                    [line.text for line in chunk],
                    style_seeds=seed,
                    truncation=self.settings.hands.truncation,
                    noise_offsets=[line.offset for line in chunk],
                    quotes_before=[line.quotes for line in chunk],
                    styles=vector,
                    fits=self._fits(writer, chunk),
                )
                progress.add(written[start:])
            image = pages.compose(page, written, self.style, **self.cells)
            size = image.shape[::-1]
            image = picture_files.scale(
                image,
                self.settings.pages.height_px,
                line_px=writer.char_px,
                enlarging=self.settings.pages.enlarging,
            )
            scale = (image.shape[1] / size[0], image.shape[0] / size[1])
            yield image, self._lines(page, written, seed, scale), seed

    def _lines(
        self,
        page: list[pages.PageLine | None],
        written: list[WrittenLine | VerifiedLine],
        seed: int,
        scale: tuple[float, float],
    ) -> list[Line]:
        """The lines of a page, with their places in it as it is kept."""
        vector, found = None if self.hand is None else self.hand.style, []
        there = [(number, line) for number, line in enumerate(page) if line]
        for (number, line), own in zip(there, written, strict=True):
            left, top = pages.place_of(number, line, int(own.boxes[0, 0]), self.style, **self.cells)
            how = {
                'style_seeds': seed,
                'styles': vector,
                'noise_offsets': line.offset,
                'quotes_before': line.quotes,
            }
            found.append(Line(line.text, own, how, Placing((left * scale[0], top * scale[1]), scale)))
        return found

    def _fits(self, writer: Writer, chunk: list[pages.PageLine]) -> Callable[[int, WrittenLine], bool]:
        """Whether what is written anew for a line of a chunk leaves the margins as free as they may be."""
        full = self.style.characters * writer.char_width_px

        def fits(number: int, line: WrittenLine) -> bool:
            room = full - chunk[number].indent * writer.char_width_px
            return int(line.boxes[-1, 2] - line.boxes[0, 0]) <= room

        return fits
