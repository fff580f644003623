"""Lines in hands of their own: rows of a text file, or one text, as a folder of pictures or of records."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import hwgen
from hwgen import files
from hwgen.generation.labelled_folder import LabelledFolder, Line, scaled
from hwgen.generation.progress import Progress, count, left_out, tell_left_out
from hwgen.generation.readings import RecordReadings
from hwgen.generation.verification import VerifiedLine, Verifier, write_lines
from hwgen.inference import picture_formats, text_files
from hwgen.settings.generate import GenerateSettings, PageSettings
from hwgen.settings.setting import SettingError

if TYPE_CHECKING:
    from hwgen.inference.hand_file import Hand
    from hwgen.inference.line_layout import WrittenLine
    from hwgen.inference.repertoire import Repertoire
    from hwgen.inference.writer import Writer

CHUNK_LINES = 64  # lines handed to the writer at once; bounds memory, changes no picture
SHARD_RECORDS = 4096
TOO_LONG = '--page_width breaks a text into lines'
Written = Iterator['tuple[WrittenLine | VerifiedLine, str, int]']  # each line, its text and style seed


class LinesTask:
    """Rows of a text file (or one text), each in its hands, as a folder of pictures or of records.

    Args:
        settings: GenerateSettings.
        repertoire: of the model that writes; what it cannot write is refused here.
        file: the text file, or None: `settings.writing.text`.
        hand: the one that all is written in; None: those of seeds.
        verifier: what reads each line back, or None.
        command: what was typed, for the description of records.

    Raises:
        CharsetError, TextFileError: a text that cannot be written.
        ValueError: a picture too large, or seeds beyond 2^64 - 1.
    """

    def __init__(
        self,
        settings: GenerateSettings,
        repertoire: Repertoire,
        file: text_files.TextFile | None,
        *,
        hand: Hand | None = None,
        verifier: Verifier | None = None,
        command: str,
    ) -> None:
        self.settings, self.hand, self.verifier, self.command = settings, hand, verifier, command
        writing, hands = settings.writing, settings.hands
        self.skipped: list[str] = []
        if file is None:
            text = (writing.text or '').strip()
            lengths = {1: len(repertoire.encode(text).units)}
            self.rows: Iterable[text_files.TextRow] = [text_files.TextRow(1, text)]
            self.name = '--text'
        else:
            lengths, self.skipped = text_files.check_rows(
                file, repertoire.encode, skip_unwritable=writing.skip_unwritable
            )
            self.rows, self.name = (row for row in file.rows() if row.number in lengths), file.name
        tell_left_out(self.skipped)
        longest = max(lengths, key=lambda number: lengths[number])
        picture_formats.check_size(
            *repertoire.picture_size(lengths[longest], settings.pages.height_px),
            place=f'{self.name}:{longest}',
            advice=TOO_LONG,
        )
        self.num_lines = len(lengths) * hands.num_styles
        self.num_characters = sum(lengths.values()) * hands.num_styles
        if hands.styles_per_line == 'random' and hands.style_seed + self.num_lines > 2**64:
            raise SettingError(
                f'--style_seed={hands.style_seed}: {self.num_lines:,} lines have seeds of their own, expected'
                f' 0 to 2^64 - {self.num_lines:,}'
            )

    def write(self, writer: Writer, progress: Progress) -> str:
        """Writes the folder; says what is in it."""
        progress.begin(self.num_lines, self.num_characters)
        written = self._written(writer, progress)
        if self.settings.writing.format == 'tfrecord':
            return self._write_records(writer, written) + left_out(self.skipped)
        vector = None if self.hand is None else self.hand.style
        with LabelledFolder(self.settings, writer) as out:
            for line, text, seed in written:
                image, placing = scaled(line.image, self.settings.pages)
                own = Line(text, line, {'style_seeds': seed, 'styles': vector}, placing)
                out.add(image, [own], text, style=style_name(seed, self.hand))
        return out.told() + left_out(self.skipped)

    def _written(self, writer: Writer, progress: Progress) -> Written:
        """Each row in each of its hands."""
        hands = self.settings.hands
        vector = None if self.hand is None else self.hand.style
        apart = hands.num_styles if hands.styles_per_line == 'random' else 0
        tasks = (
            (row.text, hands.style_seed + style + apart * index)
            for index, row in enumerate(self.rows)
            for style in range(hands.num_styles)
        )
        while chunk := list(itertools.islice(tasks, CHUNK_LINES)):
            texts, seeds = zip(*chunk, strict=True)
            found = write_lines(
                writer,
                self.verifier,
                texts,
                style_seeds=seeds,
                truncation=hands.truncation,
                styles=vector,
            )
            progress.add(found)
            yield from zip(found, texts, seeds, strict=True)
        if progress.lines != self.num_lines:
            raise SettingError(
                f'{self.name}: {progress.lines:,} lines found where {self.num_lines:,} had been checked: it'
                ' has changed meanwhile, expected it to stay as it is'
            )

    def _write_records(self, writer: Writer, written: Written) -> str:
        """Written lines -> shards of `hwgen.data`, one split `train`."""
        from hwgen.data.preparing import shard_writer
        from hwgen.data.reading import shards

        vocabulary: set[int] = set()
        pages = self.settings.pages
        out = self.settings.writing.out or ''
        with (
            files.new_folder(out, replace=self.settings.writing.overwrite) as folder,
            RecordReadings(self.settings, folder) as readings,
        ):
            kept = readings.kept(written, lambda seed: style_name(seed, self.hand))
            records = _records(writer, kept, self.hand, pages=pages, vocabulary=vocabulary)
            counts = shard_writer.write_shards(
                records, folder, split='train', num_shards=-(-self.num_lines // SHARD_RECORDS)
            )
            shards.write_info(
                folder,
                dict(
                    splits=dict(train=counts._asdict()),
                    charset=dict(row_count=writer.charset.row_count, hash=writer.charset.hash),
                    version=hwgen.__version__,
                    seed=self.settings.hands.style_seed,
                    command=self.command,
                    source='generated',
                    image_height_px=pages.height_px or writer.char_px,
                    vocabulary=sorted(vocabulary - {0}),
                    held_out=[],
                ),
            )
        return f'{count(counts.records, "record")} in {count(counts.shards, "shard")}{readings.told()}'


def _records(
    writer: Writer,
    written: Written,
    hand: Hand | None,
    *,
    pages: PageSettings,
    vocabulary: set[int],
) -> Iterator[Any]:
    """Written lines as records; `vocabulary` receives the ids of their characters."""
    from hwgen.data.reading.records import LineRecord
    from hwgen.inference.line_layout import WrittenLine

    for line, text, seed in written:
        encoded = writer.encode(text)
        kept = WrittenLine(line.image, line.boxes).at_height(pages.height_px, enlarging=pages.enlarging)
        vocabulary.update(encoded.character_ids.tolist())
        yield LineRecord(
            kept.image,
            text,
            encoded.character_ids,
            encoded.component_ids,
            encoded.structure_ids,
            f'style-{seed}' if hand is None else f'hand-{hand.name}',
            'generated',
            kept.boxes,
        )


def style_name(seed: int, hand: Hand | None) -> object:
    """What a line was written with, for the table of styles: its seed, and the hand where it is not that of
    the seed.
    """
    return seed if hand is None else f'{hand.name} {seed}'
