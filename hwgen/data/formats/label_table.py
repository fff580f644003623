r"""Tables of labels: which picture shows which text, in the forms that trainers of OCR read and write.

    a.png TAB text              PaddleOCR's rec_gt.txt; a third column is the writer;
                                ["a.png", "b.png"] TAB text: each of them shows it
    a.png text                  a row without a TAB: RIMES, MMOCR's txt
    a.png, "text"               ICDAR's word recognition; \" and \\ in it stand for " and \
    filename,words              a first row that names its columns, by TAB, comma or semicolon: in any order,
                                others are passed over (TRDG, EasyOCR)
    *.csv                       fields by comma, quoted or not, path and text and perhaps writer where no
                                first row names them
    {"path": .., "text": ..}    JSON Lines, in *.jsonl or between other rows; the names of columns are those
                                of _NAMES, as MMOCR's filename
    *.json                      MMOCR's data_list of img_path and instances, or a list of such objects as
                                above, or with anno_info in place of text

What looks like one of these and is something else is refused: labels of detection, a backslash and a t for a
TAB, a TAB inside a text.

Source: PaddleOCR doc/datasets/ocr_datasets.md and PPOCRLabel; mmocr/datasets (recog_text_dataset.py,
ocr_dataset.py, 0.x core/utils); ICDAR 2015 challenge 4.3; TRDG's and EasyOCR's labels.csv; metadata.jsonl of
Hugging Face.
"""

import csv
import json
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hwgen.charset.printable import is_text, printable, shown
from hwgen.data.formats.label_text import ICDAR_ROW, OBJECT, PICTURE_SUFFIX, text_problem
from hwgen.data.formats.samples import FormatError, Refuse, refuse_or_raise

_NAMES = {
    'path': ('path', 'file_name', 'filename', 'image', 'img', 'image_path', 'img_path', 'image_name', 'file'),
    'text': ('text', 'label', 'words', 'word', 'transcription'),
    'writer': ('writer', 'writer_id'),
}
_DELIMITERS = ('\t', ',', ';')
_WRITTEN_TAB = re.compile(rf'(?i:.*?{PICTURE_SUFFIX})(?:\\t|\s+\\t(?![A-Za-z]))')
_LATIN_NAME = re.compile(r'[A-Za-z0-9_.-]+')
_EXPECTED = 'expected path TAB text (TAB writer)'
_NAME_WITH_HASH = re.compile(rf'(?i:#\S*?{PICTURE_SUFFIX})[\s,;]')


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        number: int, its line in the file, from 1; of *.json the number of the object.
        name: str, the picture's path as it is written there.
        text: str, without blanks at the ends; '' where it has none.
        writer: str, '' where unknown.
    """

    number: int
    name: str
    text: str
    writer: str


class _Problem(ValueError):
    """What is wrong with a row."""


def read_table(
    path: pathlib.Path, *, refuse: Refuse = None, report: Callable[[str], object] | None = None
) -> Iterator[Row]:
    """The rows of a table.

    Args:
        path: pathlib.Path of a UTF-8 file. Empty rows, and rows that start with # and hold no TAB, are left
            out.
        refuse: function of a FormatError, told of rows of another shape; None: it is raised.
        report: function of a str, told of a third column that may be no writer, and of texts that all stand
            in quotes; or None.

    Yields:
        Row.

    Raises:
        FileNotFoundError: no such file.
        FormatError: no UTF-8, no JSON, or `refuse` is None and a row of another shape; names file, row and
            the row itself.
    """
    if path.exists() and not path.is_file():
        raise FormatError(
            f'{printable(path)}: no regular file; it is read more than once: save it, and give the name of'
            ' that',
            reason='table',
        )
    if not path.is_file():
        raise FileNotFoundError(f'{printable(path)}: no such file; expected rows "path TAB text"')
    text, suffix = read_utf8(path), path.suffix.lower()
    lines = text.split('\n')
    first = next((line for line in lines if line.strip() and (not _is_comment(line) or _header(line))), '')
    header = None if suffix in ('.json', '.jsonl') else _header(first)
    if suffix == '.json':
        rows = _objects(text, path)
    elif header and header[0] != '\t' or suffix == '.csv':
        delimiter = (
            header[0] if header else next((delimiter for delimiter in _DELIMITERS if delimiter in first), ',')
        )
        rows = _separated(lines, delimiter, header and header[1])
    else:
        rows = _lines(lines, header and header[1], objects_only=suffix == '.jsonl')
    rows = list(rows)
    if report and suffix not in ('.json', '.jsonl', '.csv'):
        _tell_quotes(rows, path, report)
    unsure = _unsure(rows, path, report) if not header and suffix not in ('.json', '.jsonl') else {}
    for number, raw, found in rows:
        problem = found if isinstance(found, str) else unsure.get(number) or text_problem(found[1])
        if problem:
            of_row = '' if suffix == '.jsonl' and found is problem else f'; the row: {shown(raw)}'
            refuse_or_raise(
                FormatError(f'{printable(path)}, row {number}: {problem}{of_row}', reason='table'), refuse
            )
            continue
        for name in _names(found[0]):
            yield Row(number, name, found[1], found[2] if len(found) > 2 else '')


def read_utf8(path: pathlib.Path) -> str:
    """The text of a UTF-8 file, without its byte order mark, rows ended by LF; raises FormatError where it
    is none.
    """
    try:
        return path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise FormatError(
            f'{printable(path)}, byte {error.start}: no UTF-8; convert it to that', reason='text'
        ) from error


def _is_comment(row):
    """Whether a row begins as a comment does, and not as the name of a picture: #1.png."""
    return row.startswith('#') and not _NAME_WITH_HASH.match(row)


