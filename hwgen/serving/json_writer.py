"""Tensors -> JSON text, a few thousand values at a time.

`json.dumps` of a large answer keeps every other thread of the process waiting until it is done, and needs a
Python object for every value. Between the pieces that are written here others have their turn, and only the
text stays.
"""

import base64
import json
import math
from collections.abc import Iterator

import numpy as np

PIECE_VALUES = 4096  # some 3 ms
_PLAIN = 1e-3, 1e3  # sizes at which NumPy writes a float of any precision without an exponent, as JSON does


def write_tensor(array: np.ndarray, name: str) -> Iterator[str]:
    """The JSON of a tensor, nested lists, equal to that of `json.dumps`.

    Args:
        array: array; strings as bytes.
        name: str; strings of a tensor whose name ends in `_bytes` become {"b64": ...}.

    Yields:
        str, pieces of at most about `PIECE_VALUES` values.
    """
    if array.size <= PIECE_VALUES or array.ndim == 0:
        yield _nested(_values(array.ravel(), name), array.shape)
        return
    step = max(1, PIECE_VALUES // (array.size // len(array)))
    yield '['
    for start in range(0, len(array), step):
        if start:
            yield ', '
        if step == 1:
            yield from write_tensor(array[start, ...], name)
        else:
            part = array[start : start + step]
            yield _nested(_values(part.ravel(), name), part.shape)[1:-1]
    yield ']'


def _nested(values, shape):
    """Texts of values in order -> text of lists of this shape."""
    for axis in range(len(shape) - 1, -1, -1):
        size, count = shape[axis], math.prod(shape[:axis])
        values = [f'[{", ".join(values[i * size : (i + 1) * size])}]' for i in range(count)]
    return values[0]


def _values(flat, name):
    """Array [N] -> list of N str."""
    if flat.dtype.kind == 'f':  # the shortest digits of its own precision, not those of a double
        texts = [str(value) for value in flat]
        size = np.abs(flat)
        for index in np.flatnonzero(~((size >= _PLAIN[0]) & (size < _PLAIN[1]))):  # NaN too
            texts[index] = json.dumps(float(texts[index]))
        return texts
    if flat.dtype.kind == 'O' and name.endswith('_bytes'):
        return [f'{{"b64": "{base64.b64encode(value).decode("ascii")}"}}' for value in flat]
    if flat.dtype.kind == 'O':
        return [json.dumps(value.decode('utf-8', 'replace'), ensure_ascii=False) for value in flat]
    return [json.dumps(value) for value in flat.tolist()]
