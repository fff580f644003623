"""IAM, English lines and words as images: a table (`lines.txt` or `words.txt`), the images, and who wrote
which form.

Rows of `lines.txt`, fields by spaces, # before a comment:
    a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from
    id, ok | err (segmentation into words), grey level that parts ink from paper, components, x y w h on the
    form, text with | between words
Rows of `words.txt`:
    a01-000u-00-00 ok 154 408 768 27 51 AT A
    the same without the number of components (which its own heading still lists), and a grammatical tag
    before the text
The image of a01-000u-00 is a01/a01-000u/a01-000u-00.png, wherever that folder lies.
`forms.txt`, where it is there: a01-000u 000 2 prt 7 5 52 36: the form, its writer, ... Lists of the official
partition, a row an id of a line: trainset.txt, validationset1.txt, validationset2.txt, testset.txt.

Source: the headings of the tables of the IAM Handwriting Database 3.0
(fki.tic.heia-fr.ch/databases/iam-handwriting-database).
Differs: pixels lighter than the row's grey level are paper and become 255, as everywhere in hwgen;
`whiten=False` leaves them. A form without a known writer counts as a writer of its own.
"""

import functools
import io
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hwgen.data.formats.archives import File
from hwgen.data.formats.format import Format, Part
from hwgen.data.formats.samples import FormatError, Picture, Refuse, refuse_or_raise

_ID = re.compile(r'([a-z]\d\d-\d{3}[a-z]?)-(\d\d)(?:-(\d\d))?')
_INTEGER = re.compile(r'-?\d{1,6}')
PARTITION_LISTS = {
    'trainset.txt': 'train',
    'validationset1.txt': 'validation',
    'validationset2.txt': 'validation',
    'testset.txt': 'test',
    'testset_v.txt': 'validation',
    'testset_t.txt': 'validation',
    'testset_f.txt': 'test',
}


class IamRow(NamedTuple):
    """A row of the table.

    Attributes:
        id: str, of the line or word.
        form: str, the form it stands on.
        text: str, words with spaces between.
        grey_level: int, 0 to 255.
        segmented: bool, False where the table says `err`.
        row: int, from 1; offset: int, byte in the table.
    """

    id: str
    form: str
    text: str
    grey_level: int
    segmented: bool
    row: int
    offset: int


def text_rows(file: File) -> Iterator[tuple[int, int, str]]:
    """The rows of a text file that are no comments.

    Args:
        file: archives.File.

    Yields:
        (number from 1, byte offset, str). UTF-8, or Latin-1 where it is not.

    Raises:
        FormatError: larger than a table can be, or an archive that cannot be read.
    """
    offset = 0
    data = file.read()
    for number, row in enumerate(data.split(b'\n' if b'\n' in data else b'\r'), 1):
        try:
            text = row.decode().strip()
        except UnicodeDecodeError:
            text = row.decode('latin-1').strip()
        if text and not text.startswith('#'):
            yield number, offset, text
        offset += len(row) + 1


def read_table(file: File, *, words: bool, refuse: Refuse = None) -> Iterator[IamRow]:
    """The rows of `lines.txt` or `words.txt`.

    Args:
        file: archives.File.
        words: bool, which of the two it is.
        refuse: function of a FormatError, told of rows of another shape; None: raised.

    Yields:
        IamRow.

    Raises:
        FormatError: `refuse` is None and a row of another shape.
    """
    for number, offset, row in text_rows(file):
        fields = row.split(' ')
        fields += [''] * (2 - len(fields))
        found = _ID.fullmatch(fields[0])
        numbers = 2
        while numbers < min(len(fields), 8) and _INTEGER.fullmatch(fields[numbers]):
            numbers += 1
        # lines: level, components, box; words: level, (components,) box, tag
        text = fields[numbers + 1 if words else numbers :]
        if (
            not found
            or bool(found[3]) != words
            or fields[1] not in ('ok', 'err')
            or not text
            or numbers - 2 not in ((5, 6) if words else (6,))
            or not 0 <= int(fields[2]) <= 255
        ):
            expected = (
                'id ok|err level x y w h tag text' if words else 'id ok|err level components x y w h text'
            )
            refuse_or_raise(
                FormatError(
                    f'{file.name}, row {number}, byte {offset}: {row[:60]!r}, expected "{expected}"',
                    reason='table',
                ),
                refuse,
            )
            continue
        yield IamRow(
            id=fields[0],
            form=found[1],
            text=' '.join(text).replace('|', ' ').strip(),
            grey_level=int(fields[2]),
            segmented=fields[1] == 'ok',
            row=number,
            offset=offset,
        )


