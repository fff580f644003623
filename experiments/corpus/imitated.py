"""People imitated: hands read from lines of people's numerals, by the protocol `imitation`.

    python -m experiments.corpus.imitated --people=handwritten_numbers.npz --out=evaluations/people

Each person's ten copies of the 15 numerals are parted: lines that are read are set from copies 0 to 3, those
whose texts are written again from 4 to 6, those that are compared with from 7 to 9 (`people_lines`: the
numerals stand in the middles of equal cells, so that spacing and height of the line are not the person's).
"""

import argparse
import os

from experiments.corpus.people_lines import write_lines
from hwgen import files
from hwgen.charset.encoding import Charset
from hwgen.data.reading.records import LineRecord
from hwgen.evaluation.measuring import imitation
from hwgen.evaluation.measuring.people import NUMERALS, read_people
from hwgen.evaluation.reporting.picture_sheet import write_sheet
from hwgen.inference.writer import Writer

COPIES = {'read': slice(0, 4), 'written': slice(4, 7), 'compared': slice(7, 10)}


def lines_of_people(people, *, shots, lines_per_hand, seed):
    """People's lines for `imitation.measure`.

    Args:
        people: uint8 [people, 15, 10, H, W], see `read_people`.
        shots: lines that are read.
        lines_per_hand: lines that are written, and as many that are compared with.
        seed: of texts and copies.

    Returns:
        dict person -> Lines.
    """
    charset, parts = Charset.load(), {}
    for number, (name, copies) in enumerate(COPIES.items()):
        count = max(shots) if name == 'read' else lines_per_hand
        lines = write_lines(
            people[:, :, copies], characters=NUMERALS, lines=count, seed=seed * len(COPIES) + number
        )
        for line in lines:
            parts.setdefault(line.person, {}).setdefault(name, []).append(_record(line, charset))
    return {f'person-{person}': imitation.Lines(**found) for person, found in parts.items()}


def _record(line, charset):
    encoded = charset.encode(line.text)
    return LineRecord(
        line.image,
        line.text,
        encoded.character_ids,
        encoded.component_ids,
        encoded.structure_ids,
        f'person-{line.person}',
        'people',
    )


def main():
    """Measures, and writes a table and a sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--people', required=True, help='the .npz of the scans')
    parser.add_argument('--model', default='saved_models/demo', help='folder of a generator')
    parser.add_argument('--num_people', type=int, default=20)
    parser.add_argument('--lines_per_hand', type=int, default=12)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', required=True, help='folder of the report')
    given = parser.parse_args()
    people = read_people(given.people)[: given.num_people]
    chosen = lines_of_people(
        people, shots=imitation.SHOTS, lines_per_hand=given.lines_per_hand, seed=given.seed
    )
    writer = Writer.load(given.model, allow_unseen=True, tell=None)
    found = imitation.measure(writer, chosen, shots=imitation.SHOTS, seed=given.seed)
    table = imitation.format_markdown(imitation.intervals([found], seed=given.seed))
    files.write_file(os.path.join(given.out, 'people.md'), table.encode())
    write_sheet(os.path.join(given.out, 'people.png'), found.rows)
    print(f'{table}\nbias {found.bias}')


if __name__ == '__main__':
    main()
