"""Real people: is what a writer writes after it has read some people worth as much as those people?

    python -m experiments.corpus.people_taught --numbers=handwritten_numbers.npz --model=saved_models/spaced64
        --minutes=6 --out=FOLDER [--split=0]

20 people (drawn by --split) teach, the other 80 are read. The arms, each taught to the same small networks by
the same steps with the same augmentation:

people          the 20 people's 3,000 pictures
drawn           the model as it is, in hands that it draws
encoder         the model as it is, in the 20 hands as its style encoder reads them
tuned           the model after --minutes of fine-tuning on the 20 people, in the hands that it reads
tuned_drawn     the same, in hands drawn around them (its style space is fitted to their lines)
tuned_wild      the same, drawn and with noise at truncation 1.5
people_X        half of each batch from the people, half from X

Then, of each generated arm, a network that is asked which is real, taught on half of the hands and half of
the 80 people, and tested on the others. What is done is not done again (FOLDER).
"""

import argparse
import io
import pathlib
import time

import numpy as np

from experiments.corpus import intervals
from experiments.corpus.judges import same_kind, tell_apart
from experiments.corpus.measured import once
from hwgen import files
from hwgen.evaluation.measuring.character_pictures import as_seen
from hwgen.evaluation.measuring.people import NUMERALS, read_people

NUM_TAUGHT = 20
_HANDS, _COPIES, _OF_READ = 80, 10, 40  # hands that are drawn; copies of each numeral; and in read hands
_WILD = 1.5
MIXED = ('drawn', 'tuned', 'tuned_drawn', 'tuned_wild')


def split_people(count, *, split):
    """Two int arrays: the people that teach, and those that are read."""
    order = np.random.default_rng((split, count)).permutation(count)
    return np.sort(order[:NUM_TAUGHT]), np.sort(order[NUM_TAUGHT:])


def seen(people):
    """uint8 [people, 15, copies, 32, 32] as networks see them."""
    flat = people.reshape(-1, *people.shape[-2:])
    return np.stack([as_seen(picture) for picture in flat]).reshape(*people.shape[:3], 32, 32)


def kept(path, make):
    """An array, from a file or made and kept there."""
    path = pathlib.Path(path)
    if not path.is_file():
        held = io.BytesIO()
        np.savez_compressed(held, pictures=make())
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_file(str(path), held.getvalue())
    with np.load(path) as archive:
        return archive['pictures']


def half_and_half(people, generated):
    """Two sets of pictures [n, ...] so that each is half: the smaller is repeated."""
    (a, a_labels), (b, b_labels) = people, generated
    times = max(len(a), len(b))
    rows_a, rows_b = np.resize(np.arange(len(a)), times), np.resize(np.arange(len(b)), times)
    return np.concatenate([a[rows_a], b[rows_b]]), np.concatenate([a_labels[rows_a], b_labels[rows_b]])


def flat(pictures):
    """Pictures uint8 [n, 32, 32] and labels int [n] of [hands, 15, copies, 32, 32]."""
    hands, kinds, copies = pictures.shape[:3]
    return pictures.reshape(-1, 32, 32), np.tile(np.repeat(np.arange(kinds), copies), hands)


def taught_by(lesson, tested, *, seeds, steps):
    """What networks of several seeds read of each person: list [seeds][people] of shares."""
    from hwgen.evaluation.measuring.small_network import SmallNetwork

    pictures, labels = flat(tested)
    shares = []
    for seed in range(seeds):
        network = SmallNetwork(len(NUMERALS), seed=seed).train(*lesson, steps=steps)
        right = network.logits(pictures).argmax(1) == labels
        shares.append(right.reshape(len(tested), -1).mean(1).tolist())
    return shares


def report(shares, told):
    """The tables, Markdown; figures with 95 % intervals over networks and people."""

    def shown(estimate):
        return f'{estimate.value:.4f} ({estimate.low:.4f} to {estimate.high:.4f})'

    text = '| taught by | reads the other people | more than the 20 people |\n|---|---|---|\n'
    for name, values in shares.items():
        more = shown(intervals.difference_of(values, shares['people'])) if name != 'people' else ''
        text += f'| {name} | {shown(intervals.mean_of(values))} | {more} |\n'
    text += '\n| which is real | accuracy | pictures |\n|---|---|---|\n'
    for name, (value, low, high, pictures) in told.items():
        text += f'| {name} | {value:.3f} ({low:.3f} to {high:.3f}) | {pictures} |\n'
    return text


