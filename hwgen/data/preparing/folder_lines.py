"""The lines of a folder of images: which of its rows can be used, and the records of those."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hwgen.charset.encoding import Charset, EncodedText
from hwgen.charset.normal_form import plain
from hwgen.charset.printable import printable, shown
from hwgen.data.formats.folder import LabelledImage
from hwgen.data.formats.image_files import read_image
from hwgen.data.formats.near_names import near_name
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing.conversion import Tally
from hwgen.data.preparing.line_image import scaled_down
from hwgen.data.preparing.line_normalization import IMAGES_OF_A_HAND, estimate_slant, shear, sized
from hwgen.data.preparing.picture_intake import Intake
from hwgen.data.preparing.split_writer import LINES_PER_PIECE, Piece, Pieces
from hwgen.data.reading.records import LineRecord
from hwgen.settings.prepare import InputSettings, OutputSettings

_SHOWN = 20


class Line(NamedTuple):
    """A row that can be used: the picture and what it says."""

    row: LabelledImage
    encoded: EncodedText


class FolderLines:
    """Chooses the rows of a folder that can be used, and makes records of them.

    Args:
        output, given: see `prepare_folder`.
        images: path of the folder; place: path of the table, for messages.
        tally: Tally of all lines: of those that are refused, and of what is left out by its length.
        report: function of a str, told of every row that cannot be used.
    """

    def __init__(
        self,
        output: OutputSettings,
        given: InputSettings,
        *,
        images: str | os.PathLike[str],
        place: str | os.PathLike[str],
        tally: Tally,
        report: Callable[[str], object],
    ) -> None:
        self._given, self._height_px = given, output.height_px
        self._shortest, self._longest = output.min_characters or 1, output.max_characters
        self._images, self._place, self._tally, self._report = images, place, tally, report
        self._has_text = not given.unlabelled
        self._intake = Intake(whiten=not given.keep_paper, dark=given.dark)
        self._slants: Slants | None = None

    def usable(self, rows: Iterable[LabelledImage | FormatError]) -> list[Line]:
        """The rows whose text can be written and is as long as is asked for; others are told and counted.

        Args:
            rows: LabelledImage, or why there is none.

        Raises:
            FormatError: a row that cannot be used, and the tally does not skip.
        """
        found: list[Line] = []
        of_other_length: list[FormatError] = []
        charset = Charset.load()
        for row in rows:
            if isinstance(row, FormatError):
                self._refuse(row, self._tally)
                continue
            try:
                encoded = charset.encode(row.text)
            except ValueError as error:
                self._tally.count_outside(row.text)
                problem = self._unusable(row, 'text', f'{error}; the text: {shown(row.text)}')
                self._refuse(problem, self._tally)
                continue
            unfit = self._length_problem(row, len(encoded.character_ids))
            if unfit is None:
                found.append(Line(row, encoded))
            elif unfit.reason == 'length':
                self._tally.skipped['length'] += 1
                of_other_length.append(unfit)
            else:
                self._refuse(unfit, self._tally)
        for unfit in of_other_length[:_SHOWN]:
            self._report(f'left out: {unfit}')
        if len(of_other_length) > _SHOWN:
            self._report(f'left out: {len(of_other_length) - _SHOWN} more rows of another length')
        if self._given.deslant:
            self._slants = Slants([line.row for line in found], self._intake)
        return found

    def pieces(self, lines: Sequence[Line], done: int, within: int) -> Pieces:
        """The Pieces of lines after so many of them; what is found in them is counted when they are written.

        Args:
            lines: sequence of Line, those of a split.
            done: int, lines that are done.
            within: 0; a line is not divided.

        Raises:
            FormatError: a picture that cannot be used, and the tally does not skip.
        """
        del within
        for start in range(done, len(lines), LINES_PER_PIECE):
            found = Tally(skip=self._tally.skip)
            records = []
            for line in lines[start : start + LINES_PER_PIECE]:
                try:
                    records.append(self._record(line, found))
                except (OSError, FormatError) as error:
                    self._refuse(self._without_picture(line.row, error), found)
            yield Piece(records, min(start + LINES_PER_PIECE, len(lines)), found=found.as_json())

    def _record(self, line: Line, found: Tally) -> LineRecord:
        row, encoded = line
        image, remarks = self._intake.take(read_image(row.path))
        found.remarks.update(remarks)
        found.classes.update(map(plain, encoded.units))
        if self._slants is not None:
            image, _ = shear(image, degrees=self._slants.of(row, image))
        if self._given.normalize_size:
            count = len(encoded.character_ids) or None
            image, _ = sized(image, share=self._given.normalize_size, num_characters=count)
        return LineRecord(
            image=scaled_down(image, height_px=self._height_px),
            text=row.text,
            character_ids=encoded.character_ids,
            component_ids=encoded.component_ids,
            structure_ids=encoded.structure_ids,
            writer=writer_of(row),
            source='folder',
        )

    def _length_problem(self, row: LabelledImage, count: int) -> FormatError | None:
        """What is wrong with a text of so many characters; its reason is 'length' where they are merely too
        few or too many.
        """
        if not self._has_text:
            return None
        if not count:
            advice = 'no text, expected at least one character; --unlabelled takes pictures without'
            return self._unusable(row, 'text', advice)
        if count < self._shortest or self._longest and count > self._longest:
            most = f'to {self._longest}' if self._longest else 'or more'
            return self._unusable(row, 'length', f'{count} characters, expected {self._shortest} {most}')
        return None

    def _without_picture(self, row: LabelledImage, error: OSError | FormatError) -> FormatError:
        """What is to be said of a row whose picture cannot be used."""
        words = str(error)
        if isinstance(error, FileNotFoundError):
            near = near_name(self._images, row.path)
            words += f'; did you mean {printable(near)}?' if near else ''
        if isinstance(error, FormatError) and not self._has_text:
            words = f'{printable(row.path)}: {error}'
        return self._unusable(row, getattr(error, 'reason', 'image'), words)

    def _unusable(self, row: LabelledImage, reason: str, problem: str) -> FormatError:
        if not self._has_text:
            return FormatError(problem, reason=reason)
        place = f'{printable(self._place)}, row {row.row} ({printable(row.path.name)})'
        return FormatError(f'{place}: {problem}', reason=reason)

    def _refuse(self, error: FormatError, tally: Tally) -> None:
        tally.refuse(error)
        self._report(f'skipped: {error}')


class Slants:
    """The slant of each row's hand.

    Args:
        rows: LabelledImage, all that are used.
        intake: Intake of their pictures.
    """

    def __init__(self, rows: Iterable[LabelledImage], intake: Intake) -> None:
        self._intake = intake
        self._found: dict[str, int] = {}
        self._of_writer: dict[str, list[LabelledImage]] = {}
        for row in rows:
            self._of_writer.setdefault(row.writer, []).append(row)

    def of(self, row: LabelledImage, image: np.ndarray) -> int:
        """The slant of who wrote a row, degrees: of its picture, uint8 [H, W], alone where the writer is
        unknown.
        """
        if not row.writer:
            return estimate_slant([image])
        if row.writer not in self._found:
            first = self._of_writer[row.writer][:IMAGES_OF_A_HAND]
            self._found[row.writer] = estimate_slant(self._readable(first))
        return self._found[row.writer]

    def _readable(self, rows: Iterable[LabelledImage]) -> Iterator[np.ndarray]:
        for row in rows:
            with contextlib.suppress(OSError, FormatError):  # told when its record is made
                yield self._intake.take(read_image(row.path))[0]


def writer_of(row: LabelledImage) -> str:
    """Who wrote a row; each row of an unknown writer counts as one of its own."""
    return row.writer or f'unknown {row.row}'


def table_of(images: str | os.PathLike[str], given: InputSettings) -> pathlib.Path:
    """Where the texts of a folder stand; the folder itself for images without text."""
    return pathlib.Path(images) / ('' if given.unlabelled else given.labels)
