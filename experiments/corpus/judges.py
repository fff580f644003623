"""Two questions to a small network: do simulated hands teach to read people's, and can it tell the two
apart?
"""

from typing import NamedTuple

import numpy as np

from experiments.corpus.spreads import estimate, resample
from hwgen.evaluation.measuring.small_network import SmallNetwork


class Verdict(NamedTuple):
    """Accuracy on hands that a network has not seen.

    Attributes:
        accuracy: Estimate, over the writers tested.
        seeds: list of float, of each network.
        characters: list of float, of each character.
        pictures: int, tested by each network.
        surest: list of (float, kind, writer, character, copy) of the last network: its log-odds for the
            second kind, of each picture; empty where the question is which character it is.
    """

    accuracy: tuple
    seeds: list
    characters: list
    pictures: int
    surest: list


def halves(writers, *, seed):
    """Two int arrays: the writers of training, and those of the test."""
    order = np.random.default_rng((seed, writers)).permutation(writers)
    return np.sort(order[: writers // 2]), np.sort(order[writers // 2 :])


def teach(people, simulated, *, seeds, steps):
    """Reads people's characters.

    Args:
        people, simulated: uint8 [W, C, S, SIDE_PX, SIDE_PX], 255 = ink.
        seeds, steps: int: networks of each kind, and steps of each.

    Returns:
        dict of Verdict: `simulated` taught by all simulated hands, tested on the half of the people that
        `people` is tested on, too; `people` taught by the other half; `simulated_all` as the first, tested on
        all people.
    """
    right = {
        name: np.full([seeds, *people.shape[:3]], np.nan) for name in ('simulated', 'people', 'simulated_all')
    }
    for seed in range(seeds):
        taught, tested = halves(len(people), seed=seed)
        for name, lesson in (('simulated', simulated), ('people', people[taught])):
            network = SmallNetwork(people.shape[1], seed=seed).train(
                _flat(lesson), _characters(lesson).ravel(), steps=steps
            )
            found = network.logits(_flat(people)).argmax(1).reshape(people.shape[:3]) == _characters(people)
            right[name][seed, tested] = found[tested]
            if name == 'simulated':
                right['simulated_all'][seed] = found
    return {name: _verdict(answers) for name, answers in right.items()}


def tell_apart(first, second, *, seeds, steps):
    """Tells two kinds of hands apart: 0.5 is chance.

    Half of the writers of each kind teach, the others are tested; both kinds have the same number of pictures
    of each character in both.

    Args:
        first, second: uint8 [W, C, S, SIDE_PX, SIDE_PX], 255 = ink, the same C; W and S may differ.
        seeds, steps: int.

    Returns:
        Verdict.
    """
    writers, copies = min(len(first), len(second)), min(first.shape[2], second.shape[2])
    kinds = np.stack([first[:writers, :, :copies], second[:writers, :, :copies]])
    right = np.full([seeds, 2, *kinds.shape[1:4]], np.nan)
    for seed in range(seeds):
        sides = [halves(writers, seed=2 * seed + kind) for kind in (0, 1)]
        lesson = np.concatenate([_flat(kinds[kind, sides[kind][0]]) for kind in (0, 1)])
        labels = np.repeat([0, 1], len(lesson) // 2)
        network = SmallNetwork(2, seed=seed).train(lesson, labels, steps=steps)
        surest = []
        for kind in (0, 1):
            tested = sides[kind][1]
            logits = network.logits(_flat(kinds[kind, tested]))
            odds = (logits[:, 1] - logits[:, 0]).reshape(len(tested), *kinds.shape[2:4])
            right[seed, kind, tested] = (odds > 0) == kind
            surest += [
                (float(odds[place]), kind, int(tested[place[0]]), place[1], place[2])
                for place in np.ndindex(odds.shape)
            ]
    return _verdict(right.reshape(seeds, -1, *right.shape[3:]), sorted(surest))


def lots(writers):
    """Two int arrays: writers called first and second by lot.

    (By their order they differ: the first and last 50 people are told apart a little.)
    """
    order = np.random.default_rng(writers).permutation(writers)
    return np.sort(order[::2]), np.sort(order[1::2])


def same_kind(pictures, *, seeds, steps):
    """The check that `tell_apart` finds nothing where there is nothing: the same people, called first or
    second by lot.

    Args:
        pictures: uint8 [W, C, S, SIDE_PX, SIDE_PX].
        seeds, steps: int.

    Returns:
        Verdict; about 0.5.
    """
    first, second = lots(len(pictures))
    return tell_apart(pictures[first], pictures[second], seeds=seeds, steps=steps)


def _verdict(right, surest=()):
    """Verdict of float [seeds, writers, C, S]: 1 right, 0 wrong, NaN not asked."""
    asked = ~np.isnan(right)
    count, correct = asked.sum((0, 2, 3)), np.nansum(right, (0, 2, 3))
    drawn = resample(len(count))
    with np.errstate(invalid='ignore'):  # of few writers a resampling may draw none that was asked
        accuracies = correct[drawn].sum(1) / count[drawn].sum(1)
    return Verdict(
        accuracy=estimate(accuracies),
        seeds=[float(np.nanmean(answers)) for answers in right],
        characters=[float(value) for value in np.nanmean(right, (0, 1, 3))],
        pictures=int(asked[0].sum()),
        surest=list(surest),
    )


def _flat(pictures):
    return pictures.reshape(-1, *pictures.shape[-2:])


def _characters(pictures):
    return np.broadcast_to(np.arange(pictures.shape[1])[None, :, None], pictures.shape[:3])


def judge(people, simulated, thickened, *, seeds, teach_steps, tell_steps, log=print):
    """All networks.

    Args:
        people, simulated: Pictures.
        thickened: Pictures of the paths of the second lot of people in the pens of the simulated hands, or
            None.
        seeds, teach_steps, tell_steps: int.
        log: takes a str.

    Returns:
        dict name -> Verdict.
    """
    taught = teach(people.inked, simulated.inked, seeds=seeds, steps=teach_steps)
    log('taught')
    settings = {'seeds': seeds, 'steps': tell_steps}
    verdicts = {
        'reads people, taught by simulated hands': taught['simulated'],
        'reads the same people, taught by other people': taught['people'],
        'reads all people, taught by simulated hands': taught['simulated_all'],
        'tells apart, everything': tell_apart(people.inked, simulated.inked, **settings),
        'tells apart, path only': tell_apart(people.paths, simulated.paths, **settings),
    }
    log('told apart')
    verdicts['check: people from people, everything'] = same_kind(people.inked, **settings)
    if thickened is not None:
        verdicts['check: people from other people in simulated pens, path only'] = tell_apart(
            people.paths[lots(len(people.paths))[0]], thickened.paths, **settings
        )
    return verdicts
