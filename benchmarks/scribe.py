"""How fast simulated writers write, and in which ranges their writing lies.

    python -m benchmarks.scribe [--lines=2000] [--characters=10] [--processes=2] [--height_px=64]

Pens, fonts and the default mixture, beside the other ways to get labelled lines without scans: drawing the
same texts with a font and Pillow, all alike, and Handright (pip install --no-deps "handright>=8.2,<8.3"; left
out where it is not installed). The last part measures the corpus as docs/scribe.md states it.
"""

import multiprocessing
import os
import time

from absl import app, flags

_LINES = flags.DEFINE_integer('lines', 2000, 'Lines of each measurement.')
_CHARACTERS = flags.DEFINE_integer('characters', 10, 'Characters of a line.')
_HEIGHT = flags.DEFINE_integer('height_px', 64, 'Height of a line, pixels.')
_PROCESSES = flags.DEFINE_integer('processes', 2, 'Processes that write.')
_MEASURED = flags.DEFINE_integer('measured', 1000, 'Lines whose ranges are measured; 0: none.')

_HANDRIGHT_LINES = 200  # it takes a tenth of a second for each
_plan = None


# name -> settings of the corpus.
_KINDS = {
    'pens': {'pen_share': 1.0},
    'fonts': {'pen_share': 0.0},
    'mixture': {},
    'version 1.1': {'version': '1.1'},
    'latin': {'script': 'latin'},
}


def plan_lines(kind='mixture'):
    """The plan of the lines that are drawn."""
    from hwgen.data.scribe.corpus import plan_corpus

    return plan_corpus(
        lines=_LINES.value,
        min_characters=_CHARACTERS.value,
        max_characters=_CHARACTERS.value,
        height_px=_HEIGHT.value,
        unseen_lines=0,
        **_KINDS[kind],
    )


def start(plan):
    """Makes a process ready to write."""
    import cv2

    global _plan
    cv2.setNumThreads(1)
    _plan = plan


def write(i):
    """Line i; returns its width, px."""
    return _plan.line('train', i).image.shape[1]


def time_processes(plan, processes):
    """Seconds of a first pass, which meets most characters for the first time, and of a second one;
    starting the processes left out.
    """
    # Processes of their own also where there is one: none finds what another has kept.
    with multiprocessing.get_context('spawn').Pool(processes, start, (plan,)) as pool:
        pool.map(abs, range(processes * 4), chunksize=1)
        seconds = []
        for _ in range(2):
            begin = time.perf_counter()
            pool.map(write, range(_LINES.value), chunksize=8)
            seconds.append(time.perf_counter() - begin)
    return seconds


