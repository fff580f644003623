"""A plain folder of line images and their texts: a table (`label_table.py`), a folder of text files, or the
names of the images.

The writer is what the table says, else the sub-folder that the image lies in, else unknown. A path of a table
with \\ is read as one with / where no other picture has that name.
Where the labels are a folder, a.png has its text in a.txt or a.gt.txt there (RIMES-2011-Lines: Images,
Transcriptions). A pattern of names may tell writer and text, as of CVL's words, 0052-1-0-0-Imagine.tif:
writer, page, line, word, text. Images without text need no table: `list_images`.

Source: public readers of these sets (github.com/aimagelab/HWD; loaders of groundtruth_training_icdar2011.txt)
and descriptions of CVL 1.1.
"""

import os
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hwgen.charset.printable import is_text, printable, shown
from hwgen.data.formats.image_files import expected_formats, find_images
from hwgen.data.formats.label_table import read_table, read_utf8
from hwgen.data.formats.label_text import text_problem
from hwgen.data.formats.samples import FormatError, Refuse, refuse_or_raise

_SHOWN = 10


class LabelledImage(NamedTuple):
    """A row of the table, or an image without one.

    Attributes:
        path: pathlib.Path of the image.
        text: str, '' without a table.
        writer: str, '' where unknown.
        row: int, its number in the table or, without one, among the images, from 1.
    """

    path: pathlib.Path
    text: str
    writer: str
    row: int


def read_folder(
    folder: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] = 'labels.tsv',
    name_pattern: str | None = None,
    refuse: Refuse = None,
    report: Callable[[str], object] | None = None,
) -> Iterator[LabelledImage]:
    """The images of a folder with their texts.

    Args:
        folder: path that the images' paths start from.
        labels: path of the table, or of a folder of text files; in `folder` unless absolute. UTF-8, see
            `label_table.read_table`.
        name_pattern: str, a regular expression that the names of the images match, without suffix: its groups
            `writer` and `text` tell them; with a group `text` there are no labels. None: names tell nothing.
        refuse: function of a FormatError, told of rows of another shape, names that do not match, writers and
            texts from names that are no UTF-8, and images without a text; None: it is raised.
        report: function of a str, told of a column that may be no writer, and of files that look like
            pictures and are passed over (where no table names the pictures); or None.

    Yields:
        LabelledImage.

    Raises:
        FileNotFoundError: no folder or no labels.
        ValueError: no such pattern.
        FormatError: a table or text that is no UTF-8, or `refuse` is None and a row of another shape; names
            file, row and byte.
    """
    folder = pathlib.Path(folder)
    pattern = _compiled(name_pattern)
    if not folder.is_dir():
        raise FileNotFoundError(
            f'{folder}: no such folder; expected one with images and {pathlib.Path(labels).name}'
        )
    rows: Iterator[tuple[int, pathlib.Path, str, str]]
    if 'text' in pattern.groupindex:
        rows = ((number, path, '', '') for number, path in enumerate(_images(folder, report), 1))
    elif (folder / labels).is_dir():
        rows = _text_file_rows(folder, folder / labels, refuse, report)
    else:
        rows = (
            (row.number, _path_of(folder, row.name), row.text, row.writer)
            for row in read_table(folder / labels, refuse=refuse, report=report)
        )
    for number, path, text, writer in rows:
        found = pattern.fullmatch(path.stem)
        if found is None:
            refuse_or_raise(
                FormatError(
                    f'{printable(path)}: the name does not match {name_pattern}, expected it to',
                    reason='name',
                ),
                refuse,
            )
            continue
        told = found.groupdict()
        image = LabelledImage(
            path=path,
            text=told.get('text') or text,
            row=number,
            writer=writer or told.get('writer') or _sub_folder(folder, path),
        )
        problem = _name_problem(image)
        if problem:
            refuse_or_raise(problem, refuse)
            continue
        yield image


