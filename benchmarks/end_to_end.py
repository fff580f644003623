"""From collections as they are downloaded to trained models, by the commands that a user types; nothing may
be lost or invented on the way.

    python -m benchmarks.end_to_end --out=FOLDER [--source=tfrecords/demo] [--pages=2200] [--words=2000]
    [--steps=150]

Writes handwriting of the scribe (the corpus that `bin/train` begins with) as CASIA-HWDB2.x pages (.dgrl;
training pages in a .zip, one in eleven as test pages in a folder), CASIA-HWDB1.x characters (.gnt) and words
of IAM; prepares each with `bin/prepare`, holds every text, writer, split and image against what was written,
trains the three presets for --steps steps of each phase and writes a line with each model. Prints counts,
time and memory; look at the sheets that it names.
"""

import collections
import io
import os
import pathlib
import re
import subprocess
import sys
import time
import zipfile
import zlib

import numpy as np
from absl import app, flags
from PIL import Image

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / 'tests' / 'data' / 'formats'))  # the writers of the layouts are the tests'
PAGE_LINES, FIRST_PAGE, PARTS = 10, 16, 2  # a line is so many lines of the scribe beside each other
CHARACTER_LINES = 30  # lines of the scribe of each writer, cut into characters
TEST_WRITERS = 11  # one writer of so many is for testing


def define_flags():
    """The flags of the command; the tests call its functions without them."""
    flags.DEFINE_string('out', None, 'Folder to write.', required=True)
    flags.DEFINE_string(
        'source', str(CHECKOUT / 'tfrecords' / 'demo'), 'Folder of records whose lines are used.'
    )
    flags.DEFINE_integer('pages', 2200, 'Pages of text.', lower_bound=22)
    flags.DEFINE_integer('words', 2000, 'Words of the IAM-like folder.', lower_bound=20)
    flags.DEFINE_integer('steps', 150, 'Steps of each phase.', lower_bound=1)


def by_writer(folder, most):
    """Training lines by writer: dict {str: list of LineRecord}, without those that GBK cannot write; at
    most `most` lines.
    """
    from hwgen.data.reading.shards import RecordIndex

    found, index = {}, RecordIndex(folder, split='train')
    for i in range(min(most, len(index))):
        record = index.read_record(i)
        try:
            record.text.encode('gbk')
        except UnicodeEncodeError:
            continue
        found.setdefault(record.writer, []).append(record)
    return found


def digest(image):
    """A number that stands for an image."""
    return zlib.crc32(np.ascontiguousarray(image)), image.shape


def write_casia(folder, source, *, pages):
    """HWDB2 and HWDB1 of the lines of a folder of records.

    Args:
        folder: pathlib.Path to write `HWDB2` and `HWDB1` into.
        source: path of the records, with boxes, images of 64 px.
        pages: int, about how many.

    Returns:
        dict {'HWDB2' | 'HWDB1': Counter of (is test, writer, text, digest of the image or None)}, number of
        pages.
    """
    import foreign_files as foreign

    expected, written = {name: collections.Counter() for name in ('HWDB2', 'HWDB1')}, 0
    archives = {}
    for name, kind in (('HWDB2', 'HWDB2.0'), ('HWDB1', 'Gnt1.0')):
        (folder / name / f'{kind}Test').mkdir(parents=True, exist_ok=True)
        archives[name, False] = zipfile.ZipFile(folder / name / f'{kind}Train.zip', 'w', zipfile.ZIP_DEFLATED)
        archives[name, True] = folder / name / f'{kind}Test'

    def put(name, test, file, data):
        (
            archives[name, test].joinpath(file).write_bytes(data)
            if test
            else archives[name, test].writestr(file, data)
        )

    for number, lines in enumerate(by_writer(source, pages * PAGE_LINES * PARTS).values(), 1):
        writer, test = f'{number:03d}', number % TEST_WRITERS == 0
        joined = [
            (''.join(line.text for line in parts), np.concatenate([line.image for line in parts], axis=1))
            for parts in (lines[i : i + PARTS] for i in range(0, len(lines), PARTS))
        ]
        for start in range(0, len(joined), PAGE_LINES):
            page = joined[start : start + PAGE_LINES]
            put(
                'HWDB2',
                test,
                f'{writer}-P{FIRST_PAGE + start // PAGE_LINES:02d}.dgrl',
                foreign.dgrl_bytes(page),
            )
            expected['HWDB2'].update((test, writer, text, digest(image)) for text, image in page)
            written += 1
        crops = [
            (text, np.ascontiguousarray(line.image[y0:y1, x0:x1]))
            for line in lines[:CHARACTER_LINES]
            for text, (x0, y0, x1, y1) in zip(line.text, np.clip(line.boxes, 0, None), strict=True)
        ]
        crops = [(text, image) for text, image in crops if image.size]
        put('HWDB1', test, f'{writer}-f.gnt', foreign.gnt_bytes(crops))
        expected['HWDB1'].update((test, writer, text, None) for text, _ in crops)
    for archive in archives.values():
        if isinstance(archive, zipfile.ZipFile):
            archive.close()
    return expected, written


