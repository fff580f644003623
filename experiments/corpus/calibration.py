"""How far simulated hands are from people's.

    python -m experiments.corpus.calibration --numbers=handwritten_numbers.npz [--hands=fonts] [--out=FOLDER]
    [--fast]

People's numerals (the archive of Nazarpour and Chen, doi 10.17634/137930-3, as arrays:
hwgen/evaluation/measuring/people.py) are held against the same characters of simulated hands: how alike
copies are and how different hands; whether a small network that learned from simulated hands reads people's;
whether one can tell the two apart. Prints tables; with --out writes calibration.json, sheet.png (hands side
by side) and tell_apart_inked.png, tell_apart_paths.png (what gives them away).
"""

import json
import os
import pathlib
import time

from absl import app, flags

_NUMBERS = flags.DEFINE_string(
    'numbers', None, 'People: an .npz with images, code, writer and sample.', required=True
)
_HANDS = flags.DEFINE_string(
    'hands', 'fonts', 'Kind of simulated hands: a name in experiments/corpus/simulated.py.'
)
_WRITERS = flags.DEFINE_integer('writers', 100, 'Simulated hands.', lower_bound=4)
_COPIES = flags.DEFINE_integer(
    'copies', 10, 'Copies of each character, of people too (at most as many as there are).', lower_bound=2
)
_OUT = flags.DEFINE_string('out', None, 'Folder for the figures and sheets.')
_SEED = flags.DEFINE_integer('seed', 0, 'Of the simulated hands.', lower_bound=0)
_FAST = flags.DEFINE_boolean(
    'fast', False, 'A first look: four copies, one network of each kind, fewer steps.'
)


def main(argv):
    del argv
    from hwgen.cli.quiet import quiet_tensorflow

    quiet_tensorflow()
    import cv2
    import numpy as np
    import tensorflow as tf

    from experiments.corpus import judges, report, sheets
    from experiments.corpus.pictures import longer_side, prepare
    from experiments.corpus.shapes import FEATURES
    from experiments.corpus.simulated import SOURCES, draw_hands
    from hwgen.evaluation.measuring.people import NUMERALS, read_people

    begin = time.perf_counter()

    def log(told):
        print(
            f'{time.perf_counter() - begin:5.0f} s ({time.process_time():.0f} s of CPU)  {told}', flush=True
        )

    if _HANDS.value not in SOURCES:
        raise app.UsageError(f'--hands={_HANDS.value}: expected one of {", ".join(SOURCES)}')
    cv2.setNumThreads(1)
    if os.environ.get('OMP_NUM_THREADS') == '1':
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    copies = min(_COPIES.value, 4) if _FAST.value else _COPIES.value
    scans = read_people(_NUMBERS.value)[:, :, :copies]
    people = prepare(scans)
    log(f'{len(scans)} people, {scans.shape[2]} copies')
    hands = draw_hands(SOURCES[_HANDS.value](_SEED.value), writers=_WRITERS.value, copies=copies)
    factor = longer_side(scans) / longer_side(hands)
    simulated = prepare(hands, factor=factor)
    log(f'{len(hands)} simulated hands ({_HANDS.value}), brought to {factor:.2f} of their size')
    comparison = report.compare(people, simulated)
    pens = np.nanmean(simulated.features[..., [feature.name for feature in FEATURES].index('stroke')], (1, 2))
    thickened = (
        None if _FAST.value else prepare(scans[judges.lots(len(scans))[1]], pen=np.resize(pens, len(scans)))
    )
    log('measured')
    steps = (
        {'seeds': 1, 'teach_steps': 500, 'tell_steps': 350}
        if _FAST.value
        else {'seeds': 3, 'teach_steps': 1500, 'tell_steps': 500}
    )
    verdicts = judges.judge(people, simulated, thickened, log=log, **steps)
    log('done\n')
    print(report.table(comparison, verdicts))
    if _OUT.value:
        out = pathlib.Path(_OUT.value)
        out.mkdir(parents=True, exist_ok=True)
        result = {
            'hands': _HANDS.value,
            'seed': _SEED.value,
            'writers': len(hands),
            'copies': copies,
            'people': len(scans),
            'characters': NUMERALS,
            'factor': factor,
            **steps,
            **comparison,
            'verdicts': verdicts,
        }
        (out / 'calibration.json').write_text(
            json.dumps(report.plain(result), ensure_ascii=False, indent=1) + '\n', encoding='utf-8'
        )
        drawn = {'sheet': sheets.hands_sheet(people.inked, simulated.inked)}
        for view in ('inked', 'paths'):
            told = verdicts['tells apart, everything' if view == 'inked' else 'tells apart, path only']
            drawn[f'tell_apart_{view}'] = sheets.surest_sheet(
                getattr(people, view), getattr(simulated, view), told
            )
        for name, picture in drawn.items():
            cv2.imwrite(str(out / f'{name}.png'), picture)


if __name__ == '__main__':
    app.run(main)
