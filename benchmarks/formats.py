"""How fast collections are read, and how fast they become records.

    python -m benchmarks.formats [--characters=3755] [--pages=40] [--files=8] [--workers=1,2]

Writes files in the layouts of CASIA and IAM into a temporary folder, from lines of tfrecords/sample, and
compares each reader with a straightforward loop over the same file (struct.unpack, ElementTree or Pillow, no
checks): in turn, the fastest of three, files in the cache of the system; .gnt also with the loop of Pycasia
0.2, which has a number for each pixel. Then it prepares --files files of characters and --pages pages, and
says how long the whole of CASIA-HWDB would take at that rate. The files are what we write, not the
collections themselves.
"""

import contextlib
import io
import multiprocessing
import os
import pathlib
import resource
import struct
import sys
import tempfile
import threading
import time
import zipfile

import numpy as np
from absl import app, flags

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
# the writers of the layouts, and the loops, are the tests'
sys.path.insert(0, str(CHECKOUT / 'tests' / 'data' / 'formats'))

_CHARACTERS = flags.DEFINE_integer(
    'characters', 3755, 'Characters of a file of isolated ones.', lower_bound=1
)
_PAGES = flags.DEFINE_integer('pages', 40, 'Pages that are read and prepared.', lower_bound=1)
_FILES = flags.DEFINE_integer('files', 8, 'Files of characters that are prepared.', lower_bound=1)
_WORKERS = flags.DEFINE_list('workers', ['1', '2'], 'Processes that prepare, one after the other.')
_SAMPLE = flags.DEFINE_string(
    'sample', str(CHECKOUT / 'tfrecords' / 'sample'), 'Folder of records that characters are taken from.'
)

# CASIA-HWDB: 26 characters a line and 10 lines a page; the median crop of a character is 83 x 66 px.
HWDB1_CHARACTERS, HWDB2_PAGES, HWDB2_LINES = 3_895_135, 5_091, 52_230
LINE_CHARACTERS, PAGE_LINES, CROP_PX = 26, 10, (83, 66)
STROKES, POINTS = 8, 12  # of a pen's character
REPEATS = 3


def characters():
    """Characters of the sample's lines, cut at their boxes: list of (text, uint8 [83, 66])."""
    import cv2

    from hwgen.data.reading.shards import RecordIndex

    index, found = RecordIndex(_SAMPLE.value, split='train'), []
    for i in range(len(index)):
        line = index.read_record(i)
        for text, (x0, y0, x1, y1) in zip(line.text, line.boxes, strict=True):
            crop = line.image[y0:y1, x0:x1]
            if crop.size and _has_code(text):
                found.append((text, cv2.resize(crop, CROP_PX[::-1], interpolation=cv2.INTER_AREA)))
    return found


def _has_code(text):
    try:
        return len(text.encode('gb2312')) == 2
    except UnicodeEncodeError:
        return False


def draw(rng, glyphs, count):
    """Some of the characters: list of (text, image)."""
    return [glyphs[i] for i in rng.integers(0, len(glyphs), count)]


def page_lines(rng, glyphs):
    """The lines of a page: list of (text, image)."""
    lines = [draw(rng, glyphs, LINE_CHARACTERS) for _ in range(PAGE_LINES)]
    return [
        (''.join(text for text, _ in line), np.concatenate([image for _, image in line], axis=1))
        for line in lines
    ]


def pen_strokes(rng, count, *, left=0):
    """Random strokes of a pen: list of int [12, 2]."""
    return list(rng.integers(0, 500, (count, POINTS, 2)) + [left, 0])


def loop_dgr(data):
    """A straightforward reader of .dgr: (text, list of images) of each line."""
    file = io.BytesIO(data)
    (size,) = struct.unpack('<i', file.read(4))
    (code_length,) = struct.unpack('<h', file.read(size - 4)[-4:-2])
    _, _, lines = struct.unpack('<3i', file.read(12))
    for _ in range(lines):
        text, images = '', []
        for _ in range(struct.unpack('<i', file.read(4))[0]):
            text += file.read(code_length).decode('gb18030', 'ignore')
            _, _, height, width = struct.unpack('<4h', file.read(8))
            images.append(np.frombuffer(file.read(height * width), np.uint8).reshape(height, width))
        yield text, images


