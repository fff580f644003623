"""A collection of handwriting as it was downloaded: which files it has, in which format, by whom, for
which split.
"""

import functools
import os
import pathlib
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from hwgen.data.formats import iam, iam_online
from hwgen.data.formats.archives import disk_files, list_files
from hwgen.data.formats.casia_names import casia_writer, named_partition
from hwgen.data.formats.dgrl import read_dgrl
from hwgen.data.formats.gnt import read_gnt
from hwgen.data.formats.image_files import suffixes as image_suffixes
from hwgen.data.formats.pot import read_pot
from hwgen.data.formats.samples import FormatError, Refuse, refuse_or_raise
from hwgen.data.formats.text_lmdb import read_lmdb
from hwgen.data.formats.wptt import read_wptt
from hwgen.data.preparing.input_state import InputState

READERS = {
    '.gnt': read_gnt,
    '.dgrl': read_dgrl,
    '.dgr': read_dgrl,
    '.pot': read_pot,
    '.wptt': read_wptt,
    '.ptts': read_wptt,
}
ISOLATED = ('.gnt', '.pot')  # a sample is a character
SOURCES = ('casia', 'iam', 'iam_online', 'lmdb')
_READ = {
    'casia': (*READERS, '.zip'),
    'iam': (*image_suffixes(), '.txt', '.zip'),
    'iam_online': ('.xml', '.txt', '.zip'),
    'lmdb': ('.mdb',),
}


class Part(NamedTuple):
    """Samples that lie together: a file of CASIA, a form of IAM.

    Attributes:
        name: str, for messages.
        kind: str, its format: 'gnt', 'dgrl', 'dgr', 'pot', 'wptt', 'ptts', 'iam', 'iam_online', 'lmdb'.
        writer: str, who wrote all of it; '' where unknown.
        partition: str, the official one: 'train', 'validation', 'test'; '' where there is none.
        num_bytes: int, how much there is to read.
        read: function of `refuse` (see the readers), gives Picture or Ink one by one; can be sent to another
            process.
    """

    name: str
    kind: str
    writer: str
    partition: str
    num_bytes: int
    read: Callable

    @property
    def isolated(self) -> bool:
        """Whether its samples are isolated characters."""
        return f'.{self.kind}' in ISOLATED

    @property
    def unit(self) -> str:
        """What its reader calls a record."""
        return {'gnt': 'sample', 'pot': 'sample', 'lmdb': 'sample', 'iam': 'row'}.get(self.kind, 'line')


# Which records of a part belong to a split: a function of a record's number; None: all of them.
Chosen: TypeAlias = Callable[[int], bool] | None


def open_collection(
    path: str | os.PathLike[str], *, source: str = 'auto', unit: str = 'lines', refuse: Refuse = None
) -> list[Part]:
    """What a collection holds, without reading its samples.

    Args:
        path: path of a file, an archive, or a folder of both.
        source: 'casia' (.gnt, .dgrl, .dgr, .pot, .wptt, .ptts, whatever of them is there), 'iam',
            'iam_online', 'lmdb', or 'auto': the one that its files speak for.
        unit: 'lines' | 'words', of IAM.
        refuse: function of a FormatError, told of archives, rows of tables and transcriptions that cannot be
            read; None: raised.

    Returns:
        list of Part, in the order of their names.

    Raises:
        FileNotFoundError: no such path, or no files of that source in it.
        FormatError: an archive or table that cannot be read.
    """
    files = list_files(path, refuse=refuse)
    source, found = _source(files, source)
    if source is None or not found[source]:
        expected = {
            'casia': f'files {", ".join(READERS)}',
            'iam': 'lines.txt or words.txt and images',
            'iam_online': 'lineStrokes with a01-000u-01.xml and the like, and ascii',
            'lmdb': 'a folder with data.mdb',
        }
        tars = next(
            (file.name for file in files if file.name.endswith(('.tgz', '.tar.gz', '.tar', '.rar'))), None
        )
        raise FileNotFoundError(
            f'{path}: {len(files)} files, among them no {expected[source] if source else "known format"}; '
            + (
                f'{tars} must be unpacked first (.zip need not)'
                if tars
                else f'expected {expected[source] if source else "; ".join(expected.values())}'
            )
        )
    parts = {'casia': _casia, 'iam': _iam, 'iam_online': _iam_online, 'lmdb': _lmdb}[source](
        files, unit, refuse
    )
    return sorted(parts, key=lambda part: part.name)


def source_of(path: str | os.PathLike[str]) -> str | None:
    """The source that the files of a collection speak for, None where they speak for none or are not
    there.
    """
    try:
        return _source(list_files(path, refuse=lambda error: None), 'auto')[0]
    except (FileNotFoundError, FormatError):
        return None


