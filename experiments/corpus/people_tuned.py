"""A writer fine-tuned on the numerals of some people: their lines as records, the training, and what the
model writes afterwards.
"""

import dataclasses
import pathlib

import numpy as np

from experiments.corpus import people_bent
from experiments.corpus.people_lines import HEIGHT_PX, set_side_by_side
from hwgen.charset.encoding import Charset
from hwgen.charset.widths import expected_room
from hwgen.data.preparing.shard_writer import write_shards
from hwgen.data.reading.records import LineRecord
from hwgen.data.reading.shards import write_info
from hwgen.evaluation.measuring.character_pictures import as_seen, clean
from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.imitation.fine_tuning import training_settings
from hwgen.inference.imitation import read_style
from hwgen.training import session as training

_SIZE = 0.74  # longer side of a person's characters on the mean, by the height of the line
_LONGEST = 6
_INK_BELOW = 200


def people_records(people, *, seed, bent=0):
    """Lines in which each person's numerals stand once each, in an order of their own.

    Args:
        people: uint8 [people, 15, copies, H, W], 255 = paper.
        seed: of the orders.
        bent: how often all of a person's numerals are written once more, each line in a hand like the
            person's (`people_bent`).

    Returns:
        list of LineRecord, writers `person-0` and on, 3 to 6 characters a line, with boxes; lines in other
        hands are of `person-0-1` and on.
    """
    found = []
    for person, own in enumerate(people):
        rng = np.random.default_rng((seed, person))
        crops = [[clean(copy) for copy in copies] for copies in own]
        scale = _SIZE * HEIGHT_PX / np.mean([max(copies[0].shape) for copies in crops])
        found += _lines(crops, f'person-{person}', rng, scale=scale, bend=False)
        for number in range(1, bent + 1):
            found += _lines(crops, f'person-{person}-{number}', rng, scale=scale, bend=True)
    return found


def _lines(crops, writer, rng, *, scale, bend):
    """LineRecords of crops [15][copies], each once."""
    charset, found = Charset.load(), []
    places = rng.permutation([(c, s) for c in range(len(crops)) for s in range(len(crops[0]))])
    while len(places):
        count = int(rng.integers(3, _LONGEST + 1))
        line, places = places[:count], places[count:]
        text = ''.join(NUMERALS[c] for c, _ in line)
        pieces = [crops[c][s] for c, s in line]
        if bend:
            hand = people_bent.draw_hand(rng)
            pieces = [people_bent.bent(piece, hand, rng) for piece in pieces]
        image, codes = set_side_by_side(pieces, scale=scale), charset.encode(text)
        ids = (codes.character_ids, codes.component_ids, codes.structure_ids)
        found.append(LineRecord(image, text, *ids, writer, 'people', boxes_of(image, len(text))))
    return found


def boxes_of(image, num_characters):
    """int32 [N, 4], the ink of each cell of a line of `set_side_by_side`; of a cell without ink the cell."""
    height, width = image.shape
    cell, boxes = width // num_characters, []
    for n in range(num_characters):
        ink = image[:, n * cell : (n + 1) * cell] < _INK_BELOW
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        if rows.size:
            boxes.append((n * cell + columns[0], rows[0], n * cell + columns[-1] + 1, rows[-1] + 1))
        else:
            boxes.append((n * cell, 0, (n + 1) * cell, height))
    return np.array(boxes, np.int32)


