"""From any tree to a code: at most four known components and a structure.

A leaf is kept where it is a known component, or replaced by its own code where it is a character; a part that
is the code of a character which is itself a component may stand as that component. Of the codes that fit, the
one of a character in the table is taken, else one whose pattern has an id, else the one with the most leaves
expanded.
"""

import heapq
import itertools
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from hwgen.charset import ids
from hwgen.charset.dictionary import MAX_COMPONENTS, CharsetError
from hwgen.charset.ids import Tree

_NAMELESS = '？'  # stands in errors for a component without a code point, which the table calls by a number


class Composition(NamedTuple):
    """A code: tokens (1 to 4 str), its flattened tree and the pattern of that, whether the pattern is
    known.
    """

    tokens: tuple[str, ...]
    tree: Tree
    pattern: str
    known_pattern: bool


class Composer:
    """Finds codes.

    Args:
        components: set of str, tokens that may stand in a code.
        patterns: dict str -> int, known patterns and their ids.
        trees: dict str -> tree, the codes of table characters.
        further_trees: callable, () -> dict str -> sequence, codes of ideographs outside the table.
    """

    def __init__(
        self,
        components: Collection[str],
        *,
        patterns: Mapping[str, int],
        trees: Mapping[str, Tree],
        further_trees: Callable[[], Mapping[str, str]],
    ):
        self._components, self._patterns = components, patterns
        self._trees, self._further_trees = trees, further_trees
        self._names = {tree: character for character, tree in trees.items()}

    def compose(self, tree: Tree, *, leaf_positions: Sequence[int], position: int) -> Composition:
        """Finds the code of a tree.

        Args:
            tree: token or (operator, child, ...).
            leaf_positions: sequence of int, place in the text of every leaf, for errors.
            position: int, place of the tree.

        Returns:
            Composition.

        Raises:
            CharsetError: an unknown component, or more than four components.
        """
        candidates = self._candidates(tree, iter(leaf_positions))
        if not candidates:
            name = describe(tree) if isinstance(tree, str) else ids.format_tree(tree)
            raise CharsetError(
                f'{name} at position {position}: needs {self._fewest(tree)} components, expected at most '
                f'{MAX_COMPONENTS}',
                position,
            )
        flat = ids.flatten(
            min(candidates, key=lambda candidate: self._rank(candidate, candidates[candidate]))
        )
        pattern = ids.pattern(flat)
        return Composition(ids.leaves(flat), flat, pattern, pattern in self._patterns)

    def _rank(self, tree, kept):
        flat = ids.flatten(tree)
        pattern = ids.pattern(flat)
        # The last two make the order total: fewer operators, then the sequence itself.
        return (
            flat not in self._names,
            pattern not in self._patterns,
            kept,
            len(ids.operators(flat)),
            ids.format_tree(flat),
        )

    def _candidates(self, tree, positions):
        """dict tree -> number of leaves kept whole although they have a code of their own."""
        if isinstance(tree, str):
            return self._leaf(tree, next(positions))
        result = {}
        parts = [self._candidates(child, positions) for child in tree[1:]]
        for chosen in itertools.product(*(part.items() for part in parts)):
            candidate = (tree[0], *(child for child, _ in chosen))
            if len(ids.leaves(candidate)) > MAX_COMPONENTS:
                continue
            kept = sum(count for _, count in chosen)
            result[candidate] = min(kept, result.get(candidate, kept))
            name = self._names.get(ids.flatten(candidate))
            if name in self._components:
                result.setdefault(name, kept + 1)
        return result

    def _leaf(self, token, position):
        tree = self._tree(token)
        if tree is None and token not in self._components:
            named = describe(token) if len(token) == 1 else f'{token}, {self._in_words(token)},'
            raise CharsetError(
                f'{named} at position {position}: not in the table and not a known'
                f' component{self._like(token)}',
                position,
            )
        missing = [] if tree is None else [leaf for leaf in ids.leaves(tree) if leaf not in self._components]
        if missing:
            nearest = self.nearest(tree)
            help_ = f'; nearest: {" ".join(nearest)}' if nearest else ''
            needed = [
                leaf if len(leaf) == 1 else f'{_NAMELESS} ({self._in_words(leaf, but=token)})'
                for leaf in missing
            ]
            raise CharsetError(
                f'{describe(token)} at position {position}: not in the table; as'
                f' {re.sub(r"{[0-9]+}", _NAMELESS, ids.format_tree(tree))} it would need {", ".join(needed)},'
                f' not known as component{help_}',
                position,
            )
        result = {}
        if tree is not None and len(ids.leaves(tree)) <= MAX_COMPONENTS:
            result[tree] = 0
        if token in self._components:
            result.setdefault(token, 1)
        return result

    def _in_words(self, token, *, but=''):
        """What a component without a code point is to a person, who does not know it by its number:
        characters that have it.
        """
        found = [character for character, tree in self._trees.items() if token in ids.leaves(tree)]
        found += [
            character
            for character, sequence in self._further_trees().items()
            if token in sequence and character not in found
        ]
        found = [character for character in found if character != but]
        return (
            f'a part that is no character, found in {" ".join(found[:3])}'
            if found
            else 'a part that is no character'
        )

    def _like(self, token):
        """What of the table resembles a token, for errors: the characters that it is made of, such as (1)
        for ⑴, or its letter without accents.
        """
        bare = ''.join(
            character
            for character in unicodedata.normalize('NFD', token)
            if not unicodedata.combining(character)
        )
        for plain in unicodedata.normalize('NFKC', token), bare:
            if (
                plain != token
                and plain
                and all(character in self._trees or character in self._components for character in plain)
            ):
                return f'; {describe(plain) if len(plain) == 1 else plain} is known'
        return ''

    def _tree(self, token):
        tree = self._trees.get(token)
        if tree is None and token not in self._components:
            sequence = self._further_trees().get(token)
            tree = None if sequence is None else ids.flatten(ids.parse_whole(sequence))
        return tree

    def _fewest(self, tree):
        return sum(
            1 if leaf in self._components else len(ids.leaves(self._tree(leaf))) for leaf in ids.leaves(tree)
        )

    def nearest(self, tree: Tree, count: int = 3) -> list[str]:
        """Table characters that share leaves with a tree: the most first, then those of its pattern, then in
        the order of the table.

        Args:
            tree: token or (operator, child, ...).
            count: int, how many at most.

        Returns:
            list of str.
        """
        leaves, pattern = set(ids.leaves(tree)), ids.pattern(tree)
        related = [
            character for character, other in self._trees.items() if not leaves.isdisjoint(ids.leaves(other))
        ]
        return heapq.nsmallest(
            count,
            related,
            key=lambda character: (
                -len(leaves.intersection(ids.leaves(self._trees[character]))),
                ids.pattern(self._trees[character]) != pattern,
            ),
        )


def describe(token: str) -> str:
    """A token for errors: 'U+9C7B 鱻', or {83} as it is."""
    return token if len(token) > 1 else f'U+{ord(token):04X} {token}'
