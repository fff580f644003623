"""What no bytes may make the readers of foreign formats do: a target a format, called by the fuzzer and by
the tests.

A target takes bytes and returns, or raises: whatever a reader lets escape, or AssertionError where it breaks
its word:
 - strictly it raises FormatError (images: OSError) and nothing else, in one line that names the file;
 - where errors are skipped it gives what it gives strictly, and goes on; good samples beside bad ones are all
   there;
 - what it gives can be used: converting it to records refuses it in one line or succeeds.
"""

import contextlib
import functools
import io
import pathlib
import struct
import zipfile
import zlib

import foreign_files as foreign
import numpy as np
from PIL import Image

from hwgen.charset.encoding import Charset, CharsetError
from hwgen.data.formats import iam, iam_online, text_lmdb
from hwgen.data.formats.archives import File, list_files
from hwgen.data.formats.byte_stream import ByteStream
from hwgen.data.formats.folder import read_folder
from hwgen.data.formats.image_files import read_image
from hwgen.data.formats.samples import MAX_LINE_PIXELS, FormatError, Ink
from hwgen.data.preparing import conversion
from hwgen.data.preparing.collection import READERS, Part
from hwgen.data.reading.records import decode_png

RNG = np.random.default_rng(0)
SQUARE = [(100, 100), (500, 100), (500, 500), (100, 500), (100, 100)]
WHOLE = {
    '.gnt': foreign.gnt_bytes([(c, foreign.glyph(RNG, 6, 5)) for c in '天地玄']),
    '.dgrl': foreign.dgrl_bytes([('天地', foreign.glyph(RNG, 5, 9)), ('玄', foreign.glyph(RNG, 4, 4))]),
    '.dgr': foreign.dgr_bytes(
        [[('天', 10, 20, foreign.glyph(RNG, 5, 5)), ('地', 12, 30, foreign.glyph(RNG, 4, 6))]]
    ),
    '.pot': foreign.pot_bytes([(c, [SQUARE, SQUARE[:2]]) for c in '天地玄']),
    '.wptt': foreign.wptt_bytes([SQUARE, SQUARE[:3]], [('天', [0]), ('地', [1])]),
    '.ptts': foreign.ptts_bytes([SQUARE, SQUARE[:3]], [('天', [0]), ('地', [1])]),
}
LINES = (
    b'#--- lines.txt ---#\na01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to\na01-000u-01 err 156 19 395 932'
    b' 1850 105 any|more\n'
)
WORDS = b'a01-000u-00-00 ok 154 408 768 27 51 AT A\na01-000u-00-01 err 154 1 507 766 213 48 NN MOVE\n'
STROKES = (
    b'<?xml version="1.0" encoding="ISO-8859-1"?><WhiteboardCaptureSession><StrokeSet><Stroke colour="black"'
    b' start_time="7"><Point x="1073" y="1058" time="769.05"/><Point x="1072" y="1085"'
    b' time="7"/></Stroke></StrokeSet></WhiteboardCaptureSession>'
)
FORM = b'<x><General><Form id="a01-000u" writerID="10008"/></General></x>'
TABLE = 'a.png\t天地\nanna/b.png\t玄 黄\tberta\n'.encode()
JSON = b'{"path": "a.png", "text": "\\u5929"}\n{"file_name": "b/c.png", "label": 7, "writer": "anna"}\n'


class InMemory(File):
    """An archives.File of bytes; its `path` holds them."""

    @contextlib.contextmanager
    def open(self):
        yield ByteStream(io.BytesIO(self.path), size=self.size, name=self.name)


def in_memory(name, data):
    return InMemory(name, len(data), data)


def attempt(read):
    """(what a generator gave, the message of the FormatError that ended it or None)."""
    found = []
    try:
        for sample in read:
            found.append(sample)  # noqa: PERF402 (what came before an error counts)
    except FormatError as error:
        return found, str(error)
    return found, None


def skipping(read, name):
    """What a reader gives that skips, and its messages."""
    messages = []

    def refuse(error):
        assert isinstance(error, FormatError) and error.reason, repr(error)
        message = str(error)
        assert (
            name in message
            and ', byte ' in message
            and (name == '.zip' or '\n' not in message and len(message) < 2000)
        ), message[:3000]
        messages.append(message)

    return list(read(refuse)), messages


