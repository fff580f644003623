"""GrpcServer: the same model by gRPC, with TF-Serving's services: predict, metadata and model status (the
extra `grpc`).

Source: TensorFlow Serving, prediction_service.proto, model_service.proto, and predict_util.cc,
get_model_metadata_impl.cc for what they refuse.
Differs: classify, regress, multi-inference and the reloading of configurations are UNIMPLEMENTED; more
elements than a request may have bytes are refused before they are unpacked; a text that cannot be written is
told by `error` alone, as TF-Serving does, for a status of gRPC leaves no room for the others.
"""

import concurrent.futures
import logging
import math
from typing import Any

import numpy as np
import tensorflow as tf

from hwgen.serving.grpc_transport import GrpcMissingError
from hwgen.serving.model_versions import ModelVersions
from hwgen.serving.rest import RestError
from hwgen.serving.saved_version import RequestError
from hwgen.serving.work_queue import QueueFullError, WorkQueue

_METADATA = 'signature_def'
_SPARE_THREADS = 4  # for who asks for status while all others wait for the model
_log = logging.getLogger(__name__)


class GrpcServer:
    """A server that listens from the beginning and answers from `start` on.

    Args:
        host: str.
        port: int; 0 for one that is free.
        models: ModelVersions.
        queue: WorkQueue, that of the HTTP server: the model has one.
        limits: http_server.Limits; requests that are larger, wait too long or are too many get
            RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, UNAVAILABLE.

    Attributes:
        port: int.

    Raises:
        GrpcMissingError: the extra is not installed; OSError naming host and port.
    """

    def __init__(self, host: str, port: int, models: ModelVersions, *, queue: WorkQueue, limits: Any) -> None:
        try:
            import grpc
            from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
        except ImportError as error:
            raise GrpcMissingError(
                f'gRPC needs the package tensorflow-serving-api ({error}): pip install "hwgen[grpc]"'
            ) from None
        room = limits.workers + limits.max_waiting + _SPARE_THREADS
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(room, thread_name_prefix='hwgen-grpc'),
            maximum_concurrent_rpcs=room,
            options=[
                ('grpc.max_receive_message_length', limits.max_body_bytes),
                ('grpc.max_send_message_length', -1),
                ('grpc.so_reuseport', 0),
            ],
        )
        answers = _Answers(models, queue, limits)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            _servicer(prediction_service_pb2_grpc.PredictionServiceServicer, answers), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            _servicer(model_service_pb2_grpc.ModelServiceServicer, answers), self._server
        )
        try:
            self.port = self._server.add_insecure_port(
                f'[{host}]:{port}' if ':' in host else f'{host}:{port}'
            )
        except RuntimeError as error:
            raise OSError(f'{host}:{port}: cannot be listened at: {" ".join(str(error).split())}') from None
        self._timeout_sec = limits.timeout_sec

    def start(self) -> None:
        """Answers from now on."""
        self._server.start()

    def stop(self) -> Any:
        """Takes no new requests. -> threading.Event, set when the others are answered, or their time is
        over.
        """
        return self._server.stop(self._timeout_sec)


def _servicer(base, answers):
    """An instance of a generated class with those of its methods that `answers` has, errors as status
    codes of gRPC.
    """

    def method(answer):
        def call(self, request, context):
            del self
            import grpc

            codes = {
                404: grpc.StatusCode.NOT_FOUND,
                503: grpc.StatusCode.UNAVAILABLE,
                504: grpc.StatusCode.DEADLINE_EXCEEDED,
            }
            try:
                return answer(request, context)
            except RestError as error:
                code, said = codes.get(error.status, grpc.StatusCode.INVALID_ARGUMENT), str(error)
            except RequestError as error:
                code, said = grpc.StatusCode.INVALID_ARGUMENT, str(error)
            except Exception:  # a fault of ours: the client gets no details, and the server lives
                _log.exception('gRPC')
                code, said = grpc.StatusCode.INTERNAL, 'the server failed; its log says why'
            return context.abort(code, said)

        return call

    names = [name for name in vars(base) if not name.startswith('_') and hasattr(answers, name)]
    return type(base.__name__, (base,), {name: method(getattr(answers, name)) for name in names})()