def loop_gnt_by_numbers(data):
    """.gnt as Pycasia 0.2 reads it: every pixel a Python number, then an image of Pillow's.

    (Pycasia itself does not import any more.)
    """
    from PIL import Image

    file = io.BytesIO(data)
    while length := file.read(4):
        struct.unpack('<I', length)
        code = b''.join(struct.unpack('>cc', file.read(2)))
        (width,) = struct.unpack('<H', file.read(2))
        (height,) = struct.unpack('<H', file.read(2))
        pixels = np.array(struct.unpack(f'{height * width}B', file.read(height * width))).reshape(
            height, width
        )
        yield Image.fromarray(pixels.astype(np.uint8)), code.decode('gb2312')


def loop_iam_online(folder):
    """A straightforward reader of IAM-OnDB: (text, list of strokes)."""
    from xml.etree import ElementTree

    for path in sorted(folder.glob('lineStrokes/*/*/*.xml')):
        form, number = path.stem.rsplit('-', 1)
        rows = (
            (folder / 'ascii' / path.parent.parent.name / path.parent.name / f'{form}.txt')
            .read_text(encoding='latin-1')
            .splitlines()
        )
        strokes = [
            np.array([(int(point.get('x')), int(point.get('y'))) for point in stroke])
            for stroke in ElementTree.parse(path).getroot().iter('Stroke')
        ]
        yield rows[rows.index('CSR:') + 1 + int(number)], strokes


def write_iam_online(folder, *, lines):
    """Lines in the layout of IAM-OnDB, ten a form; returns bytes of the XML."""
    rng, size = np.random.default_rng(3), 0
    for i in range(lines):
        name = f'a{i // 10 % 100:02d}-{i // 1000:03d}u'
        path = folder / 'lineStrokes' / name[:3] / name[:7] / f'{name}-{i % 10 + 1:02d}.xml'
        path.parent.mkdir(parents=True, exist_ok=True)
        strokes = ''.join(
            '<Stroke colour="black">'
            + ''.join(f'<Point x="{x}" y="{y}" time="1.0"/>' for x, y in stroke)
            + '</Stroke>'
            for stroke in pen_strokes(rng, LINE_CHARACTERS)
        )
        path.write_text(
            f'<WhiteboardCaptureSession><StrokeSet>{strokes}</StrokeSet></WhiteboardCaptureSession>',
            encoding='utf-8',
        )
        size += path.stat().st_size
        if i % 10 == 0:
            text = folder / 'ascii' / name[:3] / name[:7] / f'{name}.txt'
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text('CSR:\n\n' + 'a line of words\n' * 10, encoding='utf-8')
    return size


def write_lmdb(folder, images):
    """An LMDB of the images of a folder; returns bytes of the images, or None without the library."""
    try:
        import lmdb
    except ImportError:
        return None
    size = 0
    with (
        lmdb.open(str(folder), map_size=1 << 30) as environment,
        environment.begin(write=True) as transaction,
    ):
        for number, path in enumerate(images, 1):
            data = path.read_bytes()
            transaction.put(b'image-%09d' % number, data)
            transaction.put(b'label-%09d' % number, b'a line of words')
            size += len(data)
        transaction.put(b'num-samples', b'%d' % number)
    return size


def loop_lmdb(folder):
    """A straightforward reader of the LMDB: (text, image)."""
    import lmdb
    from PIL import Image

    with lmdb.open(str(folder), readonly=True, lock=False) as environment, environment.begin() as transaction:
        for number in range(1, int(transaction.get(b'num-samples')) + 1):
            with Image.open(io.BytesIO(transaction.get(b'image-%09d' % number))) as image:
                yield transaction.get(b'label-%09d' % number).decode(), np.array(image.convert('L'))


def loop_iam(folder):
    """A straightforward reader of the lines of IAM: (text, image)."""
    from PIL import Image

    for row in (folder / 'lines.txt').read_text(encoding='utf-8').splitlines():
        fields = row.split(' ')
        form, number = fields[0].rsplit('-', 1)
        with Image.open(folder / 'lines' / form[:3] / form / f'{form}-{number}.png') as image:
            yield fields[8].replace('|', ' '), np.array(image.convert('L'))


