"""How fast text becomes handwriting, how much memory a long line takes, and what the windows cost.

    python -m benchmarks.writing [--model=saved_models/demo]

Compares the writer with what one would do without it: one call of the model for each line, one padded batch
of all lines, and (the other way to get labelled lines) drawing the same texts with a font and Pillow, --font.
With --served=saved_models/hwgen/1 only the exported version is measured, beside the writer it came from:
called in this process, and through the REST calls, JSON and base64 included but no socket.
"""

import json
import os
import time
from functools import partial

from absl import app, flags

_MODEL = flags.DEFINE_string('model', 'saved_models/demo', 'Folder of a generator.')
_FONT = flags.DEFINE_string(
    'font', None, 'Font file to draw the same lines with, for comparison; default: none.'
)
_SERVED = flags.DEFINE_string(
    'served', None, 'Version folder that bin/export wrote of the model; default: none.'
)
_LINES = flags.DEFINE_integer('lines', 64, 'Lines of each measurement.')
_LONG = flags.DEFINE_integer('long', 10_000, 'Characters of the long line.')


def fastest(function, *, repeats=3):
    """Seconds of the fastest of some calls, after one that warms up."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def peak_memory_mib():
    """Largest resident memory of this process so far, MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def random_texts(charset, *, lines, num_characters):
    """Lines of common hanzi."""
    import numpy as np

    hanzi = np.array(charset.character_set('gb2312-1'))
    drawn = np.random.default_rng(0).choice(hanzi, [lines, num_characters])
    return [''.join(charset.characters[i] for i in row) for row in drawn]


def one_call_each(writer, texts):
    """The model on each line alone, undivided."""
    import numpy as np

    from hwgen.characters import Characters
    from hwgen.inference import styles

    for text in texts:
        encoded = writer.encode(text)
        n = len(encoded.units)

        noise = styles.character_noise(0, 0, n, character_noise_dim=writer.character_noise_dim)
        writer.generator(
            Characters.stack([encoded.characters]), style=writer.styles(0), character_noise=noise[np.newaxis]
        )


def main(argv):
    del argv
    from hwgen.inference.writer import Writer

    writer = Writer.load(_MODEL.value, windows_per_step=1)
    print(
        f'{os.cpu_count()} cores; model {_MODEL.value}, {writer.char_px} px, context of '
        f'{writer.generator.context_characters} characters; load {os.getloadavg()[0]:.1f}; fastest of 3'
    )
    if _SERVED.value:
        measure_served(writer)
        return
    for n in (5, 10, 20, 30):
        texts = random_texts(writer.charset, lines=_LINES.value, num_characters=n)
        report(f'{_LINES.value} lines of {n} characters', fastest(partial(writer.write, texts)), texts)
    texts = random_texts(writer.charset, lines=_LINES.value, num_characters=10)
    report(
        '  the same of 10, one call of the model each, not compiled',
        fastest(lambda: one_call_each(writer, texts)),
        texts,
    )
    eight = Writer(writer.generator, writer.charset, windows_per_step=8)
    report('  the same of 10, eight windows a step', fastest(lambda: eight.write(texts)), texts)
    if _FONT.value:
        report('  the same of 10, drawn with a font', fastest(lambda: draw(texts, writer.char_px)), texts)
    text = random_texts(writer.charset, lines=1, num_characters=1000)
    for window in (8, 16, 32, 64, 128):
        other = Writer(writer.generator, writer.charset, window_characters=window, windows_per_step=1)
        report(f'a line of 1,000, windows of {window}', fastest(partial(other.write, text), repeats=1), text)
    (text,) = random_texts(writer.charset, lines=1, num_characters=_LONG.value)
    before, start = peak_memory_mib(), time.perf_counter()
    for _ in writer.stream(text):
        pass
    report(f'a line of {_LONG.value:,}, streamed', time.perf_counter() - start, [text])
    print(f'  peak memory before {before:.0f} MiB, grown by {peak_memory_mib() - before:.1f} MiB')


def measure_served(writer):
    """Rows of an exported version."""
    import numpy as np

    from hwgen.serving.rest_service import RestService
    from hwgen.serving.saved_version import SavedVersion

    start = time.perf_counter()
    served = SavedVersion(_SERVED.value)
    print(f'{_SERVED.value}, loaded in {time.perf_counter() - start:.1f} s')
    service = RestService('hwgen', {1: served})
    for lines, n in ((1, 1), (1, 10), (1, 100), (8, 10), (64, 10)):
        texts = random_texts(writer.charset, lines=lines, num_characters=n)
        inputs = dict(texts=np.array([text.encode() for text in texts], object), style_seeds=np.arange(lines))
        body = json.dumps(
            {'instances': [{'texts': text, 'style_seeds': seed} for seed, text in enumerate(texts)]}
        ).encode()
        for name, call in (
            ('writer', partial(writer.write, texts, style_seeds=range(lines), truncation=0.8)),
            ('served', partial(served.run, 'serving_default', inputs)),
            ('served, REST', partial(service.answer, 'POST', '/v1/models/hwgen:predict', body)),
        ):
            seconds = fastest(call)
            report(f'{lines} x {n} characters, {name}: {1000 * seconds:.1f} ms', seconds, texts)


def draw(texts, height_px):
    """Texts -> pictures in the shapes of a font."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(_FONT.value, height_px)
    for text in texts:
        image = Image.new('L', (len(text) * height_px, height_px), 255)
        ImageDraw.Draw(image).text((0, 0), text, font=font, fill=0)


def report(name, seconds, texts):
    """One row: lines and characters a second."""
    print(
        f'{name:<62} {len(texts) / seconds:9.1f} lines/s {sum(map(len, texts)) / seconds:9.0f} characters/s',
        flush=True,
    )


if __name__ == '__main__':
    app.run(main)
