"""How well the writer's boxes of characters and components meet those of the pen (docs/results/truth.md):

    python -m experiments.truth.boxes --model=saved_models/spaced64 --data=tfrecords/wide --lines=100 --seed=0

Prints a table, and writes the figures with --out as JSON.
"""

import argparse

from hwgen import files


def main(arguments=None):
    """Measures a model and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--model', default='saved_models/demo')
    parser.add_argument('--data', required=True, help='records of simulated pens, with boxes of components')
    parser.add_argument('--split', default='test')
    parser.add_argument('--lines', type=int, default=100)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out')
    asked = parser.parse_args(arguments)
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.measuring import true_boxes
    from hwgen.inference.writer import Writer

    index, model = RecordIndex(asked.data, split=asked.split), Writer.load(asked.model, tell=None)
    overlaps, facts = true_boxes.measure_boxes(index, model, seed=asked.seed, num_lines=asked.lines)
    figures, counted = true_boxes.box_figures(overlaps), true_boxes.counts(overlaps)
    print(f'{asked.model}: {facts["lines"]} lines, {facts["missing"]} characters without ink')
    print(
        '| figure | N | ' + ' | '.join(true_boxes.KINDS) + ' |\n' + '|---' * (2 + len(true_boxes.KINDS)) + '|'
    )
    for name, kinds in figures.items():
        values = [f'{kinds[kind]:.3f}' if kind in kinds else '' for kind in true_boxes.KINDS]
        print(f'| {name} | {counted[true_boxes.behind(name)]} | ' + ' | '.join(values) + ' |')
    if asked.out:
        files.write_json(asked.out, {**vars(asked), **facts, 'boxes': counted, 'figures': figures})


if __name__ == '__main__':
    main()