def fine_tune(records, folder, *, model, minutes, seed, log, changes=None):
    """Trains a model on records, unless it is there.

    Args:
        records: of `people_records`.
        folder: of records and run.
        model: folder of the generator that is trained on.
        minutes: at most.
        seed: of the training.
        log: takes a str.
        changes: dict section of TrainSettings -> dict setting -> value, beside those of `--minutes`.

    Returns:
        pathlib.Path of the tuned model.
    """
    folder = pathlib.Path(folder)
    if (folder / 'run' / 'model' / 'generator.json').is_file():
        return folder / 'run' / 'model'
    lines, charset = folder / 'records', Charset.load()
    lines.mkdir(parents=True, exist_ok=True)
    counts = write_shards(records, lines, split='train', num_shards=1)
    shown = {int(i) for record in records for i in record.character_ids}
    table = {'row_count': charset.row_count, 'hash': charset.hash}
    write_info(
        lines,
        {'source': 'people', 'version': '1', 'splits': {'train': counts._asdict()}, 'charset': table}
        | {'image_height_px': HEIGHT_PX, 'vocabulary': sorted(shown), 'held_out': []},
    )
    settings = training_settings(model, minutes=minutes, longest=_LONGEST)
    settings = dataclasses.replace(
        settings,
        data=dataclasses.replace(settings.data, data=str(lines)),
        run=dataclasses.replace(settings.run, run_dir=str(folder / 'run')),
        steps=dataclasses.replace(settings.steps, seed=seed),
    )
    for section, values in (changes or {}).items():
        changed = dataclasses.replace(getattr(settings, section), **values)
        settings = dataclasses.replace(settings, **{section: changed})
    summary = training.train(settings, report=log, command='python -m experiments.corpus.people_taught')
    learned = summary['schedule'].done(summary['step'])
    log(f'fine-tuned: {learned}')
    return folder / 'run' / 'model'


def longer(reconstruction_steps):
    """Changes for a fine-tuning of so many steps of the generator: of a model of `spaced64.flags` with the
    noise kept as small as there, the rate down to a twentieth by the last step, and statistics of the lines'
    own characters, as nothing else will be written.
    """
    return {
        'data': {'text_characters': 'seen'},
        'schedule': {
            'recognizer_steps': 250,
            'reconstruction_steps': reconstruction_steps,
            'growing_steps': 0,
            'rate_floor': 0.05,
        },
        'steps': {'noise_kl_weight': 0.008, 'feature_levels': (3, 4), 'reconstruction_rate': 0.001},
        'modules': {'recognizer_channels': (16, 32, 64, 96, 128, 160)},
        'run': {'sample_every': 100_000, 'checkpoint_every': 500, 'checkpoint_minutes': 5.0},
    }


def read_styles(writer, records):
    """float32 [people, Z], read from all lines of each person's own, in the order of their numbers."""
    by_person = {}
    for record in records:
        _, person, *other = record.writer.split('-')
        if not other:
            by_person.setdefault(int(person), []).append(record)
    charset, styles = Charset.load(), []
    for person in sorted(by_person):
        images = [record.image for record in by_person[person]]
        rooms = [expected_room(charset.encode(record.text).units) for record in by_person[person]]
        styles.append(read_style(writer, images, [len(room) for room in rooms], rooms=rooms))
    return np.stack(styles)


def write_numerals(writer, *, styles, seeds, copies, truncation):
    """Numerals as a model writes them.

    Args:
        writer: Writer.
        styles: float32 [hands, Z]; None: those of the seeds.
        seeds: int [hands], of the noise.
        copies: of each numeral.
        truncation: of noise, and of drawn styles.

    Returns:
        uint8 [hands, 15, copies, 32, 32], 255 = ink.
    """
    writer = writer.in_cells()
    found = np.zeros([len(seeds), len(NUMERALS), copies, 32, 32], np.uint8)
    for hand, seed in enumerate(seeds):
        rng = np.random.default_rng((int(seed), 5))
        order = np.concatenate([rng.permutation(len(NUMERALS)) for _ in range(copies)])
        parts = order.reshape(-1, 5)  # lines of five
        texts = [''.join(NUMERALS[c] for c in part) for part in parts]
        images = writer.write(
            texts,
            style_seeds=[int(seed)] * len(texts),
            styles=None if styles is None else styles[hand],
            truncation=truncation,
            noise_offsets=[5 * n for n in range(len(texts))],
        )
        cells = [cell for image in images for cell in np.split(image, 5, axis=1)]
        for number, (c, cell) in enumerate(zip(order, cells, strict=True)):
            found[hand, c, number // len(NUMERALS)] = as_seen(cell)
    return found
