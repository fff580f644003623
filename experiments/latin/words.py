"""Latin words that models write: what an independent reader makes of them, and how far they are from
collections of lines.

    python -m experiments.latin.words --data=tfrecords/latin --other=tfrecords/pen runs/scrabblegan [RUN ...]

Words are what stands between spaces. The word error rate counts each word that is not read exactly, capitals
and marks included, as one error. Distances are Fréchet's, in the features of saved_models/features.
"""

import argparse
import json
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from experiments.latin.errors import reading_errors
from hwgen import files
from hwgen.data.reading.shards import RecordIndex
from hwgen.evaluation.judges.feature_space import FeatureSpace, open_space
from hwgen.images import to_cells
from hwgen.metrics.distribution import FeatureStatistics, frechet_distance

_FEATURES = pathlib.Path(__file__).parents[2] / 'saved_models/features'
_SHEET_COLUMNS, _GAP_PX = 8, 6


def measure(arguments: argparse.Namespace) -> list[dict]:
    """The rows of the table: of real lines, then of each model.

    Args:
        arguments: of the command line.

    Returns:
        list of dict: name, num_lines, the figures of `reading_errors`, `distance` to the lines of --data and
        `other_distance` to those of --other.
    """
    from hwgen.evaluation.judges.independent_reader import IndependentReader
    from hwgen.inference.writer import Writer

    cells = {'char_px': arguments.char_px, 'char_width_px': arguments.char_px // 2}
    reader, space = IndependentReader(), open_space('recognizer', str(_FEATURES))
    sides = {'distance': arguments.data, 'other_distance': arguments.other}
    real = {
        (side, split): _lines(folder, split, arguments.num_lines, arguments.seed, cells)
        for side, folder in sides.items()
        if folder
        for split in ('test', 'validation')
    }
    statistics = {place: _statistics(space, images) for place, (_, images) in real.items()}

    def row(name, texts, images, found=None):
        found = found or _statistics(space, images)
        distances = {
            side: frechet_distance(found, statistics[side, 'test']) for side, split in real if split == 'test'
        }
        errors = reading_errors(texts, reader.read(images), seed=arguments.seed)
        print(json.dumps({'name': name, **errors, **distances}), flush=True)
        return {'name': name, **errors, **distances}

    rows = []
    for side, folder in sides.items():
        if folder:
            name, lines = f'real-{pathlib.Path(folder).name}', real[side, 'test']
            # read are the test lines; the distance to them is that of other lines, the validation split's
            rows.append(row(name, *lines, found=statistics[side, 'validation']))
            _save_sheet(arguments, name, lines[1])
    texts = real['distance', 'test'][0]
    seeds = np.random.default_rng([arguments.seed, 1]).integers(2**63, size=len(texts))
    for name in arguments.models:
        model = Writer.load(name, tell=None)
        images = model.write(texts, style_seeds=seeds, truncation=arguments.truncation)
        rows.append(row(name, texts, images))
        _save_sheet(arguments, pathlib.Path(name).name, images)
    return rows


def sheet(images: Sequence[np.ndarray]) -> Image.Image:
    """Lines uint8 [H, W] of one height in rows of eight, each column as wide as the widest line."""
    height, width = images[0].shape[0], max(image.shape[1] for image in images)
    rows = -(-len(images) // _SHEET_COLUMNS)
    page = np.full(
        [rows * (height + _GAP_PX) + _GAP_PX, _SHEET_COLUMNS * (width + _GAP_PX) + _GAP_PX], 255, np.uint8
    )
    for i, image in enumerate(images):
        top = _GAP_PX + i // _SHEET_COLUMNS * (height + _GAP_PX)
        left = _GAP_PX + i % _SHEET_COLUMNS * (width + _GAP_PX)
        page[top : top + height, left : left + image.shape[1]] = image
    return Image.fromarray(page)


def _save_sheet(arguments, name, images):
    if arguments.sheets:
        path = pathlib.Path(arguments.sheets) / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet(images[: arguments.sheet_lines]).save(path)


def _lines(folder, split, num_lines, seed, cells):
    """Texts and lines in cells, drawn by the seed."""
    index = RecordIndex(folder, split=split)
    order = np.random.default_rng([seed, 0]).permutation(len(index))[:num_lines]
    records = [index.read_record(int(i)) for i in order]
    return (
        [record.text for record in records],
        [to_cells(record.image, len(record.character_ids), **cells) for record in records],
    )


def _statistics(space: FeatureSpace, images):
    found = FeatureStatistics()
    found.update(space.measure(images).vectors)
    return found


def main() -> None:
    """Measures what the command line names, and writes --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('models', nargs='*', help='runs of train, or folders of written generators')
    parser.add_argument('--data', default='tfrecords/latin', help='folder of records; its texts are written')
    parser.add_argument('--other', default='', help='folder of records of another collection')
    parser.add_argument('--num_lines', type=int, default=300)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--truncation', type=float, default=0.8)
    parser.add_argument('--char_px', type=int, default=32)
    parser.add_argument('--sheets', default='', help='folder for a picture of lines of each model')
    parser.add_argument('--sheet_lines', type=int, default=48)
    parser.add_argument('--out', default='', help='JSON file of the rows')
    arguments = parser.parse_args()
    rows = measure(arguments)
    if arguments.out:
        files.write_json(pathlib.Path(arguments.out), rows)


if __name__ == '__main__':
    main()