def _header(line):
    """(delimiter, {'path': column, 'text': column, perhaps 'writer': column}) of a row that names columns,
    else None.
    """
    for delimiter in _DELIMITERS:
        cells = [cell.strip().strip('"').lower() for cell in line.lstrip('# ').split(delimiter)]
        found = {
            role: next(cells.index(name) for name in names if name in cells)
            for role, names in _NAMES.items()
            if set(names) & set(cells)
        }
        if {'path', 'text'} <= found.keys():
            return delimiter, found | {'count': len(cells)}
    return None


def _lines(lines, header, *, objects_only):
    """(number, the row, its path, text and writer or what is wrong) of each row that is a line."""
    named = header is None
    for number, row in enumerate(lines, 1):
        row = row.rstrip('\r')
        if not row.strip() or _is_comment(row) and '\t' not in row:
            continue
        if not named and _header(row):
            named = True
            continue
        try:
            if objects_only or row.lstrip().startswith('{') and _loaded(row):
                columns = _object_columns(_loaded(row), row)
            elif header:
                columns = _by_header(row.split('\t'), header, 'a TAB inside the text?')
            else:
                columns = _positional(_columns(row))
        except _Problem as problem:
            columns = str(problem)
        yield number, row, columns


def _columns(row):
    """The columns of a row without a header."""
    if '\t' in row:
        return row.split('\t')
    found = ICDAR_ROW.fullmatch(row)
    if found:
        return [found[1], re.sub(r'\\(["\\])', r'\1', found[2])]
    if _WRITTEN_TAB.match(row):
        raise _Problem(r'a backslash and a t (\t) stand between path and text, expected a TAB')
    columns = row.split(' ', 1)
    if len(columns) > 1 and all(
        re.match(rf'(?i:\S*?{PICTURE_SUFFIX})(?:\s|$)', column) for column in columns
    ):
        raise _Problem(f'two names of pictures, {_EXPECTED}')
    return columns


def _separated(lines, delimiter, header):
    """As `_lines`, of a file as the module csv reads it."""
    named, end = header is None, 0
    while end < len(lines):
        start, raw = end, lines[end].rstrip('\r')
        end += 1
        if not raw.strip() or _is_comment(raw) and (delimiter not in raw or not named and not _header(raw)):
            continue
        if not named and _header(raw):
            named = True
            continue
        columns, end = _fields(lines, start, delimiter)
        if not isinstance(columns, str):
            try:
                # EasyOCR does not quote a text with a comma
                if '"' not in raw and header and header['text'] == header['count'] - 1:
                    columns = raw.split(delimiter, header['text'])
                columns = (
                    _by_header(columns, header, 'a delimiter inside the text?')
                    if header
                    else _positional(columns)
                )
            except _Problem as problem:
                columns = str(problem)
        yield start + 1, raw, columns


def _fields(lines, start, delimiter):
    """(the fields of a row, or what is wrong with it; where the next row begins).

    A quote that is not closed takes no other row with it: a text is one line, and behind its end only the end
    of its quote may follow.
    """
    row = lines[start].rstrip('\r')
    for end in range(start + 1, len(lines) + 1):
        try:
            return next(csv.reader([row], delimiter=delimiter, skipinitialspace=True, strict=True)), end
        except csv.Error as error:
            if 'unexpected end' not in str(error):
                return f'{error}; a quote inside a quoted field is written twice', start + 1
        following = lines[end].strip() if end < len(lines) else 'none'
        if following and not following.startswith('"'):
            break
        row += following
    return 'a quote that is not closed, expected its end in the same row', start + 1


def _positional(columns):
    columns = [column.strip() for column in columns]
    if len(columns) not in (2, 3) or not columns[0]:
        raise _Problem(
            f'{len(columns)} columns, {_EXPECTED}'
            + ('; fields by comma are read from a table named *.csv' if ',' in columns[0] else '')
        )
    return columns


