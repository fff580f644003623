"""How a character is cut into components: its candidates, and the cheapest ones of all characters together.

A character's candidates are itself and every cut of its tree with at most four leaves. A cut costs the more
the rarer its components and its structure are, so that what many characters share is chosen and becomes more
frequent: iterated until nothing changes.
"""

import collections
import itertools
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from hwgen.charset import dictionary, ids
from hwgen.charset.ideograph_sources import SourcedSequences, choose_sequence
from hwgen.charset.ids import Tree

ROUNDS, DAMPED_ROUNDS = 40, 30
LEAF_COST, OVERLAP_COST, STROKE_COST, WHOLE_COST, STRUCTURE_WEIGHT, RAREST = 0.05, 2, 0.3, 0.6, 2, 0.02
OVERLAPS = '⿻㇯⿾⿿'
UNKNOWN = '？'


class Cuts:
    """Candidates: a character itself and every cut of its recursive tree with at most four leaves, flattened.

    Args:
        sequences: dict str -> list of (source letters, sequence).
        single_bodies: set of str, characters that are never taken apart.
    """

    def __init__(self, sequences: SourcedSequences, *, single_bodies: Collection[str]):
        self._sequences, self._single_bodies = sequences, single_bodies
        self._cuts: dict[str, tuple[Tree, ...]] = {}

    def expand(self, token: str) -> Tree | None:
        """The tree of a token's own sequence, or None where it has none that says something."""
        if token in self._single_bodies or len(token) > 1:
            return None
        sequence = choose_sequence(self._sequences.get(token, ()))
        if sequence is None:
            return None
        tree = ids.parse_whole(sequence)
        return None if isinstance(tree, str) or UNKNOWN in ids.leaves(tree) else tree

    def of(self, token: str) -> tuple[Tree, ...]:
        """Flattened candidates of a character, itself first: tuple of trees."""
        return tuple(dict.fromkeys(map(ids.flatten, self._of(token))))

    def _of(self, token):
        if token not in self._cuts:
            self._cuts[token] = (token,)  # a sequence that came back to its own character would end here
            tree = self.expand(token)
            self._cuts[token] += () if tree is None else self._of_tree(tree)
        return self._cuts[token]

    def _of_tree(self, tree):
        if isinstance(tree, str):
            return self._of(tree)
        combinations = itertools.product(*(self._of_tree(child) for child in tree[1:]))
        return tuple(
            (tree[0], *parts)
            for parts in combinations
            if sum(len(ids.leaves(part)) for part in parts) <= dictionary.MAX_COMPONENTS
        )


class Candidate(NamedTuple):
    """A cut with what its cost needs: distinct leaves, pattern, and the part of the cost that does not
    change.
    """

    tree: Tree
    components: tuple[str, ...]
    pattern: str
    own_cost: float


def candidate(tree: Tree, *, divisible: bool, strokes: Collection[str]) -> Candidate:
    """Prepares a cut.

    Args:
        tree: flattened tree.
        divisible: bool, whether the character has other cuts.
        strokes: set of str, tokens of one stroke.

    Returns:
        Candidate.
    """
    leaves = ids.leaves(tree)
    cost = (
        LEAF_COST * len(leaves)
        + OVERLAP_COST * sum(operator in OVERLAPS for operator in ids.operators(tree))
        + STROKE_COST * sum(leaf in strokes for leaf in leaves)
        + WHOLE_COST * (isinstance(tree, str) and divisible)
    )
    return Candidate(tree, tuple(dict.fromkeys(leaves)), ids.pattern(tree), cost)


def choose(candidates: dict[str, list[Candidate]]) -> dict[str, list[Candidate]]:
    """Iterates to the cheapest cut of every character.

    Args:
        candidates: dict character -> list of Candidate; one that has a single candidate keeps it.

    Returns:
        dict character -> list of Candidate, cheapest first.
    """
    component_counts: dict[str, float] = collections.defaultdict(float)
    pattern_counts: dict[str, float] = collections.defaultdict(float)
    for cuts in candidates.values():
        for cut in cuts:
            pattern_counts[cut.pattern] += 1 / len(cuts)
            for component in cut.components:
                component_counts[component] += 1 / len(cuts)
    for step in range(ROUNDS):
        cost = cost_of(component_counts, pattern_counts)
        chosen = [cuts[0] if len(cuts) == 1 else min(cuts, key=cost) for cuts in candidates.values()]
        now = (
            collections.Counter(c for cut in chosen for c in cut.components),
            collections.Counter(cut.pattern for cut in chosen),
        )
        keep = 0.5 if step < DAMPED_ROUNDS else 0
        for counts, new in zip((component_counts, pattern_counts), now, strict=True):
            for name in counts:
                counts[name] = keep * counts[name] + (1 - keep) * new[name]
    cost = cost_of(component_counts, pattern_counts)
    return {character: sorted(cuts, key=cost) for character, cuts in candidates.items()}


def cost_of(
    component_counts: Mapping[str, float], pattern_counts: Mapping[str, float]
) -> Callable[[Candidate], float]:
    """What cuts cost where components and patterns are so frequent.

    Args:
        component_counts, pattern_counts: dict str -> float.

    Returns:
        function of a Candidate, gives its cost.
    """
    component_costs = {name: 1 / max(count, RAREST) for name, count in component_counts.items()}
    pattern_costs = {name: STRUCTURE_WEIGHT / max(count, RAREST) for name, count in pattern_counts.items()}

    def cost(cut: Candidate) -> float:
        components = sum(component_costs[component] for component in cut.components)
        return cut.own_cost + pattern_costs[cut.pattern] + components

    return cost


def unique(choices: dict[str, list[Candidate]]) -> dict[str, Candidate]:
    """Takes the cheapest code of every character that no earlier one has.

    Args:
        choices: dict character -> list of Candidate, cheapest first; characters of more weight first.

    Returns:
        dict character -> Candidate.

    Raises:
        ValueError: a character has no code of its own left.
    """
    taken, result = set(), {}
    for character, cuts in choices.items():
        free = [cut for cut in cuts if cut.tree not in taken]
        if not free:
            raise ValueError(
                f'{character}: all of its {len(cuts)} codes are taken by other characters, expected a'
                ' free one'
            )
        result[character] = free[0]
        taken.add(free[0].tree)
    return result
