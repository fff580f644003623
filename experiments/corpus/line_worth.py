"""Lines: what the project's recogniser, trained on each corpus for the same steps, reads of the others'
test lines and of people's numbers.
"""

import json
import pathlib

import numpy as np

from experiments.corpus import people_lines
from experiments.corpus.measured import once
from experiments.corpus.worth_rows import ROWS
from hwgen.charset.encoding import Charset
from hwgen.charset.reading_form import folded
from hwgen.data.preparing import prepare
from hwgen.data.scribe.corpus import plan_corpus
from hwgen.evaluation.judges.character_errors import read_components
from hwgen.evaluation.judges.component_reader import ComponentReader
from hwgen.evaluation.judges.independent_reader import IndependentReader
from hwgen.evaluation.measuring import training_plan
from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.images import to_cells
from hwgen.metrics import text as text_metrics

PRESET = pathlib.Path(__file__).parents[2] / 'fast.flags'
_SEED = 1
_CELL_PX = 32
TESTED = ('fonts_1_1', 'fonts_2_0', 'pen')  # rows whose test lines are read


def measure_rows(bench, rows):
    """Does this part for some rows; figures in `lines/ROW.json`, those of PP-OCR in `lines/pp_ocr.json`.

    Args:
        bench: Bench.
        rows: sequence of Row.
    """
    for row in rows:
        prepare_corpus(bench, row)
        bench.log(f'corpus, {row.title}')
    failed = training_plan.train_all(
        [recognizer_job(bench, row) for row in rows], num_parallel=bench.jobs, report=bench.log
    )
    if failed:
        raise RuntimeError(f'recognisers: {failed}')
    tested = draw_tested(bench)
    names = ('lines', 'test_lines', 'vocabulary', 'writers', 'recognizer_steps', 'people_lines')
    for row in rows:
        once(
            bench.out / 'lines' / f'{row.name}.json',
            bench.under(row, *names),
            lambda row=row: measure(recognizer_job(bench, row).run_dir, tested),
        )
        bench.log(f'lines, {row.title}')
    once(
        bench.out / 'lines' / 'pp_ocr.json',
        {'hands': bench.fingerprints, **{name: bench.sizes[name] for name in names}},
        lambda: measure_pp_ocr(tested),
    )


def corpus_folder(bench, row):
    """pathlib.Path of the records of a row."""
    return bench.out / 'corpora' / row.name


def prepare_corpus(bench, row):
    """Has the lines of a row written where they are not there."""
    sizes = bench.sizes
    prepare.prepare_scribe(
        corpus_folder(bench, row),
        lines=sizes['lines'],
        vocabulary_size=sizes['vocabulary'],
        validation_lines=64,
        test_lines=sizes['test_lines'],
        unseen_lines=sizes['test_lines'],
        num_writers=sizes['writers'],
        version=row.version,
        pen_share=row.pen_share,
        workers=bench.jobs,
        report=lambda told: None,
    )


def recognizer_job(bench, row):
    """The recogniser phase on a row's lines."""
    return training_plan.Job(
        f'recogniser {row.name}',
        bench.out / 'recognizers' / row.name,
        (PRESET,),
        (
            f'--data={corpus_folder(bench, row)}',
            f'--seed={_SEED}',
            f'--recognizer_steps={bench.sizes["recognizer_steps"]}',
            '--reconstruction_steps=0',
            '--adversarial_steps=0',
            '--sample_every=1000000',
        ),
    )


def plan_of(bench, name):
    """Plan of the corpus of a row, as `prepare_corpus` has it written; no line of test and unseen depends
    on how many others there are.
    """
    (row,) = (row for row in ROWS if row.name == name)
    sizes = bench.sizes
    return plan_corpus(
        version=row.version,
        pen_share=row.pen_share,
        vocabulary_size=sizes['vocabulary'],
        num_writers=sizes['writers'],
        lines=0,
        validation_lines=0,
        test_lines=sizes['test_lines'],
        unseen_lines=sizes['test_lines'],
    )


def common_characters(bench, group='vocabulary'):
    """Characters that all rows have in training (`vocabulary`), or that all hold out (`held_out`):
    frozenset of str.
    """
    charset = Charset.load()
    return frozenset(
        charset.characters[i]
        for i in frozenset.intersection(*(frozenset(getattr(plan_of(bench, name), group)) for name in TESTED))
    )


def draw_tested(bench):
    """Lines that every recogniser reads: dict kind -> images in the cells of training, texts, whose hand
    it is.
    """
    common, found = common_characters(bench), {}
    for name in TESTED:
        plan = plan_of(bench, name)
        records = [
            record
            for record in (plan.line('test', i) for i in range(bench.sizes['test_lines']))
            if common.issuperset(record.text)
        ]
        found[name] = [(record.image, record.text, record.writer) for record in records]
    numerals = ''.join(c for c in NUMERALS if c in common)
    found['people'] = [
        tuple(line)
        for line in people_lines.write_lines(
            bench.scans, characters=numerals, lines=bench.sizes['people_lines'], seed=_SEED
        )
    ]
    return {
        kind: (
            [
                to_cells(image, len(text), char_px=_CELL_PX, char_width_px=_CELL_PX)
                for image, text, _ in lines
            ],
            [text for _, text, _ in lines],
            [str(hand) for *_, hand in lines],
        )
        for kind, lines in found.items()
    }


def measure(run_dir, tested):
    """What a trained recogniser reads.

    Args:
        run_dir: path of its run.
        tested: dict of `draw_tested`.

    Returns:
        dict kind -> `by_hand`: dict of `labels` [errors, count] and `characters` [wrong, count], a list entry
        for each hand.
    """
    reader, found = load_reader(run_dir), {}
    for kind, (images, texts, owners) in tested.items():
        errors, counts = reader.label_errors(images, texts)
        lengths = [len(text) for text in texts]
        wrong = [
            int((part > 0).sum())
            for part in np.split(read_components(reader, images, texts).wrong, np.cumsum(lengths)[:-1])
        ]
        found[kind] = {
            'lines': len(texts),
            'labels': by_hand(owners, errors, counts),
            'characters': by_hand(owners, wrong, lengths),
        }
    return found


def measure_pp_ocr(tested):
    """The same by PP-OCR, for how legible the lines are: dict kind -> `characters`."""
    reader, found = IndependentReader(), {}
    for kind, (images, texts, owners) in tested.items():
        errors = text_metrics.edit_counts(
            [folded(text) for text in texts], [folded(text) for text in reader.read(images)]
        ).errors
        found[kind] = {
            'lines': len(texts),
            'characters': by_hand(owners, errors, [len(folded(text)) for text in texts]),
        }
    return found


def by_hand(owners, errors, counts):
    """list of [errors, count] of each hand, in the order of their names."""
    names = sorted(set(owners))
    places = np.searchsorted(names, owners)
    return [
        [int(e), int(n)]
        for e, n in zip(
            np.bincount(places, errors, len(names)), np.bincount(places, counts, len(names)), strict=True
        )
    ]


def load_reader(run_dir):
    """ComponentReader of the sequence recognition of a run, which says the labels of the table that the
    run was trained with.
    """
    from hwgen.models.hct_gan import HctGan
    from hwgen.settings.model import stored_model
    from hwgen.training import initialization

    written = json.loads((pathlib.Path(run_dir) / 'config.json').read_text(encoding='utf-8'))
    model = HctGan(stored_model(written['model']))
    initialization.initialize_recognizers(model, str(run_dir))
    return ComponentReader(
        model.read,
        charset=Charset.load().prefix(written['data']['charset_rows'], written['data']['charset_hash']),
    )
