"""What is written by a writer who learned from a corpus: read by PP-OCR and by small networks, and taught
to one that reads people.
"""

import hashlib

import cv2
import numpy as np

from experiments.corpus import hands, line_worth, worth_sheet
from experiments.corpus.character_worth import read_people
from experiments.corpus.measured import once
from hwgen.charset.reading_form import folded
from hwgen.evaluation.judges.independent_reader import IndependentReader
from hwgen.evaluation.measuring import training_plan
from hwgen.evaluation.measuring.small_network import SmallNetwork
from hwgen.images import to_cells
from hwgen.inference.writer import Writer
from hwgen.metrics import text as text_metrics

TRUNCATION = 0.8  # of what PP-OCR reads; what teaches is drawn with 1
_TEXTS_OF = 'pen'  # row whose test lines say what is written
_SPLITS = {'seen': ('test', 'vocabulary'), 'unseen': ('unseen', 'held_out')}
_SEED = 3


def measure_rows(bench, rows):
    """Does this part for some rows; figures in `writer/ROW.json`.

    Their recognisers are trained first where they are not (part lines).

    Args:
        bench: Bench.
        rows: sequence of Row.
    """
    for row in rows:
        line_worth.prepare_corpus(bench, row)
    failed = training_plan.train_all(
        [line_worth.recognizer_job(bench, row) for row in rows], num_parallel=bench.jobs, report=bench.log
    )
    failed = failed or training_plan.train_all(
        [writer_job(bench, row) for row in rows], num_parallel=bench.jobs, report=bench.log
    )
    if failed:
        raise RuntimeError(f'writers: {failed}')
    texts = read_texts(bench)
    names = (
        'lines',
        'vocabulary',
        'writers',
        'recognizer_steps',
        'reconstruction_steps',
        'written_lines',
        'written_hands',
        'read_hands',
        'steps',
        'people_copies',
    )
    digest = hashlib.sha256(repr(texts).encode()).hexdigest()
    for row in rows:
        once(
            bench.out / 'writer' / f'{row.name}.json',
            {**bench.under(row, *names), 'texts': digest},
            lambda row=row: measure(bench, row, texts),
        )
        bench.log(f'writer, {row.title}')
    shown = [
        text for text in texts['seen'] if len(text) == 4 and all('\u4e00' <= c <= '\u9fff' for c in text)
    ][:3]
    cv2.imwrite(
        str(bench.out / 'written.png'),
        worth_sheet.draw({row: load_writer(bench, row) for row in rows}, shown, truncation=TRUNCATION),
    )


def writer_job(bench, row):
    """The reconstruction phase, from the row's recognisers."""
    return training_plan.Job(
        f'writer {row.name}',
        bench.out / 'writers' / row.name,
        (line_worth.PRESET,),
        (
            f'--data={line_worth.corpus_folder(bench, row)}',
            '--seed=1',
            '--recognizer_steps=0',
            f'--recognizers_from={line_worth.recognizer_job(bench, row).run_dir}',
            f'--reconstruction_steps={bench.sizes["reconstruction_steps"]}',
            '--adversarial_steps=0',
            '--sample_every=1000000',
        ),
    )


def load_writer(bench, row):
    """Writer of a row."""
    return Writer.load(str(writer_job(bench, row).run_dir / 'model'), allow_unseen=True, tell=None)


def read_texts(bench):
    """What all writers write: dict 'seen', 'unseen' -> list of str, of characters that are so in every
    row.
    """
    plan, found = line_worth.plan_of(bench, _TEXTS_OF), {}
    for name, (split, group) in _SPLITS.items():
        common = line_worth.common_characters(bench, group)
        texts = [plan.line(split, i).text for i in range(bench.sizes['test_lines'])]
        found[name] = [text for text in texts if common.issuperset(text)][: bench.sizes['written_lines']]
    return found


def corpus_lines(row, texts, cells):
    """The texts by hands of the row's corpus that taught nothing, in the writer's cells: list of uint8 [H,
    W].
    """
    kinds = list(row.kinds().items())
    rng = np.random.default_rng(_SEED)
    found = []
    for n, text in enumerate(texts):
        kind = kinds[0][0] if rng.random() < kinds[0][1] else kinds[-1][0]
        found.append(
            to_cells(hands.write(kind, hands.hand_for(kind, text, 20 * n), text), len(text), **cells)
        )
    return found


def measure(bench, row, texts):
    """Everything about one writer.

    Args:
        bench: Bench.
        row: Row.
        texts: dict of `read_texts`.

    Returns:
        dict: `pp_ocr`: dict of {written, corpus}_{seen, unseen} -> list of [errors, count], a line each;
            `read`: dict kind of hands -> list of float, of each written hand: what the network that these
            taught reads of what is written; `taught` and `taught_15`: [list of float], of each person, as of
            `character_worth.measure`, by a network that learned from what is written.
    """
    writer, reader, found = load_writer(bench, row), IndependentReader(), {'pp_ocr': {}, 'read': {}}
    cells = {'char_px': writer.char_px, 'char_width_px': writer.char_width_px}
    for name, lines in texts.items():
        seeds = np.random.default_rng([_SEED, len(name)]).integers(2**63, size=len(lines))
        written = writer.write(lines, style_seeds=seeds, truncation=TRUNCATION)
        for origin, images in (('written', written), ('corpus', corpus_lines(row, lines, cells))):
            errors = text_metrics.edit_counts(
                [folded(text) for text in lines], [folded(text) for text in reader.read(images)]
            ).errors
            found['pp_ocr'][f'{origin}_{name}'] = [
                [int(e), len(folded(text))] for e, text in zip(errors, lines, strict=True)
            ]
    characters = bench.pools.characters
    pictures = write_characters(writer, characters, hands_count=bench.sizes['written_hands'])
    known = np.array([c in line_worth.common_characters(bench) for c in characters])
    read = pictures[: bench.sizes['read_hands']]
    for kind in hands.KINDS:
        network = SmallNetwork(len(characters), seed=0).load(
            bench.out / 'characters' / 'networks' / f'{kind}-0.npz'
        )
        right = network.logits(read.reshape(-1, *read.shape[2:])).argmax(1).reshape(
            read.shape[:2]
        ) == np.arange(len(characters))
        found['read'][kind] = right[:, known].mean(1).round(4).tolist()
        found['read_characters'] = int(known.sum())
    labels = np.tile(np.arange(len(characters)), len(pictures))
    network = SmallNetwork(len(characters), seed=0).train(
        pictures.reshape(-1, *pictures.shape[2:]), labels, steps=bench.sizes['steps']
    )
    everything, among = read_people(network, bench.people)
    return {**found, 'taught': [everything], 'taught_15': [among]}


def write_characters(writer, characters, *, hands_count):
    """Isolated characters by drawn hands, cut out of lines at the cells' edges.

    Args:
        writer: Writer.
        characters: str.
        hands_count: int.

    Returns:
        uint8 [hands_count, C, SIDE_PX, SIDE_PX], 255 = ink, prepared as people's.
    """
    cut = [(cell[0], cell[2]) for cell in writer.boxes(len(characters))]
    found = []
    for seed in range(hands_count):
        # Another order in each hand: a character has no fixed neighbours.
        order = np.random.default_rng([_SEED, seed]).permutation(len(characters))
        (line,) = writer.write([''.join(characters[i] for i in order)], style_seeds=seed, truncation=1.0)
        drawn = [hands.prepare(line[:, left:right]) for left, right in cut]
        found.append([drawn[place] for place in np.argsort(order)])
    return np.array(found)
