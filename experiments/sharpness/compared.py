"""Ways to enlarge lines, held against lines that were drawn large.

  prepare --out=tfrecords/fine ...   # as `enlarger.py` has it
  python -m experiments.sharpness.compared --data=tfrecords/fine --weights=saved_models/enlarger \
      --model=spaced64 --out=sharpness.md

Each line of a split is brought from 256 px to the height of a model (mean over areas), and from there to 128
and 256 px by each way; what it should be is the line itself, at 128 px its mean over areas. With --model the
texts are also written by it in drawn hands; with --reader the CER of PP-OCR is taken of lines that it wrote.
"""

import argparse

import numpy as np

from hwgen import files
from hwgen.data.reading.shards import RecordIndex
from hwgen.images import to_height
from hwgen.inference.enlargement import Enlarger
from hwgen.inference.picture_files import encode_png, stack
from hwgen.metrics.sharpness import line_edges
from hwgen.metrics.text import character_error_rate, edit_counts

_SHEET_PX = 900  # in width, at most


def cubic(image, height_px):
    """By cubic interpolation: uint8 [H, W] -> uint8 [height_px, W']."""
    return _interpolated(image, height_px, 'INTER_CUBIC')


def lanczos(image, height_px):
    """By Lanczos' kernel of 8 x 8 pixels."""
    return _interpolated(image, height_px, 'INTER_LANCZOS4')


def steepened(image, height_px):
    """Cubic, and the grey levels between paper and the line's darkness pushed to either end (smoothstep)."""
    return _steepened(image, height_px, 1)


def steepened_twice(image, height_px):
    """The same, pushed twice."""
    return _steepened(image, height_px, 2)


def unsharp(image, height_px):
    """Cubic, and once more what a blur of half a small pixel takes away (unsharp mask)."""
    import cv2

    large = cubic(image, height_px).astype(np.float32)
    soft = cv2.GaussianBlur(large, (0, 0), 0.5 * height_px / image.shape[0])
    return np.clip(np.rint(2 * large - soft), 0, 255).astype(np.uint8)


def _interpolated(image, height_px, how):
    import cv2

    width = max(1, round(image.shape[1] * height_px / image.shape[0]))
    return cv2.resize(image, (width, height_px), interpolation=getattr(cv2, how))


def _steepened(image, height_px, times):
    ink = 1 - cubic(image, height_px) / 255
    dark = max(np.percentile(ink, 97), 0.05)
    share = np.clip(ink / dark, 0, 1)
    for _ in range(times):
        share = share * share * (3 - 2 * share)
    ink = np.where(ink < dark, share * dark, ink)
    return np.rint(255 * (1 - ink)).astype(np.uint8)


def ways(enlarger):
    """Name -> function of an image and a height."""
    simple = (cubic, lanczos, unsharp, steepened, steepened_twice)
    return {way.__name__: way for way in simple} | {'learned': enlarger.enlarge}


def against_truth(lines, named, *, from_px, to_px):
    """Each way's error, sharpness and steepness against lines drawn large.

    Args:
        lines: list of uint8 [256, W].
        named: of `ways`.
        from_px, to_px: int.

    Returns:
        dict name -> error in grey levels, sharpness over that of the lines, gradient over theirs; and the
        lines' own sharpness.
    """
    wanted = [to_height(line, to_px) for line in lines]
    small = [to_height(line, from_px) for line in lines]
    own = [line_edges(line) for line in wanted]
    found = {}
    for name, way in named.items():
        errors, edges = [], []
        for image, line in zip(small, wanted, strict=True):
            large = way(image, to_px)
            width = min(large.shape[1], line.shape[1])
            errors.append(np.abs(large[:, :width].astype(float) - line[:, :width]).mean())
            edges.append(line_edges(large))
        found[name] = (
            float(np.mean(errors)),
            *(_mean(edges, what) / _mean(own, what) for what in ('sharpness', 'gradient', 'darkness')),
        )
    return found, _mean(own, 'sharpness')


def _mean(edges, what):
    return float(np.mean([getattr(edge, what) for edge in edges]))


