"""The JSON of TF-Serving's REST calls, as bytes <-> tensors; whoever has the model and the socket stands
around it.

Source: TensorFlow Serving, "RESTful API" (api_rest.md) and the code behind it (json_tensor.cc,
http_rest_api_util.cc).
Differs: classify and regress are not answered, for no signature here has their methods.
"""

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from hwgen.serving import json_writer

PREDICT, STATUS, METADATA = 'predict', 'status', 'metadata'
_VERSION = r'(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?'
_POST = re.compile(rf'/v1/models/(?P<model>[^/:]+){_VERSION}:predict', re.IGNORECASE)
_GET = re.compile(rf'/v1/models/(?P<model>[^/:]+){_VERSION}(?P<metadata>/metadata)?', re.IGNORECASE)
_BASE64, _WHITE = re.compile('([A-Za-z0-9+/]*)([=.]*)'), re.compile(r'[ \t\n\v\f\r]')
_INTEGERS = {'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'}
_MAX_VERSION = 2**63 - 1
_MAX_RANK = 32  # NumPy's of old; no tensor of a signature has more


class RestError(ValueError):
    """A request that is answered by an error.

    Attributes:
        status: int, of HTTP.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Target(NamedTuple):
    """What a path asks for: `call` is PREDICT, STATUS or METADATA; version (int) and label (str) are None
    where not given.
    """

    call: str
    model: str
    version: object
    label: object


class Prediction(NamedTuple):
    """A predict request: its signature, its tensors, and whether it came (and is answered) in row format."""

    signature: str
    inputs: dict
    rows: bool


def parse_path(method: str, path: str) -> Target:
    """Reads method and path of a request.

    Args:
        method: str, 'GET' or 'POST'.
        path: str, such as /v1/models/hwgen/labels/stable:predict.

    Returns:
        Target.

    Raises:
        RestError: no such call.
    """
    path = path.partition('?')[0]
    found = {'POST': _POST, 'GET': _GET}.get(method, re.compile('(?!)')).fullmatch(path)
    if not found:
        raise RestError(f'Malformed request: {method} {_shortened(path)}')
    parts = found.groupdict()
    call = PREDICT if method == 'POST' else METADATA if parts['metadata'] else STATUS
    model, label = (part and urllib.parse.unquote(part) for part in (parts['model'], parts['label']))
    version = parts['version'] and parts['version'].lstrip('0') or parts['version'] and '0'
    if version and (len(version) > 19 or int(version) > _MAX_VERSION):
        raise RestError(f'Failed to convert version: {_shortened(version)} to numeric.')
    return Target(call, model, int(version) if version else None, label)


def parse_prediction(body: bytes, specs_of: Callable[[str], dict[str, str] | None]) -> Prediction:
    """Reads the body of a predict request in row or column format.

    Args:
        body: bytes.
        specs_of: function of a signature's name -> dict input name -> numpy dtype name ('object' for
            strings), or None where there is no such signature.

    Returns:
        Prediction; its inputs are arrays of these dtypes, strings are bytes.

    Raises:
        RestError: naming the place of what is wrong.
    """
    try:
        return _parse_prediction(body, specs_of)
    except RecursionError:
        raise RestError('JSON Parse error: nested too deeply') from None


def _parse_prediction(body, specs_of):
    try:
        request = json.loads(body)
    except ValueError as error:  # bad UTF-8 is one too
        raise RestError(f'JSON Parse error: {error}') from None
    if not isinstance(request, dict):
        raise RestError(f'JSON Value: {_shown(request)} Is not object')
    signature = request.get('signature_name', '')
    if not isinstance(signature, str):
        raise RestError("'signature_name' key must be a string value.")
    signature = signature or 'serving_default'
    specs = specs_of(signature)
    if specs is None:
        raise RestError(f'Serving signature name: "{signature}" not found in signature def')
    if 'instances' in request and 'inputs' in request:
        raise RestError("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if 'instances' in request:
        return Prediction(signature, _read_rows(request['instances'], specs), True)
    if 'inputs' in request:
        return Prediction(signature, _read_columns(request['inputs'], specs), False)
    raise RestError("Missing 'inputs' or 'instances' key")


def _read_rows(instances, specs):
    if not isinstance(instances, list):
        raise RestError("Expecting 'instances' to be an list/array")
    if not instances:
        raise RestError("No values in 'instances' array")
    if not _is_object(instances[0]):
        if len(specs) > 1:
            raise RestError(
                'instances is a plain list, but expecting list of objects as multiple input tensors required'
                ' as per tensorinfo_map'
            )
        ((name, dtype),) = specs.items()
        return {name: _to_array(instances, dtype, name)}
    for index, instance in enumerate(instances):
        if not _is_object(instance):
            raise RestError(f'Expecting object but got list at item {index} of input list')
        if instance.keys() != specs.keys():
            raise RestError(
                f"Failed to process element: {index} of 'instances' list. JSON object: {_shown(instance)}"
                ' keys must be equal to: '
                f'{",".join(sorted(specs))}'
            )
    return {
        name: _to_array([instance[name] for instance in instances], dtype, name)
        for name, dtype in specs.items()
    }


def _read_columns(inputs, specs):
    if not _is_object(inputs):
        if len(specs) > 1:
            raise RestError(
                'inputs is a plain value/list, but expecting an object as multiple input tensors required as'
                ' per tensorinfo_map'
            )
        ((name, dtype),) = specs.items()
        return {name: _to_array(inputs, dtype, name)}
    for name in specs:
        if name not in inputs:
            raise RestError(f"Missing named input: {name} in 'inputs' object.")
    return {name: _to_array(inputs[name], dtype, name) for name, dtype in specs.items()}


def _is_object(value):
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value):
    return isinstance(value, dict) and value.keys() == {'b64'} and isinstance(value['b64'], str)


def _to_array(value, dtype, name):
    """Nested lists, all of one depth and shape -> array."""
    shape, level = [], value
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    if len(shape) > _MAX_RANK:
        raise RestError(f'input {name}: lists nested {len(shape)} deep, expected at most {_MAX_RANK}')
    flat = []

    def walk(part, depth):
        if not isinstance(part, list):
            if depth != len(shape):
                raise RestError(
                    f'input {name}: JSON Value: {_shown(part)} found at incorrect level: {depth + 1} in the'
                    f' JSON DOM. Expected at level: {len(shape)}'
                )
            flat.append(_to_scalar(part, dtype, name))
        elif depth >= len(shape) or len(part) != shape[depth]:
            raise RestError(
                f'input {name}: Encountered list at unexpected size: {len(part)} at level: {depth} expected'
                f' size: {shape[depth] if depth < len(shape) else 0}'
            )
        else:
            for inner in part:
                walk(inner, depth + 1)

    walk(value, 0)
    array = np.empty(len(flat), dtype)
    array[:] = flat
    return array.reshape(shape)


def _to_scalar(value, dtype, name):
    if dtype == 'object' and isinstance(value, str):
        try:
            return value.encode('utf-8')
        except UnicodeEncodeError:
            raise RestError(
                f'input {name}: JSON Parse error: The surrogate pair in string is invalid.'
            ) from None
    if dtype == 'object' and _is_base64(value):
        return _decode_base64(value['b64'], name)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if dtype == 'bool' and isinstance(value, bool):
        return value
    if (
        dtype in _INTEGERS
        and number
        and isinstance(value, int)
        and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    ):
        return value
    if dtype in ('float32', 'float64') and number:
        if isinstance(value, float) and not np.isfinite(value) or abs(value) <= float(np.finfo(dtype).max):
            return value
        raise RestError(
            f'input {name}: Cannot convert JSON value: {_shown(value)} to float without loss of precision.'
        )
    raise RestError(
        f'input {name}: JSON Value: {_shown(value)} is not of expected type:'
        f' {"string" if dtype == "object" else dtype}'
    )


def _decode_base64(text, name):
    """As absl::Base64Unescape: white space anywhere, padding whole or absent, dots as good as equals
    signs; what is left of the last digit is not looked at.
    """
    found = _BASE64.fullmatch(_WHITE.sub('', text))
    digits, padding = found.groups() if found else ('', '')
    if not found or len(digits) % 4 == 1 or len(padding) not in (0, -len(digits) % 4):
        raise RestError(f'input {name}: Unable to base64 decode')
    return base64.b64decode(digits + '=' * (-len(digits) % 4))


def _shown(value):
    return _shortened(json.dumps(value, ensure_ascii=False))


def _shortened(text):
    return text if len(text) <= 200 else f'{text[:200]}...'


def format_prediction(outputs: Mapping[str, np.ndarray], *, rows: bool, error: str = '') -> bytes:
    """The body of an answer.

    Args:
        outputs: dict name -> array; strings as bytes. Those whose name ends in `_bytes` are given as {"b64":
            ...}.
        rows: bool, row format.
        error: str, what is wrong with one of the texts, where that shall stand beside the outputs.

    Returns:
        bytes.

    Raises:
        RestError: row format of outputs whose first sizes differ; a string that is no UTF-8.
    """
    arrays = {name: np.asarray(value) for name, value in outputs.items()}
    pieces = (piece.encode('utf-8', 'backslashreplace') for piece in _write_prediction(arrays, rows, error))
    return b''.join(pieces)


def _write_prediction(arrays, rows, error):
    """Pieces, str, of an answer's body."""

    def of_names(tensors):
        yield '{'
        for index, (name, value) in enumerate(tensors.items()):
            yield f'{", " if index else ""}{json.dumps(name, ensure_ascii=False)}: '
            yield from json_writer.write_tensor(value, name)
        yield '}'

    sizes = {name: array.shape[:1] for name, array in arrays.items()}
    if rows and (len(set(sizes.values())) != 1 or () in sizes.values()):
        raise RestError(
            'Tensors have inconsistent batch size:'
            f' {", ".join(f"{name} {list(size)}" for name, size in sizes.items())}',
            500,
        )
    yield f'{{"error": {json.dumps(error, ensure_ascii=False)}, ' if error else '{'
    yield '"predictions": ' if rows else '"outputs": '
    if len(arrays) == 1:
        ((name, array),) = arrays.items()
        yield from json_writer.write_tensor(array, name)
    elif rows:
        yield '['
        for index in range(*sizes.popitem()[1]):
            if index:
                yield ', '
            yield from of_names({name: array[index, ...] for name, array in arrays.items()})
        yield ']'
    else:
        yield from of_names(arrays)
    yield '}'


