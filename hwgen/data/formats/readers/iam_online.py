"""IAM-OnDB, English lines written with a pen on a whiteboard: XML of strokes, and transcriptions.

`lineStrokes/a01/a01-000/a01-000u-01.xml` is a line:
    <WhiteboardCaptureSession>
      <WhiteboardDescription> corners of the board </WhiteboardDescription>
      <StrokeSet> <Stroke colour="black" start_time=".." end_time=".."> <Point x="1073" y="1058" time="3.7"/>
      ... </Stroke>
`ascii/a01/a01-000/a01-000u.txt` has its text: below a row `CSR:` and an empty one a row for each line, from
01. `original/a01/a01-000/strokesu.xml`, where it is there: <Form id="a01-000u" writerID="10008" ...> tells
the writer. Lists of the official partition, a row an id of a form: trainset.txt, testset_v.txt,
testset_t.txt, testset_f.txt.

Source: fki.tic.heia-fr.ch/databases/iam-on-line-handwriting-database (data format). Times and the board's
corners are not kept.
Differs: an XML file that declares entities is refused. A form without a known writer counts as a writer of
its own.
"""

import functools
import pathlib
import re
import xml.parsers.expat
from collections.abc import Iterator, Sequence

from hwgen.data.formats.archives import File
from hwgen.data.formats.format import Format, Part
from hwgen.data.formats.readers.iam import read_partition
from hwgen.data.formats.samples import FormatError, Ink, Refuse, refuse_or_raise

LINE_NAME = re.compile(r'([a-z]\d\d-\d{3}[a-z]?)-(\d\d)\.xml')
_MAX_COORDINATE = 1 << 24


def read_line(file: File, *, text: str, writer: str) -> Ink:
    """The strokes of a line.

    Args:
        file: archives.File, an XML file of `lineStrokes`.
        text: str.
        writer: str.

    Returns:
        Ink; its record is the number of the line.

    Raises:
        FormatError: no XML, entities, points without numbers, no stroke.
    """
    import numpy as np  # here: the help is shown without it

    strokes, parser = [], xml.parsers.expat.ParserCreate()

    def start(name, attributes):
        if name == 'Stroke':
            strokes.append([])
        elif name == 'Point':
            try:
                point = int(attributes['x']), int(attributes['y'])
            except (KeyError, ValueError):
                point = None
            if point is None or max(map(abs, point)) > _MAX_COORDINATE or not strokes:
                raise _error(
                    file,
                    parser,
                    f'point {str(attributes)[:80]}, expected numbers x and y, in a stroke',
                    'strokes',
                )
            strokes[-1].append(point)

    _parse(file, parser, start)
    if not any(strokes):
        raise _error(file, parser, 'no stroke with a point, expected at least one', 'strokes')
    found = LINE_NAME.fullmatch(file.base)
    return Ink(
        strokes=tuple(np.array(stroke, np.int32) for stroke in strokes if stroke),
        text=text,
        writer=writer,
        record=int(found[2]) if found else 1,
        offset=0,
    )


def read_form_writer(file: File) -> tuple[str, str] | None:
    """Form and writer of a file of `original`.

    Args:
        file: archives.File.

    Returns:
        (form, writer), or None where the file names none.

    Raises:
        FormatError: no XML, or entities.
    """
    found = []

    def start(name, attributes):
        if name == 'Form' and attributes.get('writerID'):
            found.append((attributes.get('id', ''), attributes['writerID']))

    _parse(file, xml.parsers.expat.ParserCreate(), start)
    return found[0] if found else None


def read_transcription(file: File) -> list[str]:
    """The lines of a form.

    Args:
        file: archives.File of `ascii`.

    Returns:
        list of str, the line 01 first.

    Raises:
        FormatError: no row `CSR:`.
    """
    rows = [row.strip() for row in file.read().decode('latin-1').splitlines() if row.strip()]
    if 'CSR:' not in rows:
        raise FormatError(f'{file.name}, byte 0: no row "CSR:", expected one above the lines', reason='table')
    return rows[rows.index('CSR:') + 1 :]


def _error(file, parser, problem, reason):
    return FormatError(
        f'{file.name}, row {parser.CurrentLineNumber}, byte {max(0, parser.CurrentByteIndex)}: {problem}',
        reason=reason,
    )


def _parse(file, parser, start):
    parser.StartElementHandler = start

    def refuse(*_):
        raise _error(file, parser, 'an entity is declared, expected none', 'xml')

    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(file.read(), True)
    except FormatError:
        raise
    # the last two: an encoding that Python does not have
    except (xml.parsers.expat.ExpatError, LookupError, ValueError) as error:
        raise _error(file, parser, f'no readable XML ({error})', 'xml') from error


def _is_there(files: Sequence[File]) -> bool:
    return any(LINE_NAME.fullmatch(file.base) for file in files)


def _parts(files: Sequence[File], unit: str, refuse: Refuse) -> Iterator[Part]:
    """A part for each form."""
    del unit
    texts: dict[str, tuple[str, list[str]]] = {}
    writers: dict[str, str] = {}
    forms: dict[str, list[tuple[int, File]]] = {}
    for file in files:
        found = LINE_NAME.fullmatch(file.base)
        folders = pathlib.PurePosixPath(file.name).parts[:-1]
        try:
            if found and 'original' not in folders:
                forms.setdefault(found[1], []).append((int(found[2]), file))
            elif file.suffix == '.txt' and 'ascii' in folders:
                texts[pathlib.PurePosixPath(file.name).stem] = file.name, read_transcription(file)
            elif file.suffix == '.xml' and 'original' in folders:
                writers.update([read_form_writer(file) or ('', '')])
        except FormatError as error:
            refuse_or_raise(error, refuse)
    partition = read_partition(files)
    for form, lines in forms.items():
        writer = writers.get(form, form)
        yield Part(
            name=lines[0][1].name,
            kind='iam_online',
            writer=writer,
            partition=partition.get(form, ''),
            num_bytes=sum(file.size for _, file in lines),
            read=functools.partial(_read_form, form, lines, texts.get(form), writer),
            format=FORMAT,
        )


def _read_form(
    form: str,
    lines: Sequence[tuple[int, File]],
    transcription: tuple[str, list[str]] | None,
    writer: str,
    refuse: Refuse = None,
) -> Iterator[Ink]:
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
            yield read_line(file, text=rows[number - 1], writer=writer)
        except FormatError as error:
            refuse_or_raise(error, refuse)


FORMAT = Format(
    name='iam_online',
    summary='IAM-OnDB: lines of a pen, with their transcriptions',
    suffixes=('.xml', '.txt'),
    parts=_parts,
    is_there=_is_there,
    expected='lineStrokes with a01-000u-01.xml and the like, and ascii',
    place=11,
)
