"""SavedVersion: one exported version, loaded: its signatures and what they answer."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2

from hwgen.tensorflow_files import plain_path

DESCRIPTION = os.path.join('assets.extra', 'hwgen.json')  # what `export` says of a version, beside its graph


class SavedVersionError(ValueError):
    """A folder is no SavedModel that can be served."""


class RequestError(ValueError):
    """Inputs that a signature does not take; the message is for whoever sent them."""


def shape_complaint(name: str, array: np.ndarray, spec: tf.TensorSpec) -> str:
    """What is wrong with the shape of an input, str; empty: nothing.

    Args:
        name: str.
        array: array.
        spec: tf.TensorSpec.
    """
    if spec.shape.is_compatible_with(array.shape):
        return ''
    return (
        f'input {name}: shape {list(array.shape)}, expected'
        f' {[-1 if size is None else size for size in spec.shape.as_list()]}'
    )


class SavedVersion:
    """A SavedModel in this process.

    Args:
        path: str, version folder.

    Attributes:
        inputs: dict signature -> dict name -> tf.TensorSpec.
        definitions: dict signature -> SignatureDef.
        signature_defs: dict signature -> dict, the same as JSON.
        description: dict, what `export` says of the version; empty if it is another's.

    Raises:
        SavedVersionError: naming the folder.
    """

    def __init__(self, path: str) -> None:
        try:
            with plain_path(path) as plain:
                self._loaded = tf.saved_model.load(plain, tags=['serve'])
            with open(os.path.join(path, 'saved_model.pb'), 'rb') as file:
                saved = saved_model_pb2.SavedModel.FromString(file.read())
            self.inputs = {
                name: function.structured_input_signature[1]
                for name, function in self._loaded.signatures.items()
            }
            self.definitions = dict(saved.meta_graphs[0].signature_def)
            self.signature_defs = {
                name: json_format.MessageToDict(
                    definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
                )
                for name, definition in self.definitions.items()
            }
            self.description = _description(path)
        # damage shows as whatever TensorFlow happens to meet first: IndexError, KeyError, AttributeError, ...
        except Exception as error:
            raise SavedVersionError(
                f'{path}: not a SavedModel as `export` writes it:'
                f' {" ".join(str(error).split())[:300] or type(error).__name__}'
            ) from None

    def run(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Answers one request.

        Args:
            signature: str, one of `inputs`.
            inputs: dict name -> array of the dtype its spec has.

        Returns:
            dict name -> array; strings as object arrays of bytes.

        Raises:
            RequestError: an input has another shape, or inputs do not belong together.
        """
        specs = self.inputs[signature]
        arrays = {name: np.asarray(inputs[name]) for name in specs}
        for name, spec in specs.items():
            complaint = shape_complaint(name, arrays[name], spec)
            if complaint:
                raise RequestError(complaint)
        try:
            given = {name: tf.constant(arrays[name], spec.dtype) for name, spec in specs.items()}
            return {
                name: value.numpy() for name, value in self._loaded.signatures[signature](**given).items()
            }
        except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
            raise RequestError(_said(error)) from None


def _said(error):
    """The words of an assertion in the graph; where it is none, what TensorFlow says without the place in
    the graph.
    """
    text = ' '.join(str(getattr(error, 'message', error)).split())
    assertion = re.search(r'assertion failed: \[(.*?)\]( \[|$)', text)
    if assertion:
        return assertion[1]
    return (
        re.sub(r'^Graph execution error: .*<stack traces unavailable> ?|\[\[\{\{.*|\[Op:.*', '', text).strip()
        or 'inputs that the signature does not take'
    )


def _description(path):
    try:
        with open(os.path.join(path, DESCRIPTION), encoding='utf-8') as file:
            return dict(json.load(file))
    except FileNotFoundError:
        return {}