def _compiled(name_pattern):
    """The pattern; one that matches everything where there is none."""
    if name_pattern is None:
        return re.compile('.*', re.DOTALL)
    try:
        pattern = re.compile(name_pattern, re.DOTALL)
    except re.error as error:
        raise ValueError(f'name pattern {name_pattern!r}: {error}, expected a regular expression') from error
    if not {'writer', 'text'} & pattern.groupindex.keys():
        raise ValueError(
            f'name pattern {name_pattern!r}: no group (?P<writer>...) or (?P<text>...), expected at least one'
        )
    return pattern


def _images(folder, report):
    """The pictures of a folder and its sub-folders; nothing hidden."""
    found, others = find_images(folder)
    _tell_passed_over(folder, others, report)
    return found


def _tell_passed_over(folder, others, report):
    if others and report:
        report(f'{printable(folder)}: {_passed_over(others)}')


def _passed_over(others):
    some = ', '.join(map(printable, others[:_SHOWN])) + (' ...' if len(others) > _SHOWN else '')
    what = 'file that looks like a picture' if len(others) == 1 else 'files that look like pictures'
    return f'passed over {len(others)} {what}: {some}; expected {expected_formats()} with their suffixes'


def _text_file_rows(folder, texts, refuse, report):
    """(number, path, text, '') of each image with a text file."""
    for number, path in enumerate(_images(folder, report), 1):
        stem = texts / path.relative_to(folder).with_suffix('')
        file = next(
            (
                name
                for name in (stem.with_name(f'{stem.name}.txt'), stem.with_name(f'{stem.name}.gt.txt'))
                if name.is_file()
            ),
            None,
        )
        if file is None:
            refuse_or_raise(
                FormatError(
                    f'{printable(path)}: no {printable(stem.name)}.txt in {printable(stem.parent)}, expected'
                    ' its text',
                    reason='table',
                ),
                refuse,
            )
            continue
        text = read_utf8(file).strip()
        problem = text_problem(text)
        if problem:
            refuse_or_raise(
                FormatError(f'{printable(file)}: {problem}; the text: {shown(text)}', reason='table'), refuse
            )
            continue
        yield number, path, text, ''


def _path_of(folder, name):
    """The picture that a table names; from Windows with \\ for /."""
    path = folder / name
    other = folder / name.replace('\\', '/')
    return other if '\\' in name and not os.path.exists(path) and os.path.exists(other) else path


def _sub_folder(folder, path):
    """The writer where nothing else tells one."""
    inside = path.parent
    # a table may name pictures from the root on
    for place, root in ((inside, folder), (pathlib.Path(os.path.abspath(inside)), os.path.abspath(folder))):
        if place.is_relative_to(root):
            inside = place.relative_to(root)
            break
    return inside.as_posix().removeprefix('.')


def _name_problem(image):
    """A FormatError for a text or writer from a name that is no text, or None."""
    for what, value in (('text', image.text), ('writer', image.writer)):
        if not is_text(value):
            return FormatError(
                f'{printable(image.path)}: the {what} would be {printable(value)}, which is no UTF-8 (a name'
                ' in GBK, from an archive made on Windows?); unpack it by unzip -O GBK, or rename by convmv'
                ' -f gbk -t utf8 --notest -r FOLDER',
                reason='name',
            )
    return None


def list_images(
    folder: str | os.PathLike[str], *, refuse: Refuse = None, report: Callable[[str], object] | None = None
) -> Iterator[LabelledImage]:
    """The images of a folder and its sub-folders, without text, in the order of their paths.

    Args:
        folder: path. Files of other kinds, and what begins with a dot, are passed over.
        refuse: function of a FormatError, told of images in a sub-folder, the writer, whose name is no UTF-8;
            None: it is raised.
        report: see `read_folder`.

    Yields:
        LabelledImage; the writer is the sub-folder.

    Raises:
        FileNotFoundError: no folder, or no image in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder; expected one with images')
    paths, others = find_images(folder)
    if not paths:
        raise FileNotFoundError(
            f'{folder}: no image in'
            f' it{"; " + _passed_over(others) if others else "; expected " + expected_formats()}'
        )
    _tell_passed_over(folder, others, report)
    for number, path in enumerate(paths, 1):
        image = LabelledImage(path=path, text='', writer=_sub_folder(folder, path), row=number)
        problem = _name_problem(image)
        if problem:
            refuse_or_raise(problem, refuse)
            continue
        yield image