def write_iam(folder, source, *, words):
    """Words of IAM: words.txt, forms.txt and the images; the Counter as `write_casia`'s."""
    expected, rows, forms, seen = collections.Counter(), [], [], collections.Counter()
    for number, lines in enumerate(by_writer(source, words).values()):
        for word in lines:
            form = f'{chr(97 + number // 100)}{number % 100:02d}-{seen[number] // 100:03d}'
            if seen[number] % 100 == 0:
                forms.append(f'{form} {number:03d} 2 prt 7 5 52 36\n')
            name = f'{form}-{seen[number] // 10 % 10:02d}-{seen[number] % 10:02d}'
            seen[number] += 1
            data = io.BytesIO()
            Image.fromarray(word.image).save(data, 'PNG')
            path = folder / 'words' / form[:3] / form / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.getvalue())
            rows.append(f'{name} ok 255 1 1 9 9 NN {word.text}\n')
            expected[(False, f'{number:03d}', word.text.replace('|', ' ').strip(), digest(word.image))] += 1
    (folder / 'words.txt').write_text('# words of the scribe\n' + ''.join(rows), encoding='utf-8')
    (folder / 'forms.txt').write_text(''.join(forms), encoding='utf-8')
    return expected


def hold_against(out, expected):
    """Raises AssertionError where a prepared folder has another sample than was written, or one more or less.

    Args:
        out: path of the folder of records.
        expected: Counter, see `write_casia`. A split that is drawn is compared with the training samples.

    Returns:
        dict {split: number of records}.
    """
    from hwgen.data.reading import shards

    found, counts = collections.Counter(), {}
    official = any(test for test, *_ in expected)
    with_images = next(iter(expected))[-1] is not None
    for split in shards.read_info(out)['splits']:
        index = shards.RecordIndex(out, split=split)
        counts[split] = len(index)
        for i in range(len(index)):
            record = index.read_record(i)
            assert len(record.character_ids) and record.image.shape[0] <= 64, (split, i, record.text)
            found[
                (
                    official and split == 'test',
                    record.writer,
                    record.text,
                    digest(record.image) if with_images else None,
                )
            ] += 1
    lost, invented = expected - found, found - expected
    assert not lost and not invented, (
        f'{out}: lost {sum(lost.values())}, for example {list(lost)[:3]}; invented {sum(invented.values())}, '
        f'for example {list(invented)[:3]}'
    )
    return counts


def command(folder, *arguments):
    """Runs `hwgen ARGUMENTS` in a folder; returns (what it said, seconds, peak memory of its process, MiB).

    Linux.
    """
    start, peak = time.perf_counter(), 0.0
    with subprocess.Popen(
        [sys.executable, '-P', '-m', 'hwgen.cli', *map(str, arguments)],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
    ) as process:
        while True:
            # Not getrusage: a child's peak there begins with the memory of the process that starts it.
            status = pathlib.Path(f'/proc/{process.pid}/status').read_text(encoding='ascii')
            peak = max([peak, *(int(kib) / 1024 for kib in re.findall(r'VmHWM:\s+(\d+)', status))])
            try:
                said, errors = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                continue
    assert process.returncode == 0, errors
    return said, time.perf_counter() - start, peak


def main(argv):
    del argv
    from hwgen.data.preparing.prepare import prepare_scribe

    values = flags.FLAGS
    root = pathlib.Path(values.out).resolve()
    root.mkdir(parents=True, exist_ok=True)
    prepare_scribe(
        root / 'latin',
        lines=values.words,
        test_lines=1,
        validation_lines=1,
        script='latin',
        min_characters=2,
        max_characters=10,
        report=lambda line: print(f'  {line}', flush=True),
    )
    expected, pages = write_casia(root, values.source, pages=values.pages)
    expected['iam'] = write_iam(root / 'iam', root / 'latin', words=values.words)
    print(
        f'{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {pages} pages; samples '
        + ', '.join(f'{name} {sum(found.values())}' for name, found in expected.items()),
        flush=True,
    )
    steps = [
        f'--recognizer_steps={values.steps}',
        f'--reconstruction_steps={values.steps}',
        '--log_every=25',
        f'--sample_every={values.steps}',
    ]
    plans = {
        'HWDB1': ('casia-hwdb1', ['--source=casia'], 'casia_characters', steps, '天地玄黄'),
        'HWDB2': (
            'casia-hwdb2',
            ['--source=casia'],
            'casia',
            [*steps, '--init_from=runs/casia-characters', '--growing_steps=50'],
            '天地玄黄',
        ),
        'iam': (
            'iam-words',
            ['--source=iam', '--unit=words'],
            'scrabblegan_iam',
            [f'--adversarial_steps={values.steps}', *steps[2:]],
            'Words',
        ),
    }
    for name, (out, how, preset, extra, text) in plans.items():
        _, seconds, memory = command(
            root, 'prepare', f'--input={name}', f'--out=tfrecords/{out}', '--on_error=skip', *how
        )
        records = hold_against(root / 'tfrecords' / out, expected[name])
        print(
            f'{name}: prepared {records} in {seconds:.0f} s, all as written; memory {memory:.0f} MiB; see'
            f' {root}/tfrecords/{out}/sheet.png',
            flush=True,
        )
        said, seconds, memory = command(root, 'train', f'--flagfile={CHECKOUT}/{preset}.flags', *extra)
        print('\n'.join(f'  {row}' for row in said.splitlines()[-14:]))
        run = next(
            row.partition('=')[2]
            for row in (CHECKOUT / f'{preset}.flags').read_text(encoding='utf-8').splitlines()
            if row.startswith('--run_dir=')
        )
        command(root, 'generate', f'--model={run}', f'--text={text}', f'--out={name}.png')
        print(
            f'{name}: {preset}.flags trained in {seconds:.0f} s, memory {memory:.0f} MiB; see'
            f' {root}/{run}/samples and {root}/{name}.png',
            flush=True,
        )


if __name__ == '__main__':
    define_flags()
    app.run(main)