class _Answers:
    """The methods of both services: messages -> messages.

    Raises:
        RestError, RequestError: for whoever asked.
    """

    def __init__(self, models, queue, limits):
        self._models, self._queue, self._limits = models, queue, limits

    def Predict(self, request, context):
        """PredictRequest -> PredictResponse."""
        from tensorflow_serving.apis import predict_pb2

        version, served = self._newest(request.model_spec)
        signature = request.model_spec.signature_name or 'serving_default'
        specs = served.inputs.get(signature)
        if specs is None:
            raise RestError(f'Serving signature name: "{signature}" not found in signature def')
        outputs = self._wait(
            lambda: self._models.run(served, signature, self._read(request.inputs, specs)), context
        )
        wanted = list(request.output_filter) or list(outputs)
        for name in wanted:
            if name not in outputs:
                raise RestError(
                    f'output tensor alias not found in signature: {name} Outputs expected to be in the set'
                    f' {{{",".join(sorted(outputs))}}}.'
                )
        answer = predict_pb2.PredictResponse()
        answer.model_spec.name, answer.model_spec.signature_name, answer.model_spec.version.value = (
            self._models.model,
            signature,
            version,
        )
        for name in wanted:
            answer.outputs[name].CopyFrom(
                tf.make_tensor_proto(
                    outputs[name], tf.string if outputs[name].dtype == object else None, outputs[name].shape
                )
            )
        return answer

    def GetModelMetadata(self, request, context):
        """GetModelMetadataRequest -> GetModelMetadataResponse."""
        del context
        from tensorflow_serving.apis import get_model_metadata_pb2

        if not request.metadata_field:
            raise RestError('GetModelMetadataRequest must specify at least one metadata_field')
        for field in request.metadata_field:
            if field != _METADATA:
                raise RestError(f'Metadata field {field[:100]} is not supported')
        version, served = self._newest(request.model_spec)
        answer, signatures = (
            get_model_metadata_pb2.GetModelMetadataResponse(),
            get_model_metadata_pb2.SignatureDefMap(),
        )
        answer.model_spec.name, answer.model_spec.version.value = self._models.model, version
        for name, definition in served.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        answer.metadata[_METADATA].Pack(signatures)
        return answer

    def GetModelStatus(self, request, context):
        """GetModelStatusRequest -> GetModelStatusResponse."""
        del context
        from tensorflow_serving.apis import get_model_status_pb2

        answer = get_model_status_pb2.GetModelStatusResponse()
        for version in sorted(self._choose(request.model_spec, status=True), reverse=True):
            answer.model_version_status.add(version=version, state='AVAILABLE').status.error_code = 0
        return answer

    def _choose(self, spec, *, status=False):
        which = spec.WhichOneof('version_choice')
        return self._models.choose(
            spec.name,
            version=spec.version.value if which == 'version' else None,
            label=spec.version_label if which == 'version_label' else None,
            status=status,
        )

    def _newest(self, spec):
        chosen = self._choose(spec)
        return max(chosen), chosen[max(chosen)]

    def _wait(self, function, context):
        """Runs a function in the queue of the model."""
        limit = self._limits.timeout_sec
        try:
            task = self._queue.submit(function)
        except QueueFullError as error:
            raise RestError(f'busy: {error}', 503) from None
        context.add_callback(task.cancel)  # the client has gone
        try:
            return task.result(limit)
        except (TimeoutError, concurrent.futures.CancelledError):
            raise RestError(
                f'no answer within {limit:g} seconds: expected a smaller request, or a server with less'
                ' to do',
                504,
            ) from None
        finally:
            task.cancel()

    def _read(self, tensors, specs):
        """dict name -> TensorProto -> dict name -> array."""
        if tensors.keys() != specs.keys():
            missing, extra = (
                ','.join(sorted(names))
                for names in (specs.keys() - tensors.keys(), tensors.keys() - specs.keys())
            )
            raise RestError(
                f'inputs do not match the signature: sent extra: {{{extra[:200]}}}, missing but required:'
                f' {{{missing}}}'
            )
        arrays = {}
        for name, spec in specs.items():
            tensor = tensors[name]
            sizes = [one.size for one in tensor.tensor_shape.dim]
            if tensor.dtype != spec.dtype.as_datatype_enum:
                raise RestError(f'input {name}: expected type {spec.dtype.name}')
            if (
                min(sizes, default=0) < 0
                or tensor.tensor_shape.unknown_rank
                or not spec.shape.is_compatible_with(sizes)
            ):
                raise RestError(
                    f'input {name}: shape {sizes}, expected'
                    f' {[-1 if size is None else size for size in spec.shape.as_list()]}'
                )
            # One value may stand for all: a message of a few bytes for any number of them.
            if math.prod(sizes) > self._limits.max_body_bytes:
                raise RestError(
                    f'input {name}: {math.prod(sizes)} elements, expected at most'
                    f' {self._limits.max_body_bytes}'
                )
            try:
                arrays[name] = np.asarray(tf.make_ndarray(tensor))
            except (TypeError, ValueError, IndexError) as error:
                raise RestError(f'input {name}: not a tensor of shape {sizes}: {error}') from None
            if spec.dtype == tf.string:
                arrays[name] = arrays[name].astype(object)
        return arrays
