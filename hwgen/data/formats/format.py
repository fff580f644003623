"""A format of handwriting data: what it is called, which files it has, and how these become samples."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from hwgen.data.formats.archives import File
from hwgen.data.formats.casia_names import named_partition
from hwgen.data.formats.samples import Refuse, Sample


@dataclasses.dataclass(frozen=True)
class Format:
    """A format, as help, choices and messages tell of it. `registry` finds them.

    Two kinds: files of which each holds samples, told by their suffix (`read`); and files that belong
    together, such as a table and images (`is_there` and `parts`).

    Attributes:
        name: str, letters, digits and _.
        summary: str, one line: what it is.
        suffixes: tuple of str, '.gnt' and so on, in lower case: the files that are read, beside pictures.
        read: function of a File and `refuse` (a function of a FormatError, told of what cannot be read; None:
            it is raised), gives Picture or Ink one by one. Of the module level: processes are sent it.
        source: str, by which `--source` asks for it; '': by its name. Formats of one source are read
            together.
        writer_of: function of a file's name that gives who wrote all of it, '' where it does not tell; None:
            no name tells.
        is_there: function of all files of a collection: whether they are of this format; None: one of them
            has one of its suffixes.
        parts: function of (files, unit, refuse) that gives a Part for samples that lie together; None: one
            for each file with one of its suffixes.
        expected: str, what messages say that such a collection has; '': files with its suffixes.
        pictures: bool, whether pictures are read as well, of every format that there is.
        archives: bool, whether files are read within .zip archives.
        text_files: str, what its .txt files are called where one has changed; '': by their names.
        record: str, what a sample is called in messages.
        isolated: bool, whether a sample is a character.
        white_paper: bool, whether pictures have white paper when they are read; else they come as they were
            taken.
        unbounded: bool, whether a part may hold more than its size says: it is read where its records are
            written, never by another process.
        place: int, of several formats that files speak for the first one is taken.
    """

    name: str
    summary: str
    suffixes: tuple[str, ...]
    read: Callable[..., Iterator[Sample]] | None = None
    source: str = ''
    writer_of: Callable[[str], str] | None = None
    is_there: 'Callable[[Sequence[File]], bool] | None' = None
    parts: 'Callable[[Sequence[File], str, Refuse], Iterator[Part]] | None' = None
    expected: str = ''
    pictures: bool = False
    archives: bool = True
    text_files: str = 'a text file'
    record: str = 'line'
    isolated: bool = False
    white_paper: bool = True
    unbounded: bool = False
    place: int = 100

    @property
    def asked_by(self) -> str:
        """The value of `--source` that reads it."""
        return self.source or self.name

    def finds(self, files: Sequence[File]) -> bool:
        """Whether files of a collection are of this format."""
        if self.is_there is not None:
            return self.is_there(files)
        return any(file.suffix in self.suffixes for file in files)

    def parts_of(self, files: Sequence[File], *, unit: str, refuse: Refuse) -> 'Iterator[Part]':
        """The parts of a collection.

        Args:
            files: sequence of File, all there are.
            unit: 'lines' | 'words', where a collection has both.
            refuse: function of a FormatError, or None: it is raised.

        Yields:
            Part.
        """
        if self.parts is not None:
            yield from self.parts(files, unit, refuse)
            return
        if self.read is None:
            raise ValueError(f'format {self.name}: neither read nor parts, expected one of them')
        for file in files:
            if file.suffix in self.suffixes:
                yield Part(
                    name=file.name,
                    kind=file.suffix[1:],
                    writer=self.writer_of(file.name) if self.writer_of else '',
                    partition=named_partition(file.name),
                    num_bytes=file.size,
                    read=functools.partial(self.read, file),
                    format=self,
                )


class Part(NamedTuple):
    """Samples that lie together: a file of CASIA, a form of IAM.

    Attributes:
        name: str, for messages.
        kind: str, what reports call it: its format, or the suffix of its file.
        writer: str, who wrote all of it; '' where unknown.
        partition: str, the official one: 'train', 'validation', 'test'; '' where there is none.
        num_bytes: int, how much there is to read.
        read: function of `refuse` (see `Format.read`), gives Picture or Ink one by one; can be sent to
            another process.
        format: Format.
    """

    name: str
    kind: str
    writer: str
    partition: str
    num_bytes: int
    read: Callable[..., Iterator[Sample]]
    format: Format

    @property
    def isolated(self) -> bool:
        """Whether its samples are isolated characters."""
        return self.format.isolated

    @property
    def unit(self) -> str:
        """What its reader calls a record."""
        return self.format.record
