"""Client: texts to a server that runs an exported model, pictures back.

Text goes to `serving_default`, where the graph splits it. A text with Ideographic Description Sequences
(⿱山鱼) is read here, by the dictionary as it was when the server's model was trained, and goes to
`components` as codes; so does every text with combining marks, which the graph does not compose, or for which
a truncation is asked. In a hand that `imitate` saved all texts go to `styled_components`. No TensorFlow is
needed for REST.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hwgen.characters import Characters
from hwgen.charset import ids
from hwgen.charset.encoding import Charset, CharsetError
from hwgen.charset.normal_form import has_parts
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.hand_file import PROBE_SEED, Hand
from hwgen.serving.code_errors import name_character

MAX_TEXTS_PER_REQUEST = 32
_TRIES = 3


class ServerError(RuntimeError):
    """The server is not there, is too busy, or answers with something else than pictures."""


class RefusalError(ValueError):
    """The server refuses the request as a whole (400-class): no such model or version, another signature."""


class Answer(NamedTuple):
    """One text's answer: `picture`, bytes of a PNG, is None where `error`, a str, is not empty."""

    picture: object
    error: str


class Client:
    """Writes through a server.

    Args:
        transport: has `predict(signature, inputs)`, such as `RestTransport` or `GrpcTransport`.
        charset: Charset for sequences, or None for the packaged one; what the server's model knows of it is
            asked from the server.
    """

    def __init__(self, transport: Any, *, charset: Charset | None = None) -> None:
        self._transport = transport
        self._charset = charset
        self._row_count = None  # of the server's table, once it has told

    def write(
        self,
        texts: Sequence[str],
        *,
        style_seeds: int | Sequence[int] = 0,
        truncation: float | None = None,
        hand: Hand | None = None,
    ) -> list[Answer]:
        """Asks for lines.

        Args:
            texts: sequence of str.
            style_seeds: int, or one a text, in [0, 2^64).
            truncation: float >= 0, or None for that of the exported model; with a hand above 0, None: 0.8.
            hand: in place of those of the seeds, which keep drawing character noise, see
                `hand_file.load_hand`.

        Returns:
            list of Answer, in the order of the texts; a text that cannot be written does not hinder the
            others.

        Raises:
            ServerError, RefusalError: nothing was answered; ValueError: numbers of texts and seeds differ;
            HandError: the server has another model than the hand was read with.
        """
        texts = list(texts)
        given: Any = style_seeds
        seeds = [given] * len(texts) if np.ndim(given) == 0 else list(given)
        if len(seeds) != len(texts):
            raise ValueError(f'{len(texts)} texts, {len(seeds)} style seeds: expected one seed for each text')
        if truncation is not None and not truncation >= 0.0:
            raise ValueError(f'truncation {truncation}: expected a number of at least 0')
        if hand is not None:
            truncation = DEFAULT_TRUNCATION if truncation is None else truncation
            if not truncation > 0.0:
                raise ValueError(f'truncation {truncation} with a hand: expected a number above 0')
            hand.check_probe(self._drawn(PROBE_SEED))
        for seed in seeds:
            if int(seed) != seed or not 0 <= seed < 2**64:
                raise ValueError(f'style seed {seed}: expected an integer from 0 to 2^64 - 1')
        answers: list[Any] = [None] * len(texts)
        plain: list[tuple[int, str]] = []
        coded: list[tuple[int, str]] = []
        for index, text in enumerate(texts):
            if not _is_unicode(text):
                position = next(i for i, character in enumerate(text) if not _is_unicode(character))
                answers[index] = Answer(None, f'U+{ord(text[position]):04X} at position {position}')
            elif (
                truncation is None  # never so in a hand of a file
                and not has_parts(text)
                and not any(character in ids.ARITY or character == ids.VARIATION for character in text)
            ):
                plain.append((index, text))
            else:
                coded.append((index, text))
        for tasks, ask in ((plain, self._ask_text), (coded, self._ask_coded)):
            for begin in range(0, len(tasks), MAX_TEXTS_PER_REQUEST):
                indices, items = zip(*tasks[begin : begin + MAX_TEXTS_PER_REQUEST], strict=True)
                # int64 has no room for the upper half of the seeds: TensorFlow reads a negative one as itself
                # + 2^64.
                found = ask(
                    items,
                    np.array([seeds[i] for i in indices], np.uint64).astype(np.int64),
                    truncation,
                    hand,
                )
                for index, answer in zip(indices, found, strict=True):
                    answers[index] = answer
        return answers

    def _encode(self, text):
        """EncodedText, or str: why there is none."""
        self._charset = self._charset or Charset.load()
        charset = self._charset if self._row_count is None else self._charset.prefix(self._row_count)
        try:
            encoded = charset.encode(text)
        except CharsetError as error:
            return str(error)
        return encoded if encoded.units else 'empty text: expected at least one character'

    def _drawn(self, seed):
        """The hand that the server draws from a seed: float32 [Z]."""
        outputs = self._transport.predict('styles', dict(style_seeds=np.array([seed], np.int64)))
        drawn = np.asarray(outputs.get('styles', ()), np.float32)
        if drawn.ndim != 2 or len(drawn) != 1:
            raise ServerError(
                f'the server answers {", ".join(sorted(outputs)) or "nothing"}: expected the style of a seed,'
                ' as a model that `export` wrote gives it'
            )
        return drawn[0]

    def _ask_coded(self, texts, seeds, truncation, hand):
        """Codes in the server's table.

        Which that is the answer tells: if it is another one than was thought, the answer is void, and all is
        asked again.
        """
        for _ in range(_TRIES):
            row_count, lines = self._row_count, [self._encode(text) for text in texts]
            sound = [index for index, line in enumerate(lines) if not isinstance(line, str)]
            found = iter(
                self._ask_codes([lines[index] for index in sound], seeds[sound], truncation, hand)
                if sound
                else ()
            )
            if not sound or self._row_count == (self._charset.row_count if row_count is None else row_count):
                return [Answer(None, line) if isinstance(line, str) else next(found) for line in lines]
        raise ServerError(
            'the server answers now with one version and now with another, of other tables of characters:'
            ' expected one version'
        )

    def _ask_text(self, texts, seeds, *_):
        return self._read(
            self._transport.predict(
                'serving_default',
                dict(texts=np.array([text.encode('utf-8') for text in texts], object), style_seeds=seeds),
            ),
            len(texts),
        )

    def _ask_codes(self, lines, seeds, truncation, hand):
        styles = {}
        if hand is not None:
            styles['styles'] = np.tile(hand.before_truncation(truncation), [len(lines), 1])
        outputs = self._transport.predict(
            'styled_components' if styles else 'components',
            dict(
                Characters.stack([line.characters for line in lines])._asdict(),
                style_seeds=seeds,
                truncation=np.full(len(lines), -1.0 if truncation is None else truncation, np.float32),
                **styles,
            ),
        )
        # The ids mean what they mean in the server's dictionary: CharsetMismatchError where ours is another.
        rows, digests = self._outputs(outputs, len(lines), 'charset_rows', 'charset_hash')
        self._row_count = self._charset.prefix(int(rows[0]), digests[0].decode()).row_count
        answers = self._read(outputs, len(lines))
        return [
            answer._replace(error=name_character(answer.error, line.units)[0])
            for answer, line in zip(answers, lines, strict=True)
        ]

    def _read(self, outputs, count):
        pictures, errors = self._outputs(outputs, count, 'image_bytes', 'error')
        return [
            Answer(None, error.decode('utf-8', 'replace')) if error else Answer(picture, '')
            for picture, error in zip(pictures, errors, strict=True)
        ]

    @staticmethod
    def _outputs(outputs, count, *names):
        for name in names:
            if name not in outputs or np.shape(outputs[name]) != (count,):
                raise ServerError(
                    f'the server answers {", ".join(sorted(outputs)) or "nothing"}: expected {name} of'
                    f' {count} texts, as a model that `export` wrote gives it'
                )
        return [outputs[name] for name in names]


def _is_unicode(text):
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)