def format_request(signature: str, inputs: Mapping[str, Any]) -> bytes:
    """Body of a predict request in column format, for a client. dict name -> array -> bytes."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    written = ', '.join(
        f'{json.dumps(name)}: {"".join(json_writer.write_tensor(array, name))}'
        for name, array in arrays.items()
    )
    return f'{{"signature_name": {json.dumps(signature)}, "inputs": {{{written}}}}}'.encode(
        'utf-8', 'backslashreplace'
    )


def parse_outputs(body: bytes, *, alone: str | None = None) -> dict[str, np.ndarray]:
    """Reads the answer to a request in column format, for a client.

    Args:
        body: bytes.
        alone: the output of a signature that has no other, which the answer gives without its name; None: it
            has several.

    Returns:
        dict name -> array; strings as object arrays of bytes.

    Raises:
        ValueError: it is something else.
    """
    answer = json.loads(body)
    outputs = answer.get('outputs') if isinstance(answer, dict) else None
    if alone is not None and isinstance(outputs, list):
        return {alone: _from_json(outputs)}
    if not isinstance(outputs, dict):
        raise ValueError("expected an object 'outputs' of named tensors")
    return {name: _from_json(value) for name, value in outputs.items()}


def _from_json(value):
    leaf = value
    while isinstance(leaf, list) and leaf:
        leaf = leaf[0]
    text = isinstance(leaf, (str, dict))
    return _to_array(value, 'object', 'of the answer') if text else np.asarray(value)


def format_status(versions: Iterable[int]) -> bytes:
    """Body of a model's status. versions: iterable of int, loaded -> bytes, the newest first."""
    return _body(
        {
            'model_version_status': [
                {
                    'version': str(version),
                    'state': 'AVAILABLE',
                    'status': {'error_code': 'OK', 'error_message': ''},
                }
                for version in sorted(versions, reverse=True)
            ]
        }
    )


def format_metadata(model: str, version: int, signature_defs: dict[str, Any]) -> bytes:
    """Body of a version's metadata. signature_defs: dict signature -> its SignatureDef as JSON -> bytes."""
    return _body(
        {
            'model_spec': {'name': model, 'signature_name': '', 'version': str(version)},
            'metadata': {'signature_def': {'signature_def': signature_defs}},
        }
    )


def format_error(message: str) -> bytes:
    """Body of an error -> bytes."""
    return _body({'error': message})


def _body(value):
    # Half a surrogate pair, which a request may have named, has no UTF-8; its escape is JSON.
    return json.dumps(value, ensure_ascii=False).encode('utf-8', 'backslashreplace')
