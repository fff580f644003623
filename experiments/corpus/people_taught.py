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
from hwgen.inference.picture_files import encode_png

NUM_TAUGHT = 20
_HANDS, _COPIES, _OF_READ = 80, 10, 40  # hands that are drawn; copies of each numeral; and in read hands
_WILD = 1.5
ARMS = ('drawn', 'encoder', 'tuned', 'tuned_drawn', 'tuned_wild')
MIXED = ('tuned', 'tuned_drawn', 'drawn', 'tuned_wild')


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


def taught_by(lesson, tested, *, seed, steps):
    """What a network reads of each person: list [people] of shares."""
    from hwgen.evaluation.measuring.small_network import SmallNetwork

    pictures, labels = flat(tested)
    network = SmallNetwork(len(NUMERALS), seed=seed).train(*lesson, steps=steps)
    right = network.logits(pictures).argmax(1) == labels
    return right.reshape(len(tested), -1).mean(1).tolist()


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
    parser.add_argument('--arms', default=','.join(ARMS), help='generated ones, to be taught and told')
    parser.add_argument('--out', required=True, help='folder of everything that is made')
    given = parser.parse_args()
    if unknown := set(given.arms.split(',')) - set(ARMS):
        parser.error(f'--arms: {", ".join(sorted(unknown))}; expected some of {", ".join(ARMS)}')
    begin = time.perf_counter()

    def log(told):
        print(f'{time.perf_counter() - begin:5.0f} s  {told}', flush=True)

    out, people = pathlib.Path(given.out), read_people(given.numbers)
    teachers, others = split_people(len(people), split=given.split)
    real = kept(out / 'people.npz', lambda: seen(people))
    log(f'people read; {len(teachers)} teach')
    arms = write_arms(people[teachers], out, given, log)
    read = [arms[name] for name in ('encoder', 'tuned') if name in arms]
    if read:
        files.write_file(str(out / 'sheet.png'), encode_png(sheet(real[teachers], read)))
    lessons = {'people': flat(real[teachers])} | {name: flat(found) for name, found in arms.items()}
    for name in [name for name in MIXED if name in arms]:
        lessons[f'people_{name}'] = half_and_half(lessons['people'], lessons[name])
    shares = {name: [] for name in lessons}
    for seed in range(given.seeds):
        for name, lesson in lessons.items():
            found = once(
                out / 'taught' / f'{name}-{seed}.json',
                {'split': given.split, 'steps': given.steps},
                lambda lesson=lesson, seed=seed: {
                    'shares': taught_by(lesson, real[others], seed=seed, steps=given.steps)
                },
            )
            shares[name].append(found['shares'])
            log(f'seed {seed}, taught by {name}: {np.mean(shares[name][-1]):.4f}')
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
    """dict arm -> uint8 [hands, 15, copies, 32, 32] of all that models write."""
    from experiments.corpus import people_tuned

    records = people_tuned.people_records(teachers, seed=given.split)
    log(f'{len(records)} lines of {len(teachers)} people')
    tuned = people_tuned.fine_tune(
        records,
        out / 'tuned',
        model=given.model,
        minutes=given.minutes,
        seed=given.split,
        log=log,
    )
    seeds = np.random.default_rng((given.split, 7)).integers(2**62, size=_HANDS)
    opened = {}

    def write(name):
        from hwgen.inference.writer import Writer

        folder = tuned if name.startswith('tuned') else given.model
        if folder not in opened:
            opened[folder] = Writer.load(str(folder), allow_unseen=True, tell=None)
        writer, truncation = opened[folder], _WILD if name == 'tuned_wild' else 1.0
        if name in ('encoder', 'tuned'):
            styles = people_tuned.read_styles(writer, records)
            plan = dict(styles=styles, seeds=seeds[: len(styles)], copies=_OF_READ)
        else:
            plan = dict(styles=None, seeds=seeds, copies=_COPIES)
        return people_tuned.write_numerals(writer, **plan, truncation=truncation)

    arms = {}
    for name in given.arms.split(','):
        arms[name] = kept(out / f'{name}.npz', lambda name=name: write(name))
        log(f'written: {name} {arms[name].shape[:3]}')
    return arms


def sheet(people, arms):
    """People that taught, and below each what was written in the hand that was read: uint8, 255 = paper."""
    rows = []
    for person in range(min(8, len(people))):
        rows += [np.hstack(hands[person, :, 0]) for hands in (people, *arms)]
        rows.append(np.zeros([8, rows[-1].shape[1]], np.uint8))
    return 255 - np.vstack(rows)


if __name__ == '__main__':
    main()
