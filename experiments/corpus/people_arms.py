"""Real people, longer and in more ways: what a writer writes that was fine-tuned on 20 people for half an
hour, on their lines and on lines in hands like theirs.

    python -m experiments.corpus.people_arms --numbers=handwritten_numbers.npz --model=saved_models/spaced64
        --minutes=31 --bent=2 --split=0 --arms=people,drawn,half_drawn,then_drawn --out=FOLDER

Arms, each taught to the same networks by the same steps, with the same augmentation; the other 80 people are
read:

people           the 20 people's 3,000 pictures
people_bent      4 bent copies of each (`people_bent`): hands like theirs without a writer
rebuilt          their lines as the writer rebuilds them, by the style and the noise that it reads
PLAN             see PLANS, as many rounds of the 15 numerals as --rounds
X_as_is          PLAN X, of the model before it was fine-tuned
X_verified       those of arm X that a network taught by the 20 people reads as asked (as --verify does)
half_X           half of each batch from the people, half from arm X
quarter_X        three quarters from the people
then_X           the first half of the steps on X alone, then the people alone

What is done is not done again (FOLDER).
"""

import argparse
import io
import pathlib
import time

import numpy as np

from experiments.corpus import intervals, people_bent, people_drawn, people_tuned
from experiments.corpus.judges import tell_apart
from experiments.corpus.measured import once
from experiments.corpus.people_drawn import Plan
from experiments.corpus.people_taught import flat, half_and_half, kept, seen, split_people
from hwgen import files
from hwgen.evaluation.measuring.character_pictures import clean, fit
from hwgen.evaluation.measuring.people import NUMERALS, read_people

PLANS = {
    'drawn80': Plan(hands=80),
    'drawn': Plan(),
    'drawn_tame': Plan(style_truncation=0.8, noise_truncation=0.8),
    'drawn_wild': Plan(noise_truncation=1.5),
    'drawn_fitted': Plan(noise='fitted'),
    'drawn_read': Plan(noise='read'),
    'read': Plan('read'),
    'read_fitted': Plan('read', 'fitted'),
    'read_read': Plan('read', 'read'),
    'between': Plan('between'),
    'between_fitted': Plan('between', 'fitted'),
    'between_read': Plan('between', 'read'),
}
MIXES = ('half_', 'quarter_', 'then_')
_AS_IS, _VERIFIED = '_as_is', '_verified'
_READER_SEED = 1000  # of the network that verifies: none of those that are compared
_BENT_COPIES = 4


class Lessons:
    """What networks are taught, by name of the arm: made once, and kept in a folder.

    Args:
        people: uint8 [people, 15, copies, H, W], those that teach.
        pictures: uint8 [people, 15, copies, 32, 32], the same as networks see them.
        given: what was asked for.
        out: pathlib.Path of the folder.
        log: takes a str.
    """

    def __init__(self, people, pictures, *, given, out, log):
        self.people, self.pictures = people, pictures
        self.given, self.out, self.log = given, out, log
        self._opened = {}

    def of(self, arm):
        """Pictures uint8 [n, 32, 32] and labels int [n] of an arm that is no mixture."""
        if arm == 'people':
            return flat(self.pictures)
        path = self.out / f'{arm}.npz'
        if not path.is_file():
            pictures, labels = self._made(arm)
            held = io.BytesIO()
            np.savez_compressed(held, pictures=pictures, labels=labels)
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_file(str(path), held.getvalue())
            self.log(f'written: {arm}, {len(pictures)} pictures')
        with np.load(path) as archive:
            return archive['pictures'], archive['labels']

    def _made(self, arm):
        seed = self.given.split
        if arm == 'people_bent':
            return bent_people(self.people, copies=_BENT_COPIES, seed=seed)
        if arm.endswith(_VERIFIED):
            pictures, labels = self.of(arm.removesuffix(_VERIFIED))
            kept_rows = self._reader().logits(pictures).argmax(1) == labels
            self.log(f'{arm}: {kept_rows.mean():.4f} of the pictures are read as asked')
            return pictures[kept_rows], labels[kept_rows]
        as_is = arm.endswith(_AS_IS)
        writer, lines = self._open(self.given.model if as_is else self._tuned())
        if arm == 'rebuilt':
            return people_drawn.rebuilt(writer, lines, seed=seed)
        plan = PLANS[arm.removesuffix(_AS_IS)]
        return flat(people_drawn.write(writer, lines, plan, rounds=self.given.rounds, seed=seed))

    def _reader(self):
        from hwgen.evaluation.measuring.small_network import SmallNetwork

        return SmallNetwork(len(NUMERALS), seed=_READER_SEED).train(
            *self.of('people'), steps=self.given.steps
        )

    def _tuned(self):
        records = people_tuned.people_records(self.people, seed=self.given.split, bent=self.given.bent)
        return people_tuned.fine_tune(
            records,
            self.out / 'tuned',
            model=self.given.model,
            minutes=self.given.minutes,
            seed=self.given.split,
            log=self.log,
            changes=people_tuned.longer(self.given.reconstruction_steps),
        )

    def _open(self, folder):
        if folder not in self._opened:
            from hwgen.inference.writer import Writer

            writer = Writer.load(str(folder), allow_unseen=True, tell=None)
            records = people_tuned.people_records(self.people, seed=self.given.split)
            self._opened[folder] = writer, people_drawn.read_lines(writer, records)
        return self._opened[folder]


