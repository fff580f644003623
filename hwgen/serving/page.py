"""Page: what the server's page asks for beyond TF-Serving's calls: lines in mixed hands, and what each
character is made of.
"""

import base64
import json
import pathlib
from typing import Any

import numpy as np

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset, CharsetError, CharsetMismatchError
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.serving import hand_space, rest
from hwgen.serving.code_errors import name_character
from hwgen.serving.saved_version import RequestError

SIGNATURES = ('styled_components', 'styles')
MAX_ROWS = 16
# of a text as it is typed, sequences included; the model's own limit counts characters
MAX_CODE_POINTS = 4096
LARGEST_TRUNCATION, LARGEST_AMOUNT = 2.0, 4.0
_PNG_SIZE = slice(16, 24)  # width and height in the header of a PNG, big-endian


class PageError(ValueError):
    """A version that the page cannot write with."""


class Page:
    """The page of one version.

    Args:
        model: str, its name.
        number: int, the version.
        served: SavedVersion.
        charset: Charset, or None for the packaged one.

    Attributes:
        html: bytes, the page.
        settings: bytes, JSON: what its controls are made from.

    Raises:
        PageError: the version lacks a signature, or has another table of characters.
    """

    def __init__(self, model: str, number: int, served: Any, *, charset: Charset | None = None) -> None:
        missing = [name for name in SIGNATURES if name not in served.inputs]
        if missing:
            raise PageError(
                f'version {number} of {model} has no signature {", ".join(missing)}: expected one that'
                ' `export` wrote'
            )
        self._served, self._charset = served, charset or Charset.load()
        try:
            self._hands = hand_space.HandSpace(
                lambda seeds: served.run('styles', dict(style_seeds=seeds))['styles']
            )
            probe = self._run(
                self._charset.encode('一'), self._hands.between(0, 0, mixes=[0.0]), seed=0, truncation=-1.0
            )
            self._charset = self._charset.prefix(
                int(probe['charset_rows'][0]), probe['charset_hash'][0].decode()
            )
        except (CharsetMismatchError, RequestError, ValueError) as error:
            raise PageError(f'version {number} of {model}: {error}') from None
        self.html = pathlib.Path(__file__).with_name('page.html').read_bytes()
        self.settings = json.dumps(
            dict(
                model=model,
                version=number,
                max_rows=MAX_ROWS,
                num_directions=len(self._hands.directions),
                truncation=DEFAULT_TRUNCATION,
                largest_truncation=LARGEST_TRUNCATION,
                largest_amount=LARGEST_AMOUNT,
            )
        ).encode()

    def write(self, body: bytes) -> tuple[int, bytes]:
        """Writes a text in one or several hands.

        Args:
            body: bytes, JSON: {"text": str, "hands": [seed, seed], "mixes": [0 .. 1, ...], "truncation":
                float, "directions": [float, ...]}; all but the text may be left out.

        Returns:
            status: int, of HTTP; content: bytes, JSON: {"characters": [{"text", "position", "structure",
                "components": [{"name", "box": [x0, y0, x1, y1] in parts of the character's cell}]}], "rows":
                [{"mix", "width", "height", "image" (base64)}]}, or {"error", "position" of a character where
                there is one}.
        """
        try:
            return 200, self._write(body)
        except CharsetError as error:
            return 400, json.dumps(
                dict(error=str(error), position=error.position), ensure_ascii=False
            ).encode('utf-8', 'backslashreplace')
        except (rest.RestError, RequestError) as error:
            return 400, rest.format_error(str(error))

    def _write(self, body):
        asked = _read_object(body)
        text = asked.get('text')
        if not isinstance(text, str):
            raise rest.RestError('text: expected a string')
        if len(text) > MAX_CODE_POINTS:
            raise CharsetError(
                f'text of {len(text)} code points: expected at most {MAX_CODE_POINTS}', MAX_CODE_POINTS
            )
        first, second = _numbers(asked, 'hands', [0, 0], least=0, most=2**64 - 1, counts=(2, 2), whole=True)
        mixes = _numbers(asked, 'mixes', [0], least=0, most=1, counts=(1, MAX_ROWS))
        amounts = _numbers(
            asked,
            'directions',
            [],
            least=-LARGEST_AMOUNT,
            most=LARGEST_AMOUNT,
            counts=(0, len(self._hands.directions)),
        )
        (truncation,) = _numbers(
            {'truncation': [asked['truncation']]} if 'truncation' in asked else {},
            'truncation',
            [-1],
            least=0,
            most=LARGEST_TRUNCATION,
            counts=(1, 1),
        )
        encoded = self._charset.encode(text)
        if not encoded.units:
            raise CharsetError('empty text: expected at least one character', 0)
        styles = self._hands.between(first, second, mixes=mixes, amounts=amounts)
        outputs = self._run(encoded, styles, seed=first, truncation=truncation)
        for error in outputs['error']:
            if error:
                message, position = name_character(error.decode('utf-8', 'replace'), encoded.units)
                raise rest.RestError(message) if position is None else CharsetError(message, position)
        rows = []
        for mix, png in zip(mixes, outputs['image_bytes'], strict=True):
            width, height = np.frombuffer(png[_PNG_SIZE], '>u4').tolist()
            rows.append(
                dict(mix=mix, width=width, height=height, image=base64.b64encode(png).decode('ascii'))
            )
        return json.dumps(dict(characters=self._describe(encoded), rows=rows), ensure_ascii=False).encode(
            'utf-8'
        )

    def _run(self, encoded, styles, *, seed, truncation):
        """One text in the hands float32 [B, Z] -> outputs."""
        count = len(styles)
        return self._served.run(
            'styled_components',
            dict(
                Characters.stack([encoded.characters] * count)._asdict(),
                styles=styles,
                truncation=np.full(count, truncation, np.float32),
                style_seeds=np.full(count, seed, np.uint64).astype(np.int64),
            ),
        )

    def _describe(self, encoded):
        """What each character is made of."""
        characters, position = [], 0
        for index, unit in enumerate(encoded.units):
            parts = [
                dict(name=self._charset.components[component], box=[round(float(value), 4) for value in box])
                for component, box in zip(encoded.component_ids[index], encoded.boxes[index], strict=True)
                if component
            ]
            characters.append(
                dict(
                    text=unit,
                    position=position,
                    structure=self._charset.structures[encoded.structure_ids[index]],
                    components=parts,
                )
            )
            position += len(unit)
        return characters


def _read_object(body):
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise rest.RestError(
            f'JSON Parse error: {"nested too deeply" if isinstance(error, RecursionError) else error}'
        ) from None
    if not isinstance(asked, dict):
        raise rest.RestError('expected a JSON object')
    return asked


def _numbers(asked, name, default, *, least, most, counts, whole=False):
    """A list of numbers of the request.

    Raises:
        RestError: naming what was expected.
    """
    values = asked.get(name, default)
    if values is default:
        return values
    sound = (
        isinstance(values, list)
        and counts[0] <= len(values) <= counts[1]
        and all(
            isinstance(value, int if whole else (int, float))
            and not isinstance(value, bool)
            and least <= value <= most
            for value in values
        )
    )
    if not sound:
        kind = 'integer' if whole else 'number'
        number = (
            f'{counts[0]} to {counts[1]} {kind}s'
            if counts[0] != counts[1]
            else f'{counts[0]} {kind}s'
            if counts[0] > 1
            else f'a {kind}'
        )
        raise rest.RestError(f'{name}: expected {number} from {least:g} to {most:g}')
    return values
