"""Isolated characters: what a small network that learned from a corpus reads of people's numerals and of
other hands.
"""

import pathlib

import numpy as np

from experiments.corpus import hands
from experiments.corpus.measured import once
from hwgen.evaluation.measuring.lookalikes import CLASSES
from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.evaluation.measuring.small_network import SmallNetwork

TUNED_PEOPLE = 5  # people of whom a network gets one copy of each numeral besides
_TUNING = {'steps': 200, 'times': 8}
_ALONE_STEPS = 600


class Pools:
    """The characters of each kind of hands, drawn once and kept in a folder.

    Args:
        folder: path.
        writers, tested: int, hands that teach, and others.
        longer_px: float, mean longer side of people's characters, to whose resolution all are brought.
        characters: str.
    """

    def __init__(self, folder, *, writers, tested, longer_px, characters=CLASSES):
        self._folder, self._longer_px, self.characters = pathlib.Path(folder), longer_px, characters
        self._indices = {'taught': range(writers), 'tested': [hands.test_index(n) for n in range(tested)]}
        self._kept = {}

    def get(self, kind, side):
        """Pictures of `hands.draw_pool`, and which are there, of the hands that are 'taught' or 'tested'."""
        if (kind, side) not in self._kept:
            indices = self._indices[side]
            name = f'{kind}-{side}-{len(indices)}-{len(self.characters)}-{hands.fingerprint(kind)[:12]}.npz'
            path = self._folder / name
            if not path.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                factor = hands.scanner_factor(kind, self._longer_px)
                pictures, there = hands.draw_pool(kind, self.characters, indices, factor=factor)
                np.savez_compressed(path.with_suffix('.partial.npz'), pictures=pictures, there=there)
                path.with_suffix('.partial.npz').replace(path)
            with np.load(path) as archive:
                self._kept[kind, side] = archive['pictures'], archive['there']
        return self._kept[kind, side]

    def lesson(self, kinds, *, copies, rng):
        """Pictures to learn from: of each character as many, each by another hand as far as there are enough.

        Args:
            kinds: dict kind -> share.
            copies: int, of each character.
            rng: numpy Generator, which hands.

        Returns:
            uint8 [C * copies, SIDE_PX, SIDE_PX]; int [C * copies].
        """
        pictures, counts = [], split_count(kinds, copies)
        orders = {kind: rng.permutation(len(self.get(kind, 'taught')[0])) for kind in counts}
        for c in range(len(self.characters)):
            for kind, count in counts.items():
                drawn, there = self.get(kind, 'taught')
                having = orders[kind][there[orders[kind], c]]
                pictures.append(drawn[np.resize(having, count), c])
        return np.concatenate(pictures), np.repeat(np.arange(len(self.characters)), copies)


def split_count(shares, total):
    """dict kind -> int of dict kind -> share, together `total`; the last one gets what rounding leaves."""
    names, counts = list(shares), {}
    for name in names:
        counts[name] = total - sum(counts.values()) if name == names[-1] else round(shares[name] * total)
    return {name: count for name, count in counts.items() if count}


def measure(row, pools, people, *, seeds, copies, steps, folder):
    """What a corpus is worth to a small network.

    Args:
        row: Row.
        pools: Pools.
        people: uint8 [W, 15, S, SIDE_PX, SIDE_PX], 255 = ink.
        seeds: int, networks, each taught by other hands.
        copies: int, of each character.
        steps: int.
        folder: path, where the networks are kept (`ROW-SEED.npz`).

    Returns:
        dict of lists, one entry a seed: `people` and `people_15` (list of float, of each person: told from
        all characters, or among the numerals), `tuned_15` (None for those it learned from), and for each kind
        of hands, `KIND`: list of float, of each hand.
    """
    found = {name: [] for name in ('people', 'people_15', 'tuned_15', *hands.KINDS)}
    numerals = len(NUMERALS)
    for seed in range(seeds):
        rng = np.random.default_rng((7, seed))
        lesson, labels = pools.lesson(row.kinds(), copies=copies, rng=rng)
        network = SmallNetwork(len(pools.characters), seed=seed).train(lesson, labels, steps=steps)
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        network.save(pathlib.Path(folder) / f'{row.name}-{seed}.npz')
        everything, among = read_people(network, people)
        found['people'].append(everything)
        found['people_15'].append(among)
        for kind in hands.KINDS:
            pictures, there = pools.get(kind, 'tested')
            logits = network.logits(pictures.reshape(-1, *pictures.shape[2:])).reshape(*there.shape, -1)
            right = (logits.argmax(-1) == np.arange(there.shape[1])) & there
            found[kind].append((right.sum(1) / there.sum(1)).round(4).tolist())
        few = taught_people(len(people), seed)
        few_pictures, few_labels = one_copy(people, few, seed)
        corpus = labels < numerals
        network.train(
            np.concatenate([lesson[corpus], *[few_pictures] * _TUNING['times']]),
            np.concatenate([labels[corpus], *[few_labels] * _TUNING['times']]),
            steps=_TUNING['steps'],
        )
        found['tuned_15'].append(_without(read_people(network, people)[1], few))
    return found


def measure_alone(people, *, seeds):
    """The same few people's numerals without any corpus: dict of `tuned_15` as `measure` has it."""
    found = []
    for seed in range(seeds):
        few = taught_people(len(people), seed)
        network = SmallNetwork(len(NUMERALS), seed=seed).train(
            *one_copy(people, few, seed), steps=_ALONE_STEPS
        )
        found.append(_without(read_people(network, people)[1], few))
    return {'tuned_15': found}


def taught_people(count, seed):
    """int array: the people of whom a network gets numerals."""
    return np.random.default_rng((11, seed)).permutation(count)[:TUNED_PEOPLE]


def one_copy(people, few, seed):
    """One copy of each numeral of some people: pictures and labels."""
    copy = seed % people.shape[2]
    return people[few, :, copy].reshape(-1, *people.shape[3:]), np.tile(np.arange(people.shape[1]), len(few))


def read_people(network, people):
    """Accuracy of each person, told from all characters and among the numerals: two lists of float."""
    shape = people.shape[:3]
    logits = network.logits(people.reshape(-1, *people.shape[3:])).reshape(*shape, -1)
    right = np.arange(shape[1])[None, :, None]
    return [
        ((part.argmax(-1) == right).mean((1, 2))).round(4).tolist()
        for part in (logits, logits[..., : shape[1]])
    ]


def _without(values, few):
    return [None if n in few else value for n, value in enumerate(values)]


def measure_rows(bench, rows):
    """Does this part for some rows; figures in `characters/ROW.json`.

    Args:
        bench: Bench.
        rows: sequence of Row.
    """
    sizes, folder = bench.sizes, bench.out / 'characters'
    names = ('seeds', 'taught', 'tested', 'copies', 'steps', 'people_copies')
    for row in rows:
        once(
            folder / f'{row.name}.json',
            bench.under(row, *names),
            lambda row=row: measure(
                row,
                bench.pools,
                bench.people,
                seeds=sizes['seeds'],
                copies=sizes['copies'],
                steps=sizes['steps'],
                folder=folder / 'networks',
            ),
        )
        bench.log(f'characters, {row.title}')
    once(
        folder / 'nothing.json',
        {'seeds': sizes['seeds']},
        lambda: measure_alone(bench.people, seeds=sizes['seeds']),
    )