def _by_header(columns, header, doubt):
    columns = [column.strip() for column in columns]
    if any(columns[header['count'] :]):
        raise _Problem(f'{len(columns)} columns, expected the {header["count"]} of the first row ({doubt})')
    if len(columns) <= max(header['path'], header['text']) or not columns[header['path']]:
        raise _Problem(
            f'{len(columns)} columns, expected path and text as columns {header["path"] + 1} and'
            f' {header["text"] + 1}'
        )
    return [columns[header[role]] if header.get(role, len(columns)) < len(columns) else '' for role in _NAMES]


def _loaded(row):
    """The object of a row, or None."""
    try:
        value = json.loads(row)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _object_columns(fields, row):
    """Path, text and, where it is there, writer of an object; raises _Problem where it is none with the
    first two.
    """
    found = (
        {
            role: next((fields[name] for name in names if name in fields), None)
            for role, names in _NAMES.items()
        }
        if fields
        else {}
    )
    columns = [
        str(value).strip() if isinstance(value, (str, int)) and is_text(str(value)) else None
        for value in found.values()
    ]
    if (
        not columns
        or None in columns[:2]
        or not columns[0]
        or columns[2] is None
        and found['writer'] is not None
    ):
        raise _Problem(f'{shown(row)}, expected {OBJECT}')
    return columns if columns[2] is not None else columns[:2]


def _objects(text, path):
    """As `_lines`, of a file that is one JSON value; a picture of MMOCR has one text, or is refused."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f'{printable(path)}: no JSON ({error}); expected data_list, or a list of {OBJECT}',
            reason='table',
        ) from error
    found = value.get('data_list') if isinstance(value, dict) else value
    if not isinstance(found, list):
        raise FormatError(
            f'{printable(path)}: expected data_list, or a list of {OBJECT}; JSON Lines are named *.jsonl',
            reason='table',
        )
    for number, fields in enumerate(found, 1):
        raw = json.dumps(fields, ensure_ascii=False)
        try:
            inner = fields.get('instances', fields.get('anno_info')) if isinstance(fields, dict) else None
            if inner is not None:
                if not isinstance(inner, list) or len(inner) != 1 or not isinstance(inner[0], dict):
                    raise _Problem(
                        f'{len(inner) if isinstance(inner, list) else 0} texts of a picture, expected 1'
                        ' (labels of recognition, not of detection)'
                    )
                fields = {**fields, **inner[0]}
            yield number, raw, _object_columns(fields if isinstance(fields, dict) else None, raw)
        except _Problem as problem:
            yield number, raw, str(problem)


def _names(name):
    """The pictures of a row: all those of a list, as PaddleOCR has them."""
    if name.startswith('['):
        try:
            value = json.loads(name)
        except (ValueError, RecursionError):
            value = None
        if (
            isinstance(value, list)
            and value
            and all(isinstance(inner, str) and inner.strip() for inner in value)
        ):
            return [inner.strip() for inner in value]
    return [name]


def _tell_quotes(rows, path, report):
    """Tells where all texts of a table that knows no quotes stand in some: they may be the form of who
    wrote it.
    """
    texts = [found[1] for _, _, found in rows if not isinstance(found, str)]
    if len(texts) > 1 and all(len(text) > 2 and text[0] == text[-1] == '"' for text in texts):
        report(
            f'{path}: all {len(texts)} texts stand in quotation marks, which are kept as a part of them: are'
            ' they? (in a table named *.csv they are not)'
        )


def _unsure(rows, path, report):
    """{number: what is wrong} of rows whose third column may be the second half of a text that holds a TAB.

    A writer has written several rows. Where nearly every row has another, and some rows have no third column,
    it is taken for a writer only where it is a name in Latin letters behind a text in others; that, and a
    third column in all rows that never comes again, is said.
    """
    parsed = [(number, found) for number, _, found in rows if not isinstance(found, str)]
    third = {number: found[2] for number, found in parsed if len(found) > 2 and found[2]}
    without = sum(1 for _, found in parsed if len(found) < 3)
    if not third or 2 * len(set(third.values())) <= len(third):
        return {}
    advice = 'a first row "path TAB text TAB writer" says that it is'
    texts = {number: found[1] for number, found in parsed}
    doubtful = {
        number
        for number, value in third.items()
        if without and (texts[number].isascii() or not _LATIN_NAME.fullmatch(value))
    }
    third = {number: value for number, value in third.items() if number not in doubtful}
    if report and third and (without or len(third) >= 3 and 10 * len(set(third.values())) > 9 * len(third)):
        number, value = next(iter(third.items()))
        report(
            f'{path}: the third column is taken for the writer, and {len(third)} rows have'
            f' {len(set(third.values()))} of them ({printable(value)!r} in row {number}): is it one, or the'
            f' rest of a text with a TAB in it? ({advice})'
        )
    return dict.fromkeys(
        doubtful,
        f'3 columns, {without} other rows have 2: a TAB inside the text? As a writer expected in every row,'
        f' or {advice}',
    )
