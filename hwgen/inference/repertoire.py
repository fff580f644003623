"""Repertoire: what a trained generator can write, told from its `generator.json` and the table of characters
alone, without TensorFlow.

A network gives a picture for any number that its tables have. Of a component that no training picture showed
it never learned one, so what it gives there is a scribble, which looks like some other character. What it was
shown its artefact says (`seen`): it can write those characters, and every other one whose components and
structure it knows from them; of `folding`, forms that look alike, it takes those that it was shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hwgen import console
from hwgen.charset import folding, ids, symbols
from hwgen.charset.composition import describe
from hwgen.charset.encoding import Charset, CharsetError, EncodedText
from hwgen.charset.normal_form import plain
from hwgen.inference.description import read_description
from hwgen.settings.model import CONTENT_ENCODINGS, ContentEncoding

_HELP = (
    'expected others, or --allow_unseen (in Python the argument allow_unseen), which writes it all the same'
)


def as_texts(texts: Any) -> list[str]:
    """The texts that are given, one or several: list of str; TypeError for what is none."""
    if isinstance(texts, str):
        return [texts]
    try:
        found = list(texts)
    except TypeError as error:
        raise TypeError(f'texts={texts!r}: expected a text, or a list of texts') from error
    for position, text in enumerate(found):
        if not isinstance(text, str):
            raise TypeError(f'text {position}: {text!r}: expected a text')
    return found


class Repertoire:
    """The characters of one generator.

    Args:
        charset: Charset, the table as it was when the generator was trained (`Charset.prefix`).
        sizes: has `content_encoding`, `num_components`, `num_structures`, `num_characters`, `char_px` and
            `char_width_px`, as `GeneratorConfig`; or a dict of these.
        seen: str, characters that training pictures showed; None: not known, nothing is refused for it and
            nothing folded.
        allow_unseen: bool, what cannot be written is written all the same.
        tell: function of a str, told once of the first character that is written though it cannot be.

    Attributes:
        charset: the same.
        char_px, char_width_px: int, size of a character's cell in pixels.
        knows_seen: bool, whether `seen` is known.
        seen_components, seen_structures, seen_characters: bool [num_components], [num_structures],
            [num_characters], by id; True where nothing is refused.
        folding: `folding.Folding`.
        by_character: bool, whether characters are learned whole, so that nothing is composed (content
            encoding `onehot`).
    """

    def __init__(
        self,
        charset: Charset,
        sizes: Any,
        *,
        seen: str | None = None,
        allow_unseen: bool = False,
        tell: Callable[[str], object] | None = console.warn,
    ) -> None:
        def get(name: str) -> Any:
            return sizes.get(name) if isinstance(sizes, dict) else getattr(sizes, name)

        self.charset, self.knows_seen, self.allow_unseen = charset, seen is not None, allow_unseen
        self.char_px, self.char_width_px = get('char_px'), get('char_width_px')
        self._encoding = CONTENT_ENCODINGS.get(get('content_encoding'), ContentEncoding())
        self.by_character = self._encoding.by_character
        self._num_components, self._num_structures, self._num_characters = (
            get(f'num_{kind}s') for kind in ('component', 'structure', 'character')
        )
        self._tell = tell
        self.seen_components, self.seen_structures, self.seen_characters = (
            np.full(size, not self.knows_seen)
            for size in (charset.num_components, charset.num_structures, charset.num_characters)
        )
        if seen is not None:
            rows = [0, *(charset.character_id(character) for character in seen)]
            blank = charset.character_id(symbols.SPACE)
            for row in (*rows, blank):  # a space is blank paper, which nobody has to learn
                self.seen_characters[row] = True
            self.seen_components[charset.character_components[[*rows, blank]]] = True
            self.seen_structures[charset.character_structures[[*rows, blank]]] = True
        self.folding = folding.fold_unseen(
            charset, lambda character: bool(self.seen_characters[charset.character_id(character)])
        )

    @classmethod
    def of(cls, description: dict[str, Any], charset: Charset | None = None, **options: Any) -> Repertoire:
        """From what an artefact says of itself.

        Args:
            description: dict of `read_description`.
            charset: Charset, or None for the packaged one; taken as it was when the artefact was made.
            **options: allow_unseen, tell.

        Raises:
            CharsetMismatchError: the artefact was made with another table.
        """
        table = description['charset']
        charset = (charset or Charset.load()).prefix(table['row_count'], table['hash'])
        return cls(
            charset,
            {'content_encoding': 'layout', **description['generator']},
            seen=description.get('seen'),
            **options,
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], **options: Any) -> Repertoire:
        """From a generator's folder; raises ArtefactError, or as `of`."""
        return cls.of(read_description(path), **options)

    def picture_size(self, num_characters: int, height_px: int | None = None) -> tuple[int, int]:
        """Width and height in pixels of the picture of a line scaled to a height (None: as written)."""
        return (
            round(num_characters * self.char_width_px * (height_px or self.char_px) / self.char_px),
            height_px or self.char_px,
        )

    @property
    def note(self) -> str:
        """A line for the user where the artefact does not say what it was shown, else ''."""
        return (
            ''
            if self.knows_seen
            else (
                'it does not say which characters its training pictures showed, so that none is refused for'
                ' that'
            )
        )

    def encode(self, text: str, *, quotes_before: int = 0) -> EncodedText:
        """Text -> codes that the generator can write.

        Args:
            text: str; a sequence of components such as ⿱山鱼 stands for one character.
            quotes_before: int, plain quotation marks (") before the text where it goes on with another: see
                `fold`.

        Returns:
            EncodedText; its units are the text as it was written, its codes those of the forms that are
            written (`folding`).

        Raises:
            CharsetError: empty text, a character the table does not have, or one that this generator cannot
                write, whatever its pictures showed, or was not shown (not where `allow_unseen`); `position`
                is its place in the text.
        """
        encoded = self.charset.encode(text)
        if not encoded.units:
            raise CharsetError('empty text: expected at least one character', 0)
        encoded = self.fold(encoded, quotes_before=quotes_before)
        for wrong, reason in self._refusals(encoded):
            self._refuse(encoded, wrong, reason)
        unseen = self._unseen(encoded)
        if self.allow_unseen and unseen.any():
            self._say_once(encoded.units[int(np.argmax(unseen))])
        elif not self.allow_unseen:
            self._refuse(encoded, unseen, self._why_unseen, name=describe)
        return encoded

    def fold(self, encoded: EncodedText, *, quotes_before: int = 0) -> EncodedText:
        """Codes with those symbols in their like forms that the generator was shown only in these.

        Args:
            encoded: EncodedText.
            quotes_before: int, how many symbols that stand for two forms by turns went before: " is “ after
                an even number of them, else ”.

        Returns:
            EncodedText.
        """
        if not self.folding:
            return encoded
        rows = folding.folded_ids(self.folding, encoded.component_ids, turned=quotes_before)
        there = rows > 0
        return encoded._replace(
            character_ids=np.where(there, rows, encoded.character_ids),
            component_ids=np.where(
                there[:, np.newaxis], self.charset.character_components[rows], encoded.component_ids
            ),
            structure_ids=np.where(there, self.charset.character_structures[rows], encoded.structure_ids),
        )

    def can_write(self, encoded: EncodedText, *, allow_unseen: bool | None = None) -> np.ndarray:
        """Which characters of a text are written: `encode` refuses the others.

        Args:
            encoded: EncodedText.
            allow_unseen: bool, in place of the repertoire's own.

        Returns:
            bool [N].
        """
        encoded = self.fold(encoded)
        wrong = [wrong for wrong, _ in self._refusals(encoded)]
        if not (self.allow_unseen if allow_unseen is None else allow_unseen):
            wrong.append(self._unseen(encoded))
        return ~np.any(wrong, axis=0)

    def _refusals(self, encoded):
        """What the network has no numbers for: pairs of bool [N] and the reason, a str or a function of
        the place of the character.
        """
        if self.by_character:
            yield (
                (encoded.character_ids <= 0) | (encoded.character_ids >= self._num_characters),
                'has no filter in this model (content encoding onehot writes only characters of its table)',
            )
        else:
            yield (
                (encoded.component_ids >= self._num_components).any(axis=1),
                'has a component that was added to the table after this model was trained',
            )
            yield (
                encoded.structure_ids >= self._num_structures,
                'has a structure that was added to the table after this model was trained',
            )
        if self._encoding.numbered_structures:
            yield ~encoded.exact_structure, self._unknown_structure

    def _unseen(self, encoded):
        """Which characters no training picture showed, nor the parts that they are made of.

        EncodedText -> bool [N]
        """
        if self.by_character:
            return ~self.seen_characters[encoded.character_ids]
        return ~(
            self.seen_components[encoded.component_ids].all(axis=1)
            & self.seen_structures[encoded.structure_ids]
        )

    def _refuse(self, encoded, wrong, reason, *, name=repr):
        """Raises for the first character that is wrong: bool [N]; reason: str, or function of
        (EncodedText, place); name: function of the character.
        """
        if wrong.any():
            index = int(np.argmax(wrong))
            unit, position = encoded.units[index], sum(len(unit) for unit in encoded.units[:index])
            reason = reason if isinstance(reason, str) else reason(encoded, index)
            raise CharsetError(f'{name(unit)} at position {position}: {reason}', position)

    def _why_unseen(self, encoded, index):
        return f'{self.why_unseen(encoded.component_ids[index], encoded.structure_ids[index])}; {_HELP}'

    def why_unseen(self, components: Sequence[int] | np.ndarray, structure: int) -> str:
        """Why a code cannot be written. Component ids [4], structure id -> str."""
        missing = [
            self.charset.components[component]
            for component in components
            if not self.seen_components[component]
        ]
        if self.by_character or missing and not any(components[1:]):
            return 'no training picture of this model showed it'
        part = (
            f'component {", ".join(missing)}'
            if missing
            else f'structure {self.charset.structures[structure]}'
        )
        return f'no training picture of this model showed it, nor its {part}'

    def _unknown_structure(self, encoded, index):
        unit = encoded.units[index]
        pattern = ids.pattern(ids.parse_whole(plain(unit)))
        return (
            f'its structure {pattern} has no number, which content encoding sequence needs; nearest'
            f' structures that have one: {", ".join(self.charset.nearest_patterns(unit))}'
        )

    def _say_once(self, unit):
        if self._tell is not None:
            self._tell(
                f'{describe(unit)} is written though no training picture of this model showed it nor its'
                ' parts, and so are others like it: expect scribbles'
            )
            self._tell = None