def as_bytes(sample):
    """A sample, to be compared."""
    arrays = sample.strokes if isinstance(sample, Ink) else (sample.image,)
    return sample.text, sample.record, sample.offset, [(a.shape, a.tobytes()) for a in arrays]


def check_reader(read, name, *, num_bytes):
    """Strict and skipping runs of a reader agree; returns the samples."""
    samples, messages = skipping(read, name)
    strict, error = attempt(read(None))
    assert (error is None) == (not messages) and (error is None or error == messages[0]), (
        error,
        messages[:2],
    )
    assert [as_bytes(s) for s in strict] == [as_bytes(s) for s in samples[: len(strict)]] and (
        messages or len(strict) == len(samples)
    )
    for sample in samples:
        assert (
            sample.text
            and 0 <= sample.offset <= num_bytes
            and (not sample.codes or len(sample.codes) == len(sample.text))
        )
        if isinstance(sample, Ink):
            assert sample.strokes and all(
                s.dtype == np.int32 and s.ndim == 2 and s.shape[1] == 2 and len(s) for s in sample.strokes
            )
        else:
            assert (
                sample.image.dtype == np.uint8
                and sample.image.ndim == 2
                and 0 < sample.image.size <= MAX_LINE_PIXELS
            )
            if sample.boxes is not None:
                assert len(sample.boxes) == len(sample.text) and sample.boxes.min() >= 0
                assert (sample.boxes.max(0) <= np.array(sample.image.shape[::-1] * 2)).all()
    return samples


def check_records(read, kind, name):
    """Samples become records, or are refused in one line."""
    part = Part(
        name=name, kind=kind, writer='', partition='', num_bytes=0, read=lambda refuse=None: read(refuse)
    )
    tally = conversion.Tally(skip=True)
    found = conversion.Converter(tally, height_px=64, pen_px=2.0, shortest=1, longest=100).records(part, None)
    records = [record for record in found if record is not None]
    for record in records:
        image = decode_png(record.image)
        assert image.dtype == np.uint8 and 0 < image.shape[0] <= 64 and 0 < image.shape[1]
        assert len(record.character_ids) and record.writer.encode() and record.text.encode()
    return records, tally


def casia_target(suffix, data):
    """A file of CASIA; and good samples before it."""
    name = f'001-x{suffix}'
    file = in_memory(name, data)
    read = lambda refuse: READERS[suffix](file, refuse=refuse)  # noqa: E731
    check_reader(read, name, num_bytes=len(data))
    share = zlib.crc32(data) % 8  # of the inputs, as these cost more than the reading
    if share == 0:
        check_records(read, suffix[1:], name)
    if share > 1:
        return
    kept, _ = skipping(
        lambda refuse: READERS[suffix](in_memory(name, GOOD_FRONT[suffix] + data), refuse=refuse), name
    )
    # Without their texts: of .pot the order of the codes is a vote of all samples.
    assert [as_bytes(sample)[1:] for sample in kept[: len(GOOD[suffix])]] == GOOD[suffix]


def _more(data, offset, layout, number):
    return data[:offset] + struct.pack(layout, number) + data[offset + struct.calcsize(layout) :]


# Whole files that go on: the pages claim lines more than they have.
GOOD_FRONT = {
    '.gnt': WHOLE['.gnt'],
    '.pot': WHOLE['.pot'],
    '.dgrl': _more(WHOLE['.dgrl'], 52, '<i', 3),
    '.dgr': _more(WHOLE['.dgr'], 52, '<i', 2),
    **{
        suffix: WHOLE[suffix].replace(struct.pack('<HHHH', 2, 1, 0, 1), struct.pack('<HHHH', 3, 1, 0, 1))
        for suffix in ('.wptt', '.ptts')
    },
}

GOOD = {
    suffix: [as_bytes(sample)[1:] for sample in READERS[suffix](in_memory('001-x', data))]
    for suffix, data in WHOLE.items()
}