def time_pillow(plan):
    """Seconds of CPU in which one process draws the same texts with Pillow, without any variation."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    from hwgen.data.scribe.fonts import open_font

    texts = [plan.line('train', i).text for i in range(_LINES.value)]
    font = ImageFont.truetype(str(open_font('lxgw-wenkai').path), _HEIGHT.value * 7 // 8)
    begin = time.process_time()
    for text in texts:
        left, _, right, _ = font.getbbox(text)
        image = Image.new('L', (int(right - left) + 8, _HEIGHT.value), 255)
        ImageDraw.Draw(image).text((4 - left, 0), text, font=font, fill=0)
        np.asarray(image)
    return time.process_time() - begin


def time_handright(plan):
    """Seconds of CPU in which one process has Handright write the same texts, ms a line; None where it is
    not installed.
    """
    from hwgen.evaluation.systems.font_simulator import FontSimulator, SimulatorUnavailableError

    texts = [plan.line('train', i).text for i in range(min(_LINES.value, _HANDRIGHT_LINES))]
    try:
        simulator = FontSimulator()
    except SimulatorUnavailableError as error:
        print(error)
        return None
    able = []
    for text in texts:  # rare symbols are in none of its fonts
        try:
            simulator.write([text], style_seeds=[0])
            able.append(text)
        except ValueError:
            continue
    begin = time.process_time()
    for seed, text in enumerate(able):
        simulator.write([text], style_seeds=[seed])
    return (time.process_time() - begin) / len(able) * 1e3


def time_one(plan):
    """Seconds of CPU in which this process writes the lines, all characters met before."""
    start(plan)
    for _ in range(2):
        begin = time.process_time()
        for i in range(_LINES.value):
            write(i)
        seconds = time.process_time() - begin
    return seconds


def measure(plan, *, lines):
    """Ranges of hanzi in lines of 64 px.

    Returns:
        dict str -> list of float.
    """
    import numpy as np

    from hwgen.data.scribe import glyphs

    found = {
        name: []
        for name in (
            'ink fraction of a crop',
            'stroke width, px',
            'stroke width / character height',
            'grey level of ink',
            'height, px',
            'width, px',
            'width of a line / (height x characters)',
            'gap to the next hanzi, px',
        )
    }
    for i in range(lines):
        record = plan.line('train', i)
        # composed texts hold no sequences
        hanzi = ['\u4e00' <= character <= '\u9fff' for character in record.text]
        found['width of a line / (height x characters)'].append(
            record.image.shape[1] / record.image.shape[0] / len(record.boxes)
        )
        for n, (x0, y0, x1, y1) in enumerate(record.boxes):
            if not hanzi[n]:
                continue
            crop = np.pad(record.image[y0:y1, x0:x1], 1, constant_values=255)
            ink = crop < (255.0 + crop.min()) / 2
            width = ink.sum() / max(1, glyphs.thin(ink).sum())
            for name, value in (
                ('ink fraction of a crop', ink[1:-1, 1:-1].mean()),
                ('stroke width, px', width),
                ('stroke width / character height', width / (y1 - y0)),
                ('grey level of ink', crop[ink].mean()),
                ('height, px', y1 - y0),
                ('width, px', x1 - x0),
            ):
                found[name].append(value)
            if n + 1 < len(hanzi) and hanzi[n + 1]:
                found['gap to the next hanzi, px'].append(record.boxes[n + 1][0] - x1)
    return found


def main(argv):
    del argv
    import numpy as np

    from hwgen.data.scribe.corpus import SCRIBE_VERSION, plan_corpus

    print(
        f'scribe {SCRIBE_VERSION}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {_LINES.value} lines'
        f' of {_CHARACTERS.value} characters, {_HEIGHT.value} px',
        flush=True,
    )
    for kind, processes in (('pens', 1), *((kind, _PROCESSES.value) for kind in _KINDS)):
        first, second = time_processes(plan_lines(kind), processes)
        print(
            f'{kind}, {processes} process{"es" if processes > 1 else ""}: {_LINES.value / first:.0f} lines/s'
            f' while characters are new, {_LINES.value / second:.0f} lines/s then',
            flush=True,
        )
    # On a busy machine the clock measures the others; ratios are of CPU time.
    plan = plan_lines()
    ours = {
        kind: time_one(plan_lines(kind)) / _LINES.value * 1e3 for kind in ('pens', 'mixture', 'version 1.1')
    }
    print('CPU time a line: ' + ', '.join(f'{kind} {ms:.2f} ms' for kind, ms in ours.items()), flush=True)
    for other, ms in (
        ('Pillow, every copy of a character equal', time_pillow(plan) / _LINES.value * 1e3),
        ('Handright', time_handright(plan)),
    ):
        if ms is not None:
            print(f'{other}: {ms:.2f} ms; pens take {ours["pens"] / ms:.2f} of it', flush=True)
    if _MEASURED.value:
        found = measure(plan_corpus(lines=_MEASURED.value), lines=_MEASURED.value)
        print(
            f'\n| {"hanzi of " + str(_MEASURED.value) + " lines":<40} |     5 % |    25 % |    50 % |    75 %'
            ' |    95 % |\n|---|---|---|---|---|---|'
        )
        for name, values in found.items():
            print(
                f'| {name:<40} | '
                + ' | '.join(f'{q:7.2f}' for q in np.percentile(values, [5, 25, 50, 75, 95]))
                + ' |'
            )
        gaps = np.array(found['gap to the next hanzi, px'])
        print(f'{np.mean(gaps <= 0):.1%} of {len(gaps)} neighbours touch or overlap')


if __name__ == '__main__':
    app.run(main)
