"""A sheet: one text in one or several hands, below each other in one picture, or a picture each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hwgen import files
from hwgen.generation.labelled_folder import LabelledFolder, Line, scaled
from hwgen.generation.lines import TOO_LONG, style_name
from hwgen.generation.progress import Progress, count
from hwgen.generation.verification import Tally, VerifiedLine, Verifier, write_lines
from hwgen.inference import picture_files, picture_formats
from hwgen.settings.generate import GenerateSettings

if TYPE_CHECKING:
    import numpy as np

    from hwgen.inference.hand_file import Hand
    from hwgen.inference.line_layout import WrittenLine
    from hwgen.inference.repertoire import Repertoire
    from hwgen.inference.writer import Writer


class SheetTask:
    """One text in hands of consecutive seeds, or on the way from one hand to another.

    Args:
        settings: GenerateSettings.
        repertoire: of the model that writes; what it cannot write is refused here.
        hand: the one that it is written in; None: those of seeds.
        verifier: what reads each line back, or None.
        folder: whether a folder is written, with a picture for each hand.

    Raises:
        CharsetError: a text that cannot be written.
        ValueError: a picture too large.
    """

    def __init__(
        self,
        settings: GenerateSettings,
        repertoire: Repertoire,
        *,
        hand: Hand | None = None,
        verifier: Verifier | None = None,
        folder: bool,
    ) -> None:
        self.settings, self.hand, self.verifier, self.folder = settings, hand, verifier, folder
        hands, height_px = settings.hands, settings.pages.height_px
        self.text = (settings.writing.text or '').strip()
        self.num_hands = hands.steps if hands.interpolate else hands.num_styles
        self.length = len(repertoire.encode(self.text).units)
        size = repertoire.picture_size(self.length, height_px)
        picture_formats.check_size(*size, place='--text', advice=TOO_LONG)
        if not folder:
            picture_formats.check_size(
                *picture_files.stacked_size([size] * self.num_hands),
                place=f'--text in {count(self.num_hands, "hand")}',
                path=settings.writing.out or '',
                advice=(TOO_LONG if self.num_hands == 1 else 'a folder as --out has a picture for each hand'),
            )

    def write(self, writer: Writer, progress: Progress) -> str:
        """Writes the picture or the folder; says what is in it."""
        out, overwrite = self.settings.writing.out or '', self.settings.writing.overwrite
        progress.begin(self.num_hands, self.length * self.num_hands)
        pages = self.settings.pages
        if not self.folder:
            tally, images = Tally(all_told=True), []
            for line, name, _ in self._written(writer, progress):
                images.append(picture_files.scale(line.image, pages.height_px, enlarging=pages.enlarging))
                tally.add(line, text=self.text, place=f'hand {name}')
            return write_pictures([picture_files.stack(images)], out, replace=overwrite) + tally.summary()
        with LabelledFolder(self.settings, writer) as folder:
            for line, name, how in self._written(writer, progress):
                image, placing = scaled(line.image, pages)
                folder.add(image, [Line(self.text, line, how, placing)], self.text, style=name)
        return folder.told()

    def _written(
        self, writer: Writer, progress: Progress
    ) -> Iterator[tuple[WrittenLine | VerifiedLine, object, dict[str, Any]]]:
        """The text in each hand, what the hand is called, and what it was written with."""
        hands = self.settings.hands
        names: list[object]
        if hands.interpolate:
            first, second = hands.interpolate
            styles = writer.styles_between(first, second, steps=self.num_hands, truncation=hands.truncation)
            seeds = [first] * self.num_hands  # one noise for all steps: only the hand changes
            names = [f'{first}..{second} {step / (self.num_hands - 1):.3f}' for step in range(self.num_hands)]
        else:
            seeds = [hands.style_seed + style for style in range(self.num_hands)]
            names = [style_name(seed, self.hand) for seed in seeds]
            if self.hand is None:
                styles = writer.styles(seeds, truncation=hands.truncation)
            else:
                styles = self.hand.style[None]
        for seed, style, name in zip(seeds, styles, names, strict=True):
            written = write_lines(
                writer,
                self.verifier,
                [self.text],
                style_seeds=seed,
                styles=style,
                truncation=hands.truncation,
            )
            progress.add(written)
            yield written[0], name, {'style_seeds': seed, 'styles': style}


def write_pictures(images: list[np.ndarray], out: str, *, replace: bool) -> str:
    """Writes a file of one picture or several, and says how large it is.

    Args:
        images: uint8 [H, W] each.
        out: the file; its name tells the format.
        replace: whether a file that is there is replaced.
    """
    files.write_file(out, picture_formats.encode(images, out), replace=replace)
    return f'{images[0].shape[1]:,} x {images[0].shape[0]:,} px' + (
        f', {len(images):,} of them' if len(images) > 1 else ''
    )