class ZipTarget:
    """An archive on disk, beside a good file, and its members."""

    def __init__(self):
        self._number = 0

    def __call__(self, data):
        folder = pathlib.Path('zip')
        folder.mkdir(exist_ok=True)
        (folder / '000-f.gnt').write_bytes(WHOLE['.gnt'])
        self._number += 1
        path = folder / f'{self._number}.zip'  # archives are kept open by their names
        path.write_bytes(data)
        try:
            files, messages = skipping(lambda refuse: list_files(folder, refuse=refuse), path.name)
            first, *_ = files
            assert first.name == 'zip/000-f.gnt' and len(list(READERS['.gnt'](first))) == 3
            for file in files[1:20]:
                if file.suffix in READERS:
                    check_reader(
                        functools.partial(_read, READERS[file.suffix], file), '.zip', num_bytes=file.size
                    )
                else:
                    attempt(file.read() for _ in [file])
        finally:
            path.unlink()


def _read(reader, file, refuse=None):
    return reader(file, refuse=refuse)


def iam_target(data):
    """The tables of IAM; good rows before and after."""
    for words, good in ((False, LINES), (True, WORDS)):
        name = 'words.txt' if words else 'lines.txt'

        table = in_memory(name, good + data + b'\n' + good)

        def read(refuse, table=table, words=words):
            return iam.read_table(table, words=words, refuse=refuse)

        rows, messages = skipping(read, name)
        strict, error = attempt(read(None))
        assert strict == rows[: len(strict)] and (error is None) == (not messages)
        assert (
            [row.text for row in rows[:2]]
            == [row.text for row in rows[-2:]]
            == (['A', 'MOVE'] if words else ['A MOVE to', 'any more'])
        )
        assert all(0 <= row.grey_level <= 255 for row in rows)
    writers = iam.read_writers(in_memory('forms.txt', data + b'\na01-000u 000 2 prt 7 5 52 36'))
    assert writers['a01-000u'] == '000' and all(writer for writer in writers.values())
    assert set(iam.read_partition([in_memory('testset.txt', data)]).values()) <= {'test'}


def iam_online_target(data):
    """A line of strokes, a form's writer, a transcription."""
    file = in_memory('a01-000u-01.xml', data)

    def read(refuse=None):
        try:
            yield iam_online.read_line(file, text='A MOVE', writer='10008')
        except FormatError as error:
            if refuse is None:
                raise
            refuse(error)

    check_reader(read, file.name, num_bytes=len(data))
    check_records(read, 'iam_online', file.name)
    found, _ = attempt(iam_online.read_form_writer(f) for f in [file])
    assert found in ([], [None]) or isinstance(found[0][1], str)
    attempt(
        iam_online.read_transcription(in_memory('a01-000u.txt', data + after))
        for after in (b'', b'\nCSR:\nA MOVE\n')
    )


def table_target(suffix, data):
    """A table of labels: good rows before and after."""
    good = TABLE if suffix == '.tsv' else JSON
    pathlib.Path(f'labels{suffix}').write_bytes(good + data + b'\n' + good)
    read = lambda refuse: read_folder('.', labels=f'labels{suffix}', refuse=refuse)  # noqa: E731
    messages = []
    try:
        rows = list(read(messages.append))
    except FormatError as error:  # of the whole table
        assert 'no UTF-8' in str(error), error
        return
    strict, error = attempt(read(None))
    assert strict == rows[: len(strict)] and (error is None) == (not messages)
    assert all('\n' not in str(message) and len(str(message)) < 2000 for message in messages)
    assert [row.text for row in rows[:2]] == [row.text for row in rows[-2:]] and len(rows) >= 4
    for row in rows[2:-2]:
        row.writer.encode(), row.text.encode()
        try:
            Charset.load().encode(row.text)
        except CharsetError as refused:
            str(refused).encode()
        try:
            read_image(row.path)
        except OSError as refused:
            str(refused).encode()


def image_target(data):
    """An image file."""
    try:
        image = read_image(io.BytesIO(data), name='x')
    except OSError as error:
        assert str(error).startswith('x: ') and '\n' not in str(error), error
        return
    assert image.dtype == np.uint8 and image.ndim == 2 and 0 < image.size <= MAX_LINE_PIXELS


