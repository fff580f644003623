"""gRPC with the stubs of tensorflow-serving-api: the messages as the documentation has them, and a server
of the export behind them.
"""

import concurrent.futures
import json
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from hwgen.serving.client import Client, RefusalError, ServerError
from hwgen.serving.grpc_transport import GrpcMissingError, GrpcTransport
from hwgen.serving.saved_version import RequestError


@pytest.fixture(scope='module')
def stubs():
    """The modules of the optional package."""
    reason = 'tensorflow-serving-api is not installed (pip install "hwgen[grpc]")'
    pytest.importorskip('tensorflow_serving.apis', reason=reason)
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    return predict_pb2, prediction_service_pb2_grpc


@pytest.fixture
def serve(stubs):
    """Function of what Predict does -> address of a server."""
    import grpc

    predict_pb2, prediction_service_pb2_grpc = stubs
    servers = []

    def start(predict):
        class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
            def Predict(self, request, context):
                return predict(request, context)

        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
        port = server.add_insecure_port('127.0.0.1:0')
        server.start()
        servers.append(server)
        return f'127.0.0.1:{port}'

    yield start
    for server in servers:
        server.stop(None)


@pytest.fixture
def address(serve, served, stubs):
    """A server that answers with the export."""
    import grpc

    def predict(request, context):
        if request.model_spec.name != 'hwgen':
            context.abort(
                grpc.StatusCode.NOT_FOUND,
                f'Servable not found for request: Latest({request.model_spec.name})',
            )
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        try:
            outputs = served.run(request.model_spec.signature_name, inputs)
        except RequestError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        answer = stubs[0].PredictResponse()
        for name, value in outputs.items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return answer

    return serve(predict)


def test_a_request_is_the_documented_message(stubs):
    message = GrpcTransport('localhost:1', version=3).request(
        'serving_default', dict(texts=np.array(['明'.encode(), b''], object), style_seeds=np.array([7, -1]))
    )
    assert stubs[0].PredictRequest.FromString(message.SerializeToString()) == message
    assert (message.model_spec.name, message.model_spec.signature_name, message.model_spec.version.value) == (
        'hwgen',
        'serving_default',
        3,
    )
    texts, seeds = message.inputs['texts'], message.inputs['style_seeds']
    assert (texts.dtype, list(texts.string_val)) == (tf.string.as_datatype_enum, ['明'.encode(), b''])
    assert seeds.dtype == tf.int64.as_datatype_enum and tf.make_ndarray(seeds).tolist() == [7, -1]
    message = GrpcTransport('localhost:1', label='stable').request('styles', {})
    assert message.model_spec.version_label == 'stable' and not message.model_spec.HasField('version')


def test_the_same_answers_as_by_the_module(address, served):
    texts = ['永', '明天⿱山鱼', 'ก']
    answers = Client(GrpcTransport(address)).write(texts, style_seeds=[1, 2**64 - 1, 3])
    expected = served.run(
        'serving_default', dict(texts=np.array(['永'.encode()], object), style_seeds=np.array([1]))
    )
    assert answers[0] == (expected['image_bytes'][0], '') and answers[1].picture.startswith(b'\x89PNG')
    assert answers[2] == (None, 'U+0E01 at position 0')


def test_errors(address, serve):
    with pytest.raises(
        RefusalError, match=f'^{address}: NOT_FOUND: Servable not found for request: Latest.half.'
    ):
        Client(GrpcTransport(address, model='half')).write(['永'])
    with pytest.raises(RefusalError, match='INVALID_ARGUMENT: .*texts 1, style_seeds 2'):
        GrpcTransport(address).predict(
            'serving_default', dict(texts=np.array([b'a'], object), style_seeds=np.array([1, 2]))
        )
    with pytest.raises(ValueError, match='version 1 and label stable: expected one of them'):
        GrpcTransport(address, version=1, label='stable')
    with pytest.raises(ServerError, match='127.0.0.1:1: (UNAVAILABLE|DEADLINE_EXCEEDED)'):
        Client(GrpcTransport('127.0.0.1:1', timeout_sec=0.5)).write(['永'])


def test_a_busy_server_is_asked_again(serve, stubs):
    import grpc

    asked = []

    def predict(request, context):
        asked.append(request)
        if len(asked) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, 'loading')
        answer = stubs[0].PredictResponse()
        answer.outputs['image_bytes'].CopyFrom(tf.make_tensor_proto([b'PNG']))
        answer.outputs['error'].CopyFrom(tf.make_tensor_proto([b'']))
        return answer

    assert Client(GrpcTransport(serve(predict))).write(['永'])[0].picture == b'PNG'
    assert len(asked) == 2 and asked[0] == asked[1]


def test_without_the_package_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorflow_serving.apis', None)
    with pytest.raises(
        GrpcMissingError,
        match=r'gRPC needs the package tensorflow-serving-api .*: pip install "hwgen\[grpc\]"',
    ):
        GrpcTransport('localhost:1')


def test_the_channel(stubs, monkeypatch):
    """What gRPC repeats by itself, and messages of up to 256 MiB both ways."""
    import grpc

    opened = []
    monkeypatch.setattr(
        grpc,
        'insecure_channel',
        lambda target, options: (
            opened.append((target, dict(options))) or types.SimpleNamespace(unary_unary=lambda *_, **__: None)
        ),
    )
    GrpcTransport('somewhere:1')
    ((target, options),) = opened
    assert (
        target == 'somewhere:1'
        and options['grpc.max_receive_message_length']
        == options['grpc.max_send_message_length']
        == 268_435_456
    )
    assert json.loads(options['grpc.service_config']) == {
        'methodConfig': [
            {
                'name': [{'service': 'tensorflow.serving.PredictionService'}],
                'retryPolicy': {
                    'maxAttempts': 5,
                    'initialBackoff': '0.5s',
                    'maxBackoff': '20s',
                    'backoffMultiplier': 2,
                    'retryableStatusCodes': ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'],
                },
            }
        ]
    }


def test_whose_fault_a_status_is(stubs):
    import grpc

    refusals = {
        'INVALID_ARGUMENT',
        'NOT_FOUND',
        'FAILED_PRECONDITION',
        'OUT_OF_RANGE',
        'PERMISSION_DENIED',
        'UNAUTHENTICATED',
    }
    transport, waited = GrpcTransport('localhost:1', timeout_sec=7.0), []
    for code in grpc.StatusCode:
        failed = grpc.RpcError()
        failed.code, failed.details = lambda code=code: code, lambda: 'so  it\nis'

        def predict(message, timeout, failed=failed):
            waited.append(timeout)
            raise failed

        transport._stub = types.SimpleNamespace(Predict=predict)
        with pytest.raises(
            RefusalError if code.name in refusals else ServerError,
            match=f'^localhost:1: {code.name}: so it is$',
        ):
            transport.predict('styles', {})
    assert set(waited) == {7.0}
