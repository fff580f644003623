"""GrpcTransport: predict requests over gRPC, with the stubs of `tensorflow-serving-api` (the extra
`grpc`).
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwgen.serving.client import RefusalError, ServerError

# gRPC repeats by itself, with waits that double and are shortened by chance; five tries are the most it
# makes.
_RETRY = {
    'maxAttempts': 5,
    'initialBackoff': '0.5s',
    'maxBackoff': '20s',
    'backoffMultiplier': 2,
    'retryableStatusCodes': ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'],
}
_METHODS = {
    'methodConfig': [{'name': [{'service': 'tensorflow.serving.PredictionService'}], 'retryPolicy': _RETRY}]
}
MAX_MESSAGE_BYTES = 256 * 2**20  # gRPC's own limit of 4 MiB is a few hundred lines


class GrpcMissingError(ImportError):
    """The optional package of the stubs is not installed; the message has the command that installs it."""


class GrpcTransport:
    """Calls one model of a server.

    Args:
        target: str, host:port.
        model: str, name of the model there.
        version: int, or None for the newest.
        label: str, version label in place of a version, or None.
        timeout_sec: float, of a request with its repetitions.

    Raises:
        GrpcMissingError: tensorflow-serving-api is not installed; ValueError: version and label are both
            given.
    """

    def __init__(
        self,
        target: str,
        *,
        model: str = 'hwgen',
        version: int | None = None,
        label: str | None = None,
        timeout_sec: float = 60.0,
    ) -> None:
        if version is not None and label is not None:
            raise ValueError(f'version {version} and label {label}: expected one of them')
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise GrpcMissingError(
                f'gRPC needs the package tensorflow-serving-api ({error}): pip install "hwgen[grpc]"'
            ) from None
        self.target, self._model, self._version, self._label, self._timeout_sec = (
            target,
            model,
            version,
            label,
            timeout_sec,
        )
        channel = grpc.insecure_channel(
            target,
            options=[
                ('grpc.service_config', json.dumps(_METHODS)),
                ('grpc.max_receive_message_length', MAX_MESSAGE_BYTES),
                ('grpc.max_send_message_length', MAX_MESSAGE_BYTES),
            ],
        )
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def request(self, signature: str, inputs: Mapping[str, Any]) -> Any:
        """The message of a request. dict name -> array -> PredictRequest."""
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        message = predict_pb2.PredictRequest()
        message.model_spec.name, message.model_spec.signature_name = self._model, signature
        if self._version is not None:
            message.model_spec.version.value = self._version
        if self._label is not None:
            message.model_spec.version_label = self._label
        for name, value in inputs.items():
            message.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return message

    def predict(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Asks; arguments, result and errors as `RestTransport.predict`."""
        import grpc
        import tensorflow as tf

        try:
            answer = self._stub.Predict(self.request(signature, inputs), timeout=self._timeout_sec)
        except grpc.RpcError as error:
            said = f'{self.target}: {error.code().name}: {" ".join((error.details() or "").split())}'
            refused = error.code() in (
                grpc.StatusCode.INVALID_ARGUMENT,
                grpc.StatusCode.NOT_FOUND,
                grpc.StatusCode.FAILED_PRECONDITION,
                grpc.StatusCode.OUT_OF_RANGE,
                grpc.StatusCode.PERMISSION_DENIED,
                grpc.StatusCode.UNAUTHENTICATED,
            )
            raise RefusalError(said) if refused else ServerError(said) from None
        return {name: np.asarray(tf.make_ndarray(tensor)) for name, tensor in answer.outputs.items()}