def read_writers(file: File) -> dict[str, str]:
    """Who wrote which form, from `forms.txt`.

    Args:
        file: archives.File.

    Returns:
        dict {form: writer}.
    """
    rows = (row.split() for _, _, row in text_rows(file))
    return {row[0]: row[1] for row in rows if len(row) > 1}


def read_partition(files: Iterable[File]) -> dict[str, str]:
    """The official partition, from the lists that are there.

    Args:
        files: iterable of archives.File.

    Returns:
        dict {id of a line or form: 'train' | 'validation' | 'test'}; empty where there is no list.
    """
    lists = [(PARTITION_LISTS[name], file) for file in files if (name := file.base) in PARTITION_LISTS]
    return {row.split()[0]: partition for partition, file in lists for _, _, row in text_rows(file)}


def read_sample(
    row: IamRow, image_file: File | None, *, writer: str, table: str, words: bool = False, whiten: bool = True
) -> Picture:
    """The image of a row.

    Args:
        row: IamRow.
        image_file: archives.File, or None where there is none.
        writer: str.
        table: str, its name, for messages.
        words: bool, whether the row is a word: a word that is marked `err` gets a note, a line's text stands
            all the same.
        whiten: bool, make paper 255.

    Returns:
        Picture.

    Raises:
        FormatError: no image, or none that can be read.
    """
    import numpy as np  # here, and the next: the help is shown without them

    from hwgen.data.formats.image_files import read_image

    place = f'{table}, row {row.row}, byte {row.offset}'
    if image_file is None:
        raise FormatError(f'{place}: no image {row.id}.png among the files', reason='image')
    try:
        image = read_image(io.BytesIO(image_file.read()), name=image_file.name)
    except OSError as error:
        raise FormatError(f'{place}: {error}', reason='image') from error
    if whiten:
        image = np.where(image > row.grey_level, np.uint8(255), image)
    return Picture(
        image=image,
        text=row.text,
        writer=writer,
        record=row.row,
        offset=row.offset,
        note='' if row.segmented or not words else 'segmentation',
    )


def _is_there(files: Sequence[File]) -> bool:
    return any(file.base in ('lines.txt', 'words.txt') for file in files)


def _parts(files: Sequence[File], unit: str, refuse: Refuse) -> Iterator[Part]:
    """A part for each form and split: rows of `lines.txt` or `words.txt`, as `unit` says, with their
    images.
    """
    from hwgen.data.formats.image_files import suffixes  # here: the help is shown without it

    words = unit == 'words'
    table = next((file for file in files if file.base == f'{unit}.txt'), None)
    if table is None:
        raise FileNotFoundError(
            f'no {unit}.txt among the {len(files)} files, expected the table of the {unit}'
        )
    images: dict[str, File] = {}
    for file in files:
        if file.suffix in suffixes():
            images.setdefault(pathlib.PurePosixPath(file.name).stem, file)
    writers = next((read_writers(file) for file in files if file.base == 'forms.txt'), {})
    partition = read_partition(files)
    forms: dict[tuple[str, str], list[IamRow]] = {}
    for row in read_table(table, words=words, refuse=refuse):
        line = row.id.rpartition('-')[0] if words else row.id
        forms.setdefault((row.form, partition.get(line, partition.get(row.form, ''))), []).append(row)
    for (form, split), rows in forms.items():
        writer = writers.get(form, form)
        # Its own images alone: a part goes to another process, and there are a hundred thousand images of
        # words.
        own = {row.id: images[row.id] for row in rows if row.id in images}
        yield Part(
            name=f'{table.name}/{form}',
            kind='iam',
            writer=writer,
            partition=split,
            num_bytes=sum(image.size for image in own.values()),
            read=functools.partial(_read_rows, rows, own, writer=writer, table=table.name, words=words),
            format=FORMAT,
        )


def _read_rows(
    rows: Sequence[IamRow], images: Mapping[str, File], refuse: Refuse = None, **settings: Any
) -> Iterator[Picture]:
    for row in rows:
        try:
            yield read_sample(row, images.get(row.id), **settings)
        except FormatError as error:
            refuse_or_raise(error, refuse)


FORMAT = Format(
    name='iam',
    summary='IAM: lines or words as images, with lines.txt or words.txt and forms.txt',
    suffixes=('.txt',),
    pictures=True,
    parts=_parts,
    is_there=_is_there,
    expected='lines.txt or words.txt and images',
    text_files='',
    record='row',
    place=10,
)
