"""SavedVersion: one exported version, loaded: its signatures and what they answer."""

import os

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2


class SavedVersionError(ValueError):
    """A folder is no SavedModel that can be served."""


class RequestError(ValueError):
    """Inputs that a signature does not take; the message is for whoever sent them."""


class SavedVersion:
    """A SavedModel in this process.

    Args:
        path: str, version folder.

    Attributes:
        inputs: dict signature -> dict name -> tf.TensorSpec.
        signature_defs: dict signature -> dict, its SignatureDef as JSON.

    Raises:
        SavedVersionError: naming the folder.
    """

    def __init__(self, path):
        try:
            self._loaded = tf.saved_model.load(path, tags=['serve'])
            with open(os.path.join(path, 'saved_model.pb'), 'rb') as file:
                saved = saved_model_pb2.SavedModel.FromString(file.read())
        except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
            raise SavedVersionError(f'{path}: not a SavedModel as `export` writes it: {" ".join(str(error).split())[:300]}') from None
        self.inputs = {name: function.structured_input_signature[1] for name, function in self._loaded.signatures.items()}
        self.signature_defs = {
            name: json_format.MessageToDict(definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
            for name, definition in saved.meta_graphs[0].signature_def.items()}

    def run(self, signature, inputs):
        """Answers one request.

        Args:
            signature: str, one of `inputs`.
            inputs: dict name -> array of the dtype its spec has.

        Returns:
            dict name -> array; strings as object arrays of bytes.

        Raises:
            RequestError: an input has another shape, or inputs do not belong together.
        """
        try:
            given = {name: tf.constant(np.asarray(inputs[name]), spec.dtype) for name, spec in self.inputs[signature].items()}
            return {name: value.numpy() for name, value in self._loaded.signatures[signature](**given).items()}
        except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
            raise RequestError(' '.join(str(getattr(error, 'message', error)).split())) from None