def main():
    """Fine-tunes, writes, teaches, and reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--numbers', required=True, help='the .npz of the scans')
    parser.add_argument('--model', default='saved_models/spaced64', help='folder of a generator')
    parser.add_argument('--minutes', type=float, default=6.0, help='of fine-tuning')
    parser.add_argument('--split', type=int, default=0, help='seed of who teaches')
    parser.add_argument('--seeds', type=int, default=3, help='networks of each arm')
    parser.add_argument('--steps', type=int, default=2000, help='of each network that reads')
    parser.add_argument('--tell_steps', type=int, default=700, help='of each that tells apart')
    parser.add_argument('--out', required=True, help='folder of everything that is made')
    given = parser.parse_args()
    begin = time.perf_counter()

    def log(told):
        print(f'{time.perf_counter() - begin:5.0f} s  {told}', flush=True)

    out, people = pathlib.Path(given.out), read_people(given.numbers)
    teachers, others = split_people(len(people), split=given.split)
    real = kept(out / 'people.npz', lambda: seen(people))
    log(f'people read; {len(teachers)} teach')
    arms = write_arms(people[teachers], out, given, log)
    lessons = {'people': flat(real[teachers])} | {name: flat(found) for name, found in arms.items()}
    for name in MIXED:
        lessons[f'people_{name}'] = half_and_half(lessons['people'], lessons[name])
    under = {'split': given.split, 'seeds': given.seeds, 'steps': given.steps}
    shares = {}
    for name, lesson in lessons.items():
        found = once(
            out / 'taught' / f'{name}.json',
            under,
            lambda lesson=lesson: {
                'shares': taught_by(lesson, real[others], seeds=given.seeds, steps=given.steps)
            },
        )
        shares[name] = found['shares']
        log(f'taught by {name}: {np.mean(shares[name]):.4f}')
    tell = {'seeds': given.seeds, 'steps': given.tell_steps}
    told = {}
    for name in ('check: people', *arms):
        found = once(
            out / 'told' / f'{name.split(": ")[-1]}.json',
            {**tell, 'split': given.split},
            lambda name=name: {
                'verdict': _verdict(
                    tell_apart(real[others], arms[name], **tell)
                    if name in arms
                    else same_kind(real[others], **tell)
                )
            },
        )
        told[name] = found['verdict']
        log(f'told apart, {name}: {told[name][0]:.3f}')
    table = report(shares, told)
    files.write_file(str(out / 'people_taught.md'), table.encode())
    print(table)


def _verdict(found):
    return [*found.accuracy, found.pictures]


def write_arms(teachers, out, given, log):
    """dict arm -> uint8 [hands, 15, copies, 32, 32] of all that models write, and a sheet of them."""
    from experiments.corpus import people_tuned
    from hwgen.evaluation.reporting.picture_sheet import write_sheet
    from hwgen.inference.writer import Writer

    records = people_tuned.people_records(teachers, seed=given.split)
    log(f'{len(records)} lines of {len(teachers)} people')
    tuned = people_tuned.fine_tune(
        records,
        out / 'tuned',
        model=given.model,
        minutes=given.minutes,
        seed=given.split,
        log=lambda told: log(told),
    )
    seeds = np.random.default_rng((given.split, 7)).integers(2**62, size=_HANDS)
    arms, rows = {}, {}
    for prefix, folder in (('', given.model), ('tuned', tuned)):
        writer = Writer.load(str(folder), allow_unseen=True, tell=None)
        styles = people_tuned.read_styles(writer, records)
        read = dict(styles=styles, seeds=seeds[: len(styles)], copies=_OF_READ, truncation=1.0)
        drawn = dict(styles=None, seeds=seeds, copies=_COPIES)
        plans = {prefix or 'encoder': read, f'{prefix}_drawn'.lstrip('_'): drawn | {'truncation': 1.0}}
        if prefix:
            plans['tuned_wild'] = drawn | {'truncation': _WILD}
        for name, plan in plans.items():
            arms[name] = kept(
                out / f'{name}.npz',
                lambda writer=writer, plan=plan: people_tuned.write_numerals(writer, **plan),
            )
            log(f'written: {name} {arms[name].shape[:3]}')
        firsts = [next(r for r in records if r.writer == f'person-{p}') for p in range(len(styles))]
        for p, record in enumerate(firsts):
            rows.setdefault(p, [people_tuned.shown_cells(record, writer)])
            rows[p] += writer.in_cells().write([record.text], style_seeds=[p], styles=styles[p : p + 1])
    write_sheet(str(out / 'sheet.png'), list(rows.values()))
    return arms


if __name__ == '__main__':
    main()