def input_state(path: str | os.PathLike[str], *, source: str = 'auto') -> InputState:
    """What `open_collection` and the readers of its parts read: files and archives on disk; other files and
    folders of records are none of it.

    Args:
        path, source: see `open_collection`.

    Returns:
        InputState.

    Raises:
        FileNotFoundError: no such path.
    """
    source, _ = _source(list_files(path, refuse=lambda error: None), source)
    suffixes, path = _READ.get(source, ()), pathlib.Path(path)
    found, texts = [], {}
    prepared = {}  # folder -> whether `prepare` wrote it
    for file in disk_files(path):
        if file.parent not in prepared:
            prepared[file.parent] = (
                file.parent.suffix == '.partial'
                or (file.parent / 'info.json').exists()
                and any(file.parent.glob('*.index.npz'))
            )
        if file.suffix.lower() not in suffixes or file.name == 'lock.mdb' or prepared[file.parent]:
            continue
        if file.suffix.lower() == '.txt':
            texts.setdefault(file.name if source == 'iam' else 'a text file', []).append(file)
        else:
            found.append(file)
    return InputState(path.parent if path.is_file() else path, files=found, tables=texts)


def _source(files, source):
    """The source that is meant, None where nothing speaks for one, and {source: whether its files are
    there}.
    """
    found = {
        'casia': any(file.suffix in READERS for file in files),
        'iam': any(_base(file) in ('lines.txt', 'words.txt') for file in files),
        'iam_online': any(iam_online.LINE_NAME.fullmatch(_base(file)) for file in files),
        'lmdb': any(_base(file) == 'data.mdb' and not file.member for file in files),
    }
    return next((name for name, there in found.items() if there), None) if source == 'auto' else source, found


def _base(file):
    return pathlib.PurePosixPath(file.name).name


def _casia(files, unit, refuse):
    del unit, refuse
    for file in files:
        if file.suffix in READERS:
            yield Part(
                name=file.name,
                kind=file.suffix[1:],
                writer=casia_writer(file.name),
                partition=named_partition(file.name),
                num_bytes=file.size,
                read=functools.partial(READERS[file.suffix], file),
            )


def _iam(files, unit, refuse):
    words = unit == 'words'
    table = next((file for file in files if _base(file) == f'{unit}.txt'), None)
    if table is None:
        raise FileNotFoundError(
            f'no {unit}.txt among the {len(files)} files, expected the table of the {unit}'
        )
    images = {}
    for file in files:
        if file.suffix in image_suffixes():
            images.setdefault(pathlib.PurePosixPath(file.name).stem, file)
    writers = next((iam.read_writers(file) for file in files if _base(file) == 'forms.txt'), {})
    partition, forms = iam.read_partition(files), {}
    for row in iam.read_table(table, words=words, refuse=refuse):
        line = row.id.rpartition('-')[0] if words else row.id
        forms.setdefault((row.form, partition.get(line, partition.get(row.form, ''))), []).append(row)
    for (form, split), rows in forms.items():
        writer = writers.get(form, form)
        # Its own images alone: a part goes to another process, and there are a hundred thousand images of
        # words.
        own = {row.id: images[row.id] for row in rows if row.id in images}
        size = sum(image.size for image in own.values())
        read = functools.partial(_read_rows, rows, own, writer=writer, table=table.name, words=words)
        yield Part(
            name=f'{table.name}/{form}', kind='iam', writer=writer, partition=split, num_bytes=size, read=read
        )


def _read_rows(rows, images, refuse=None, **settings):
    for row in rows:
        try:
            yield iam.read_sample(row, images.get(row.id), **settings)
        except FormatError as error:
            refuse_or_raise(error, refuse)


def _iam_online(files, unit, refuse):
    del unit
    texts, writers, forms = {}, {}, {}
    for file in files:
        found = iam_online.LINE_NAME.fullmatch(_base(file))
        folders = pathlib.PurePosixPath(file.name).parts[:-1]
        try:
            if found and 'original' not in folders:
                forms.setdefault(found[1], []).append((int(found[2]), file))
            elif file.suffix == '.txt' and 'ascii' in folders:
                texts[pathlib.PurePosixPath(file.name).stem] = (
                    file.name,
                    iam_online.read_transcription(file),
                )
            elif file.suffix == '.xml' and 'original' in folders:
                writers.update([iam_online.read_form_writer(file) or ('', '')])
        except FormatError as error:
            refuse_or_raise(error, refuse)
    partition = iam.read_partition(files)
    for form, lines in forms.items():
        writer, size = writers.get(form, form), sum(file.size for _, file in lines)
        read = functools.partial(_read_strokes, form, lines, texts.get(form), writer)
        yield Part(
            name=lines[0][1].name,
            kind='iam_online',
            writer=writer,
            partition=partition.get(form, ''),
            num_bytes=size,
            read=read,
        )


def _read_strokes(form, lines, transcription, writer, refuse=None):
    for number, file in lines:
        try:
            if transcription is None:
                raise FormatError(
                    f'{file.name}, byte 0: no ascii/.../{form}.txt with its text', reason='table'
                )
            name, rows = transcription
            if not 1 <= number <= len(rows):
                raise FormatError(
                    f'{file.name}, byte 0: no line {number} in {name}, it has {len(rows)}', reason='table'
                )
            yield iam_online.read_line(file, text=rows[number - 1], writer=writer)
        except FormatError as error:
            refuse_or_raise(error, refuse)


def _lmdb(files, unit, refuse):
    del unit, refuse
    for file in files:
        if _base(file) == 'data.mdb' and not file.member:
            folder = str(pathlib.PurePosixPath(file.name).parent)
            yield Part(
                name=folder,
                kind='lmdb',
                writer='',
                partition=named_partition(folder),
                num_bytes=file.size,
                read=functools.partial(read_lmdb, file.path.parent, name=folder),
            )
