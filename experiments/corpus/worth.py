"""What each corpus is worth: fonts, pens and mixtures of them, each taught to the same networks by the same
budget.

    python -m experiments.corpus.worth --numbers=handwritten_numbers.npz --out=FOLDER [--rows=pen,pen_70]
    [--parts=characters,lines,writer] [--smoke]

characters: small networks learn isolated characters from each corpus and read people's numerals, and the
hands of the other kinds.
lines: the recogniser phase of `train --flagfile=fast.flags` on lines of each corpus; what it reads of the
test lines of all, and of people's numbers.
writer: reconstruction goes on from there; what is written is read by PP-OCR and by the small networks, and
taught to one that reads people. What is done is not done again: figures lie in FOLDER/PART/ROW.json, corpora
and runs beside them. worth.json and worth.md hold all of it.
"""

import time

from absl import app, flags

_NUMBERS = flags.DEFINE_string(
    'numbers', None, 'People: an .npz with images, code, writer and sample.', required=True
)
_OUT = flags.DEFINE_string('out', None, 'Folder of corpora, runs, figures and tables.', required=True)
_ROWS = flags.DEFINE_list(
    'rows', [], 'Rows to do (experiments/corpus/worth_rows.py), by default those of each part.'
)
_PARTS = flags.DEFINE_list('parts', ['characters', 'lines', 'writer'], 'Parts to do.')
_JOBS = flags.DEFINE_integer('jobs', 2, 'Trainings at a time, of one thread each.', lower_bound=1)
_SMOKE = flags.DEFINE_boolean('smoke', False, 'Tiny sizes that prove nothing but that it runs.')


def main(argv):
    del argv
    from hwgen.cli.quiet import quiet_tensorflow

    quiet_tensorflow()
    import cv2
    import tensorflow as tf

    from experiments.corpus import bench, character_worth, line_worth, worth_report, worth_rows, writer_worth

    tf.get_logger().setLevel('ERROR')  # every small network is a function of its own
    cv2.setNumThreads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    begin = time.perf_counter()

    def log(told):
        print(
            f'{time.perf_counter() - begin:5.0f} s ({time.process_time():.0f} s of CPU)  {told}', flush=True
        )

    work = {'characters': character_worth, 'lines': line_worth, 'writer': writer_worth}
    rows = {part: worth_rows.choose_rows(_ROWS.value, part) for part in worth_rows.choose_parts(_PARTS.value)}
    opened = bench.Bench.open(
        _OUT.value,
        _NUMBERS.value,
        sizes=bench.SMOKE if _SMOKE.value else bench.FULL,
        jobs=_JOBS.value,
        log=log,
    )
    for part, chosen in rows.items():
        work[part].measure_rows(opened, chosen)
    print(worth_report.write(opened.out))


if __name__ == '__main__':
    app.run(main)