def lmdb_target(data):
    """Values of a data base, which lmdb itself writes: the number of samples, an image and a label, parted
    by |.
    """
    import lmdb

    count, label, image = (data.split(b'|', 2) + [b'', b''])[:3]
    with (
        lmdb.open('train', map_size=1 << 24, sync=False) as environment,
        environment.begin(write=True) as transaction,
    ):
        for key, value in {
            'num-samples': count,
            'label-000000001': label,
            'image-000000001': image,
            'label-000000002': '天'.encode(),
            'image-000000002': IMAGES[0],
        }.items():
            transaction.put(key.encode(), value) if value else transaction.delete(key.encode())
    read = functools.partial(_read, text_lmdb.read_lmdb, pathlib.Path('train'))
    samples = []
    try:
        samples = list(read(lambda error: None))
    except FormatError as error:
        assert 'num-samples' in str(error)
    attempt(read(None))
    if count == b'2':
        assert samples[-1].text == '天'


def _image_files():
    """Small images of every format and mode that people have."""
    grey = Image.fromarray(foreign.glyph(RNG, 9, 14))
    colour = Image.fromarray(RNG.integers(0, 256, (6, 8, 4)).astype(np.uint8), 'RGBA')
    deep = Image.fromarray(RNG.integers(0, 65536, (5, 7)).astype(np.uint16))
    for image, name, settings in (
        (grey, 'PNG', {}),
        (colour, 'PNG', {}),
        (deep, 'PNG', {}),
        (grey.convert('1'), 'PNG', {}),
        (colour.convert('P'), 'PNG', {}),
        (colour.convert('P'), 'PNG', {'transparency': 3}),
        (grey, 'JPEG', {}),
        (colour.convert('RGB'), 'JPEG', {'progressive': True}),
        (colour.convert('CMYK'), 'JPEG', {}),
        (grey, 'BMP', {}),
        (grey.convert('1'), 'BMP', {}),
        (colour.convert('RGB'), 'GIF', {}),
        (grey, 'TIFF', {}),
        (grey.convert('1'), 'TIFF', {'compression': 'group4'}),
        (colour, 'TIFF', {'compression': 'tiff_lzw'}),
        (deep, 'TIFF', {'compression': 'tiff_adobe_deflate'}),
        (grey.convert('F'), 'TIFF', {}),
        (grey, 'PPM', {}),
        (colour.convert('RGB'), 'PPM', {}),
        (colour, 'WEBP', {'lossless': True}),
        (colour.convert('RGB'), 'WEBP', {}),
        (colour.convert('RGB'), 'JPEG2000', {}),
    ):
        buffer = io.BytesIO()
        image.save(buffer, name, **settings)
        yield buffer.getvalue()


def _archive(how):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', how) as archive:
        archive.writestr('001-f.gnt', WHOLE['.gnt'])
        archive.writestr('in/006-P16.dgrl', WHOLE['.dgrl'])
        archive.writestr('lines.txt', LINES)
    return buffer.getvalue()


IMAGES = list(_image_files())
TARGETS = {
    **{suffix[1:]: functools.partial(casia_target, suffix) for suffix in WHOLE},
    'zip': ZipTarget(),
    'iam': iam_target,
    'iam_online': iam_online_target,
    'tsv': functools.partial(table_target, '.tsv'),
    'jsonl': functools.partial(table_target, '.jsonl'),
    'image': image_target,
    'lmdb': lmdb_target,
}
SEEDS = {
    **{suffix[1:]: [data] for suffix, data in WHOLE.items()},
    'zip': [
        _archive(how)
        for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ],
    'iam': [LINES, WORDS, b'a01-000u 000 2 prt 7 5 52 36\n'],
    'iam_online': [STROKES, FORM, b'OCR:\nA\n\nCSR:\n\nA MOVE\nB\n'],
    'tsv': [TABLE],
    'jsonl': [JSON],
    'image': IMAGES,
    'lmdb': [b'2|\xe5\xa4\xa9|' + IMAGES[0], b'1|x|' + IMAGES[6]],
}