def write_iam(folder, glyphs, *, lines):
    """Lines in the layout of IAM; returns bytes of the images."""
    from PIL import Image

    rng, rows, size = np.random.default_rng(1), [], 0
    for i in range(lines):
        name = f'a{i // 10 % 100:02d}-{i // 1000:03d}'
        path = folder / 'lines' / name[:3] / name / f'{name}-{i % 10:02d}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(
            np.concatenate([image for _, image in draw(rng, glyphs, LINE_CHARACTERS)], axis=1)
        ).save(path)
        rows.append(f'{path.stem} ok 200 1 1 1 9 9 a|line|of|words')
        size += path.stat().st_size
    (folder / 'lines.txt').write_text('\n'.join(rows) + '\n', encoding='utf-8')
    return size


def compare(name, ours, loop, *, size):
    """One row: a reader beside the loop; both are exhausted, samples counted."""
    seconds = {ours: [], loop: []}
    for _ in range(REPEATS):
        for read, times in seconds.items():
            start = time.perf_counter()
            samples = sum(1 for _ in read())
            times.append(time.perf_counter() - start)
    rates = [(size / min(times) / 1e6, samples / min(times)) for times in seconds.values()]
    (mb, each), (loop_mb, loop_each) = rates
    print(
        f'{name:<10} {size / 1e6:7.1f} MB {samples:6d} samples: {mb:8.0f} MB/s {each:9.0f} samples/s; '
        f'loop {loop_mb:8.0f} MB/s {loop_each:9.0f} samples/s',
        flush=True,
    )


def time_readers(folder, glyphs):
    """Every reader beside a loop."""
    import foreign_files as foreign

    from hwgen.data.preparing.collection import open_collection

    rng = np.random.default_rng(0)
    drawn = draw(rng, glyphs, _CHARACTERS.value)
    width = CROP_PX[1]

    def dgr_line(top):
        return [
            (text, top, 10 + width * i, image)
            for i, (text, image) in enumerate(draw(rng, glyphs, LINE_CHARACTERS))
        ]

    def wptt_page():
        lines, strokes = [], []
        for text, _ in page_lines(rng, glyphs):
            members = range(len(strokes), len(strokes) + STROKES * len(text))
            strokes += [
                stroke for i in range(len(text)) for stroke in pen_strokes(rng, STROKES, left=600 * i)
            ]
            lines.append((text, list(members)))
        return foreign.wptt_bytes(strokes, lines)

    pages = range(_PAGES.value)
    files = {
        '.gnt': ([foreign.gnt_bytes(drawn)], foreign.plain_gnt),
        '.dgrl': ([foreign.dgrl_bytes(page_lines(rng, glyphs)) for _ in pages], foreign.plain_dgrl),
        '.dgr': (
            [
                foreign.dgr_bytes([dgr_line(100 * n) for n in range(PAGE_LINES)], page=(1200, 2000))
                for _ in pages
            ],
            loop_dgr,
        ),
        '.pot': (
            [b''.join(foreign.pot_bytes([(text, pen_strokes(rng, STROKES))]) for text, _ in drawn)],
            foreign.plain_pot,
        ),
        '.wptt': ([wptt_page() for _ in pages], foreign.plain_wptt),
    }

    def compare_readers(suffix, contents, loop):
        on_disk = [
            foreign.on_disk(f'{i:03d}-x{suffix}', data, folder / suffix[1:])
            for i, data in enumerate(contents)
        ]
        compare(
            suffix,
            lambda: (s for file in on_disk for s in foreign.READERS[suffix](file)),
            lambda: (s for file in on_disk for s in loop(file.path.read_bytes())),
            size=sum(map(len, contents)),
        )
        if suffix == '.gnt':
            compare(
                'as Pycasia',
                lambda: foreign.READERS['.gnt'](on_disk[0]),
                lambda: loop_gnt_by_numbers(contents[0]),
                size=len(contents[0]),
            )
            packed = folder / '001-f.zip'
            with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
                archive.writestr('001-f.gnt', contents[0])
            compare(
                '.gnt, .zip',
                lambda: (s for part in open_collection(packed) for s in part.read()),
                lambda: foreign.plain_gnt(zipfile.ZipFile(packed).read('001-f.gnt')),
                size=len(contents[0]),
            )

    for suffix, (contents, loop) in files.items():
        compare_readers(suffix, contents, loop)

    def collection(path, source):
        return lambda: (s for part in open_collection(path, source=source) for s in part.read(refuse=None))

    lines = PAGE_LINES * _PAGES.value
    iam, online, data_base = folder / 'iam', folder / 'online', folder / 'lmdb'
    size = write_iam(iam, glyphs, lines=lines)
    compare('iam lines', collection(iam, 'iam'), lambda: loop_iam(iam), size=size)
    compare(
        'iam_online',
        collection(online, 'iam_online'),
        lambda: loop_iam_online(online),
        size=write_iam_online(online, lines=lines),
    )
    size = write_lmdb(data_base, sorted(iam.glob('lines/*/*/*.png')))
    if size is None:
        print('lmdb: the package is not installed')
    else:
        compare('lmdb', collection(data_base, 'lmdb'), lambda: loop_lmdb(data_base), size=size)