def parse(arguments=None):
    """The arguments of the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--data', required=True, help='Records of 256 px.')
    parser.add_argument('--split', default='test', help='Its split: writers that taught nothing.')
    parser.add_argument('--num_lines', type=int, default=100, help='Lines.')
    parser.add_argument('--weights', help='Folder of an enlarger; default: the one that ships.')
    parser.add_argument('--model', help='A writer.')
    parser.add_argument('--from_px', type=int, nargs='+', default=[64, 32], help='Heights to begin with.')
    parser.add_argument('--to_px', type=int, nargs='+', default=[128, 256], help='Heights to end with.')
    parser.add_argument('--reader', action='store_true', help='Read what --model writes.')
    parser.add_argument('--seed', type=int, default=3, help='Hands of --model.')
    parser.add_argument('--out', required=True, help='Page of tables to write.')
    parser.add_argument('--sheet', help='Picture to write: of two lines.')
    return parser.parse_args(arguments)


def sheet(lines, named):
    """Lines drawn at 256 px, and below each what comes of its 64 and 32 px: uint8 [H, W]."""
    rows = []
    for line in lines:
        small, smaller = to_height(line, 64), to_height(line, 32)
        rows += [
            line,
            named['cubic'](small, 256),
            named['learned'](small, 256),
            named['learned'](smaller, 256),
        ]
    return stack([row[:, :_SHEET_PX] for row in rows], gap=0.1)


def main(given):
    """Measures, and writes the page."""
    index = RecordIndex(given.data, split=given.split)
    records = [index.read_record(i) for i in range(min(given.num_lines, len(index)))]
    lines = [record.image for record in records]
    named = ways(Enlarger.load(given.weights))
    page = []
    for from_px in given.from_px:
        for to_px in given.to_px:
            found, own = against_truth(lines, named, from_px=from_px, to_px=to_px)
            page.append(
                f'\n{len(lines)} lines, {from_px} to {to_px} px; their own sharpness {own:.3f}\n\n'
                '| way | error, grey levels | sharpness, share | gradient, share | darkness, share |\n'
                '|---|---|---|---|---|'
            )
            page += [
                f'| {name} | {error:.2f} | {sharp:.3f} | {steep:.3f} | {dark:.3f} |'
                for name, (error, sharp, steep, dark) in found.items()
            ]
    if given.model:
        page += written(records, named, given)
    if given.sheet:
        files.write_file(given.sheet, encode_png(sheet(lines[:2], named)), replace=True)
    files.write_file(given.out, '\n'.join(page).strip().encode() + b'\n', replace=True)
    print('\n'.join(page))


def written(records, named, given):
    """Rows of a table: lines that a model writes, enlarged by each way."""
    from hwgen.inference.writer import Writer

    writer = Writer.load(given.model, tell=None)
    texts = [record.text for record in records if writer.can_write(writer.charset.encode(record.text)).all()]
    drawn = writer.write(texts, style_seeds=given.seed + np.arange(len(texts)))
    page = []
    for to_px in given.to_px:
        own = [line_edges(to_height(record.image, to_px)) for record in records]
        page.append(
            f'\n{len(drawn)} lines that {given.model} wrote in drawn hands, {writer.char_px} to {to_px} px;'
            f' shares of the corpus\n\n'
            f'| way | sharpness, share | gradient, share |{" CER |" * given.reader}\n'
            f'|---|---|---|{"---|" * given.reader}'
        )
        for name, way in {'as written': None, **named}.items():
            large = [image if way is None else way(image, to_px) for image in drawn]
            edges = [line_edges(image) for image in large]
            shares = [
                '' if way is None else f'{_mean(edges, what) / _mean(own, what):.3f}'
                for what in ('sharpness', 'gradient')
            ]
            page.append(f'| {name} | {" | ".join(shares)} |' + (_read(large, texts) if given.reader else ''))
    return page


def _read(images, texts):
    from hwgen.charset.reading_form import folded
    from hwgen.evaluation.judges.independent_reader import IndependentReader

    read = IndependentReader().read(images)
    rate = character_error_rate(edit_counts([*map(folded, texts)], [*map(folded, read)]))
    return f' {rate:.3f} |'


if __name__ == '__main__':
    main(parse())