def bent_people(people, *, copies, seed):
    """Numerals in hands like people's: pictures uint8 [n, 32, 32] and labels int [n]."""
    rng, pictures, labels = np.random.default_rng((seed, 3)), [], []
    for own in people:
        for _ in range(copies):
            for kind, written in enumerate(own):
                for scan in written:
                    crop = people_bent.bent(clean(scan), people_bent.draw_hand(rng), rng)
                    pictures.append(np.rint(255 * fit(crop)).astype(np.uint8))
                    labels.append(kind)
    return np.array(pictures), np.array(labels)


def taught_by(arm, lessons, tested, *, seed, steps):
    """What a network reads of each person: float [people]; and what it takes each picture for: int
    [people, 15, copies].
    """
    from hwgen.evaluation.measuring.small_network import SmallNetwork

    network, people = SmallNetwork(len(NUMERALS), seed=seed), lessons.of('people')
    mix = next((mix for mix in MIXES if arm.startswith(mix)), '')
    other = lessons.of(arm.removeprefix(mix))
    if mix == 'then_':
        network.train(*other, steps=steps // 2).train(*people, steps=steps - steps // 2)
    elif mix:
        network.train(*_mixed(people, other, share=0.5 if mix == 'half_' else 0.25), steps=steps)
    else:
        network.train(*other, steps=steps)
    pictures, labels = flat(tested)
    answers = network.logits(pictures).argmax(1)
    right = (answers == labels).reshape(len(tested), -1).mean(1)
    return right, answers.reshape(tested.shape[:3])


def _mixed(people, other, *, share):
    """Two lessons so that a share of the pictures is of the other; both are repeated as often as it takes."""
    if share == 0.5:
        return half_and_half(people, other)
    count = max(len(other[0]), round(len(people[0]) * share / (1 - share)))
    of_people = np.resize(np.arange(len(people[0])), round(count * (1 - share) / share))
    of_other = np.resize(np.arange(len(other[0])), count)
    return tuple(np.concatenate([a[of_people], b[of_other]]) for a, b in zip(people, other, strict=True))


def as_hands(pictures, labels, *, hands):
    """Pictures of an arm as of so many hands, to be told from people: uint8 [hands, 15, copies, 32, 32];
    of each numeral the first so many, in their order.
    """
    copies = min(np.bincount(labels, minlength=len(NUMERALS))) // hands
    kinds = [pictures[labels == kind][: hands * copies] for kind in range(len(NUMERALS))]
    return np.stack([own.reshape(hands, copies, *own.shape[1:]) for own in kinds], axis=1)


def report(shares):
    """The table, Markdown; 95 % intervals over networks and people, differences paired by both."""

    def shown(estimate):
        return f'{estimate.value:.4f} ({estimate.low:.4f} to {estimate.high:.4f})'

    text = '| taught by | reads the other 80 people | more than the 20 people do |\n|---|---|---|\n'
    for arm, values in shares.items():
        more = shown(intervals.difference_of(values, shares['people'])) if arm != 'people' else ''
        text += f'| {arm} | {shown(intervals.mean_of(values))} | {more} |\n'
    return text


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--numbers', required=True, help='the .npz of the scans')
    parser.add_argument('--model', default='saved_models/spaced64', help='folder of a generator')
    parser.add_argument('--minutes', type=float, default=31.0, help='of fine-tuning, at most')
    parser.add_argument('--reconstruction_steps', type=int, default=1500, help='of fine-tuning, planned')
    parser.add_argument('--bent', type=int, default=2, help='hands like theirs, of each person')
    parser.add_argument('--split', type=int, default=0, help='seed of who teaches')
    parser.add_argument('--seeds', type=int, default=3, help='networks of each arm')
    parser.add_argument('--steps', type=int, default=1200, help='of each network')
    parser.add_argument('--rounds', type=int, default=800, help='pictures of each numeral that are drawn')
    parser.add_argument('--arms', required=True, help='with commas; people among them')
    parser.add_argument('--told', default='', help='arms, with commas, that are told apart from people')
    parser.add_argument('--tell_seeds', type=int, default=1, help='networks that tell apart')
    parser.add_argument('--tell_steps', type=int, default=500, help='of each')
    parser.add_argument('--out', required=True, help='folder of everything that is made')
    given = parser.parse_args()
    known = {'people', 'people_bent', 'rebuilt', *PLANS, *(name + _AS_IS for name in PLANS)}
    for arm in given.arms.split(','):
        plain = next((arm.removeprefix(mix) for mix in MIXES if arm.startswith(mix)), arm)
        if plain.removesuffix(_VERIFIED) not in known:
            parser.error(f'--arms: {arm}; expected some of {", ".join(sorted(known))}, or {MIXES} before it')
    if 'people' not in given.arms.split(','):
        parser.error('--arms: expected people among them, whom the others are compared with')
    return given


def main():
    """Fine-tunes, writes, teaches, and reports."""
    given, begin = _options(), time.perf_counter()

    def log(told):
        print(f'{time.perf_counter() - begin:5.0f} s  {told}', flush=True)

    out, people = pathlib.Path(given.out), read_people(given.numbers)
    teachers, others = split_people(len(people), split=given.split)
    real = kept(out / 'people.npz', lambda: seen(people))
    lessons = Lessons(people[teachers], real[teachers], given=given, out=out, log=log)
    shares = {}
    for seed in range(given.seeds):
        for arm in given.arms.split(','):

            def taught(arm=arm, seed=seed):
                right, answers = taught_by(arm, lessons, real[others], seed=seed, steps=given.steps)
                return {'shares': right.tolist(), 'answers': answers.tolist()}

            asked = {'split': given.split, 'steps': given.steps, 'rounds': given.rounds}
            found = once(out / 'taught' / f'{arm}-{seed}.json', asked, taught)
            shares.setdefault(arm, []).append(found['shares'])
            log(f'seed {seed}, taught by {arm}: {np.mean(shares[arm][-1]):.4f}')
    table = report(shares)
    for arm in filter(None, given.told.split(',')):
        told = tell_apart(
            real[others],
            as_hands(*lessons.of(arm), hands=len(others)),
            seeds=given.tell_seeds,
            steps=given.tell_steps,
        )
        share, low, high = told.accuracy
        table += f'\nWhich is real, {arm}: {share:.3f} ({low:.3f} to {high:.3f}), {told.pictures} pictures\n'
    files.write_file(str(out / 'people_arms.md'), table.encode())
    print(table)


if __name__ == '__main__':
    main()
