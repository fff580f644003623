"""Lines parted without boxes, held against their true boxes.

    python -m experiments.corpus.parting --data=FOLDER [--lines=300] [--seed=0]

FOLDER: records of the embedded corpus. Each line is parted in equal parts, by its ink with the number of its
characters, and by its ink with its text; a cut is right when it is within 4 px (of a height of 64) of where
the true boxes part the line. Mixed lines have hanzi and others.
"""

import argparse

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.charset.widths import expected_room
from hwgen.data.reading.shards import RecordIndex, read_info
from hwgen.spacing import part_line

_NEAR, _BAD = 4 / 64, 0.5
WAYS = {
    'in equal parts': lambda image, units: np.linspace(0, image.shape[1], len(units) + 1),
    'by ink': lambda image, units: part_line(image, len(units)),
    'by ink and text': lambda image, units: part_line(image, len(units), room=expected_room(units)),
}


def held_against(edges, truth, height):
    """What a parting is worth.

    Args:
        edges, truth: float [N + 1], px.
        height: of the line, px.

    Returns:
        (bool [N - 1], whether each cut is near the true one; float [N], IoU of each part with its own).
    """
    near = np.abs(edges - truth)[1:-1] <= _NEAR * height
    shared = np.minimum(edges[1:], truth[1:]) - np.maximum(edges[:-1], truth[:-1])
    both = np.maximum(edges[1:], truth[1:]) - np.minimum(edges[:-1], truth[:-1])
    return near, np.maximum(shared, 0) / both


def is_mixed(units):
    """Whether a line has hanzi and others."""
    hanzi = [len(unit) > 1 or '\u3400' <= unit <= '\u9fff' or unit > '\uffff' for unit in units]
    return any(hanzi) and not all(hanzi)


def measure(index, *, lines, seed):
    """Parts lines of two characters and more.

    Args:
        index: RecordIndex.
        lines: how many, drawn by the seed.
        seed: int.

    Returns:
        list of (mixed, dict way -> (near, IoU)).
    """
    charset, found = Charset.load(), []
    for number in np.random.default_rng(seed).permutation(len(index)):
        record = index.read_record(int(number), decode_trajectory=False)
        units = charset.encode(record.text).units
        if len(units) < 2 or record.boxes is None:
            continue
        height = record.image.shape[0]
        truth = part_line(record.image, len(units), record.boxes)
        found.append(
            (
                is_mixed(units),
                {name: held_against(way(record.image, units), truth, height) for name, way in WAYS.items()},
            )
        )
        if len(found) == lines:
            break
    return found


def table(found):
    """Markdown."""
    text = (
        '| lines | parted | cuts within 4 of 64 px | IoU of parts | IoU below 0.5 |\n|---|---|---|---|---|\n'
    )
    for title, kept in (('all', found), ('mixed', [one for one in found if one[0]])):
        for way in WAYS if kept else ():
            near, overlap = (np.concatenate([ways[way][place] for _, ways in kept]) for place in (0, 1))
            text += (
                f'| {title} ({len(kept)}) | {way} | {near.mean():.3f} | {overlap.mean():.3f} |'
                f' {(overlap < _BAD).mean():.3f} |\n'
            )
    return text


def main():
    """Measures each split but that of the training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', required=True, help='folder of records')
    parser.add_argument('--lines', type=int, default=300, help='of each split')
    parser.add_argument('--seed', type=int, default=0)
    given = parser.parse_args()
    found = []
    for split in sorted(set(read_info(given.data)['splits']) - {'train'}):
        found += measure(RecordIndex(given.data, split=split), lines=given.lines, seed=given.seed)
    print(table(found))


if __name__ == '__main__':
    main()
