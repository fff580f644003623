"""How many signs, digits and hanzi of everyday sentences a writer's drawn hands leave legible.

    python -m experiments.writer.signs --models=saved_models/spaced64,OTHER [--lines=96] [--truncation=0.8]

Twelve sentences in turn, each line in a hand of its own (style seeds from --seed on), read by PP-OCRv6
small; of each place of a text it is told whether the reading has it (`hwgen.metrics.text.matched_units`).
Beside them the same sentences by simulated writers that taught nothing: pens and fonts in turn.
"""

import argparse
import collections

import numpy as np

from hwgen import files
from hwgen.charset.reading_form import folded
from hwgen.data.scribe import fonts
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.evaluation.judges.panel import open_reader
from hwgen.inference.picture_files import encode_png
from hwgen.inference.writer import Writer
from hwgen.metrics.text import matched_units
from hwgen.training.sheets import stack_lines

SENTENCES = (
    '他说：“好！你来吗？”',
    '2026年11月21日，天气晴。',
    '一共1100元（11件）；',
    '“真的！”她喊道：“快走！”',
    '电话：13911817161',
    '第1、第2、第11章！',
    '价格3.14%，约210元。',
    '啊！怎么是1点11分？',
    '我们明天上午去图书馆，然后回家。',
    '老师让同学们把作业交上来。',
    '春天来了，花园里开满了鲜花。',
    '这件衣服太贵了，便宜一点吧！',
)
_SIGNS = '！“”：。？、；（）%，.'
_UNSEEN_WRITERS = 3000  # numbers of simulated writers beyond those of any corpus
_SHEET_LINES = 24


def simulated(texts):
    """The texts by simulated writers: list of uint8 [64, W]."""
    known = fonts.default_fonts('chinese', '2.0')
    lines = []
    for number, text in enumerate(texts):
        writer = _UNSEEN_WRITERS + number
        source = PenWriter(0, writer) if number % 2 else FontWriter(0, writer, script='chinese', fonts=known)
        lines.append(source.write_line(text, np.random.default_rng(number), height_px=64).image)
    return lines


def kind(character):
    """signs, digits or hanzi"""
    return 'signs' if character in _SIGNS else 'digits' if character.isdigit() else 'hanzi'


def legible(texts, lines, reader):
    """Counter of what was written and of what was read, by character."""
    written, read = collections.Counter(), collections.Counter()
    for text, reading in zip(texts, reader.read(lines), strict=True):
        for character, found in zip(text, matched_units(folded(text), folded(reading)), strict=True):
            written[character] += 1
            read[character] += bool(found)
    return written, read


def row(name, written, read):
    """A row of the table."""
    shares = []
    for wanted in ('hanzi', 'digits', 'signs'):
        own = [character for character in written if kind(character) == wanted]
        shares.append(f'{sum(read[c] for c in own) / sum(written[c] for c in own):.3f}')
    worst = sorted(written, key=lambda c: read[c] / written[c])[:6]
    return f'| {name} | {" | ".join(shares)} | {" ".join(f"{c} {read[c]}/{written[c]}" for c in worst)} |'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--models', required=True, help='folders of writers, with commas between')
    parser.add_argument('--lines', type=int, default=96)
    parser.add_argument('--seed', type=int, default=1000, help='style seed of the first line')
    parser.add_argument('--truncation', type=float, default=0.8)
    parser.add_argument('--sheet', help='picture of the first lines of the last model')
    options = parser.parse_args()
    texts = [SENTENCES[number % len(SENTENCES)] for number in range(options.lines)]
    reader = open_reader()
    print('| | hanzi | digits | signs | worst, read of written |\n|---|---|---|---|---|')
    print(row('simulated writers', *legible(texts, simulated(texts), reader)), flush=True)
    for model in options.models.split(','):
        lines = Writer.load(model).write(
            texts, style_seeds=range(options.seed, options.seed + len(texts)), truncation=options.truncation
        )
        print(row(model, *legible(texts, lines, reader)), flush=True)
    if options.sheet:
        files.write_file(options.sheet, encode_png(stack_lines(lines[:_SHEET_LINES])))


if __name__ == '__main__':
    main()