def time_prepare(folder, glyphs):
    """From files to records, and how long all of HWDB would take."""
    import foreign_files as foreign

    from hwgen.data.preparing.prepare_collection import prepare_collection
    from hwgen.settings.prepare import InputSettings, OutputSettings

    rng = np.random.default_rng(2)
    for i in range(_FILES.value):
        foreign.on_disk(
            f'{i + 1:03d}-f.gnt', foreign.gnt_bytes(draw(rng, glyphs, _CHARACTERS.value)), folder / 'HWDB1'
        )
    for i in range(_PAGES.value):
        foreign.on_disk(
            f'{i + 1:03d}-P16.dgrl', foreign.dgrl_bytes(page_lines(rng, glyphs)), folder / 'HWDB2'
        )
    import tensorflow as tf

    tf.io.TFRecordWriter(str(folder / 'first')).close()  # what only the first one pays for
    whole = {
        'HWDB1': (HWDB1_CHARACTERS, f'{HWDB1_CHARACTERS:,} characters'),
        'HWDB2': (HWDB2_LINES, f'{HWDB2_PAGES:,} pages, {HWDB2_LINES:,} lines'),
    }
    for name, (total, words) in whole.items():
        for workers in map(int, _WORKERS.value):
            start = time.perf_counter()
            with watched_memory() as peak:
                info = prepare_collection(
                    OutputSettings(source='auto', out=str(folder / f'{name}-{workers}'), workers=workers),
                    InputSettings(input=str(folder / name)),
                    report=lambda line: None,
                )
            seconds, samples = time.perf_counter() - start, sum(c['records'] for c in info['splits'].values())
            print(
                f'prepare {name}, {workers} worker(s): {samples} samples in {seconds:.1f} s, their start'
                f' included, {samples / seconds:.0f} samples/s; {words} would take'
                f' {total * seconds / samples / 60:.0f} min; peak memory of all processes {peak[0]:.0f} MiB',
                flush=True,
            )


@contextlib.contextmanager
def watched_memory():
    """Samples the resident memory of this process and its workers, ten times a second; gives a list with
    the largest sum, MiB.
    """
    peak, done = [0.0], threading.Event()

    def watch():
        while not done.wait(0.1):
            pids = [os.getpid(), *(process.pid for process in multiprocessing.active_children())]
            peak[0] = max(peak[0], sum(map(resident_mib, pids)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def resident_mib(pid):
    """Resident memory of a process, MiB; 0 where it has ended (Linux)."""
    try:
        return int(pathlib.Path(f'/proc/{pid}/statm').read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return 0.0


def main(argv):
    del argv
    glyphs = characters()
    print(
        f'{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {len(glyphs)} different characters of'
        f' {CROP_PX[0]} x {CROP_PX[1]} px; fastest of {REPEATS}'
    )
    with tempfile.TemporaryDirectory() as name:
        time_readers(pathlib.Path(name), glyphs)
        time_prepare(pathlib.Path(name), glyphs)


if __name__ == '__main__':
    app.run(main)
