"""gRPC beside REST: the official stubs against the export; the same answers, and errors as status codes."""

import concurrent.futures
import threading
import types
import unittest.mock

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format

pytest.importorskip(
    'tensorflow_serving.apis', reason='tensorflow-serving-api is not installed (pip install "hwgen[grpc]")'
)

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from hwgen.serving.client import Client
from hwgen.serving.grpc_server import GrpcServer, _Answers
from hwgen.serving.grpc_transport import GrpcTransport
from hwgen.serving.http_server import Limits
from hwgen.serving.model_versions import ModelVersions
from hwgen.serving.rest import RestError
from hwgen.serving.work_queue import WorkQueue

STUBS_LIMITS = Limits(max_body_bytes=100_000)


class Stubs:
    """A running server and its stubs."""

    def __init__(self, served, *, limits=STUBS_LIMITS, **options):
        models = ModelVersions(
            'hwgen',
            {1: served, 3: served},
            labels=dict(stable=1),
            **{'max_lines': 4, 'max_values': 100_000, **options},
        )
        self.queue = WorkQueue(workers=limits.workers, max_waiting=limits.max_waiting)
        self.server = GrpcServer('127.0.0.1', 0, models, queue=self.queue, limits=limits)
        self.server.start()
        self.address = f'127.0.0.1:{self.server.port}'
        channel = grpc.insecure_channel(self.address)
        self.predict, self.models = (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )

    def close(self):
        self.server.stop().wait(60)
        self.queue.close()


@pytest.fixture(scope='module')
def stubs(served):
    stubs = Stubs(served)
    yield stubs
    stubs.close()


def request(texts=('永',), seeds=(1,), *, signature='', name='hwgen', version=None, label=None, tensors=None):
    message = predict_pb2.PredictRequest()
    message.model_spec.name, message.model_spec.signature_name = name, signature
    if version is not None:
        message.model_spec.version.value = version
    if label is not None:
        message.model_spec.version_label = label
    tensors = tensors or dict(
        texts=tf.make_tensor_proto([text.encode() for text in texts], tf.string, [len(texts)]),
        style_seeds=tf.make_tensor_proto(list(seeds), tf.int64, [len(seeds)]),
    )
    for key, value in tensors.items():
        message.inputs[key].CopyFrom(value)
    return message


def refused(call, message, code):
    with pytest.raises(grpc.RpcError) as caught:
        call(message, timeout=60)
    assert caught.value.code() == code
    return caught.value.details()


def test_predict(stubs, served):
    answer = stubs.predict.Predict(request(['永人', 'ก'], [7, 1], label='stable'), timeout=60)
    expected = served.run(
        'serving_default', dict(texts=np.array(['永人'.encode()], object), style_seeds=np.array([7]))
    )
    assert tf.make_ndarray(answer.outputs['image_bytes'])[0] == expected['image_bytes'][0]
    assert tf.make_ndarray(answer.outputs['error']).tolist() == [b'', b'U+0E01 at position 0']
    assert (answer.model_spec.name, answer.model_spec.version.value, answer.model_spec.signature_name) == (
        'hwgen',
        1,
        'serving_default',
    )
    filtered = request(signature='images')
    filtered.output_filter.append('widths')
    assert {
        name: tf.make_ndarray(value).tolist()
        for name, value in stubs.predict.Predict(filtered, timeout=60).outputs.items()
    } == {'widths': [16]}
    assert tf.make_ndarray(stubs.predict.Predict(request([], []), timeout=60).outputs['error']).shape == (0,)


def test_the_client_writes_through_it(stubs):
    answers = Client(GrpcTransport(stubs.address)).write(['永', '⿱山鱼', 'ก'], style_seeds=[1, 2, 3])
    assert [answer.error for answer in answers] == ['', '', 'U+0E01 at position 0'] and answers[
        1
    ].picture.startswith(b'\x89PNG')


def test_metadata_and_status(stubs, served):
    asked = get_model_metadata_pb2.GetModelMetadataRequest()
    asked.model_spec.name = 'hwgen'
    assert 'at least one metadata_field' in refused(
        stubs.predict.GetModelMetadata, asked, grpc.StatusCode.INVALID_ARGUMENT
    )
    asked.metadata_field.append('signature_def')
    answer, signatures = (
        stubs.predict.GetModelMetadata(asked, timeout=60),
        get_model_metadata_pb2.SignatureDefMap(),
    )
    assert answer.model_spec.version.value == 3 and answer.metadata['signature_def'].Unpack(signatures)
    told = json_format.MessageToDict(
        signatures, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )['signature_def']
    assert told == served.signature_defs
    asked.metadata_field.append('weights')
    assert 'Metadata field weights is not supported' in refused(
        stubs.predict.GetModelMetadata, asked, grpc.StatusCode.INVALID_ARGUMENT
    )
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = 'hwgen'
    rows = stubs.models.GetModelStatus(status, timeout=60).model_version_status
    # 30: AVAILABLE
    assert [(row.version, row.state, row.status.error_code) for row in rows] == [(3, 30, 0), (1, 30, 0)]
    status.model_spec.name = 'half'
    assert (
        refused(stubs.models.GetModelStatus, status, grpc.StatusCode.NOT_FOUND)
        == 'Could not find any versions of model half'
    )


def proto(dtype, shape, **values):
    message = tf.make_tensor_proto(0, dtype) if dtype != tf.string else tf.make_tensor_proto('')
    message.Clear()
    message.dtype = dtype.as_datatype_enum
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    for name, value in values.items():
        getattr(message, name).extend(value) if isinstance(value, list) else setattr(message, name, value)
    return message


SEED = proto(tf.int64, [1], int64_val=[1])


@pytest.mark.parametrize(
    'message, code, said',
    [
        (request(name='half'), grpc.StatusCode.NOT_FOUND, 'Servable not found for request: Latest(half)'),
        (request(version=2), grpc.StatusCode.NOT_FOUND, 'Servable not found for request: Specific(hwgen, 2)'),
        (
            request(label='nope'),
            grpc.StatusCode.INVALID_ARGUMENT,
            'Unrecognized servable version label: nope',
        ),
        (
            request(signature='other'),
            grpc.StatusCode.INVALID_ARGUMENT,
            'Serving signature name: "other" not found in signature def',
        ),
        (
            request(tensors=dict(texts=proto(tf.string, [1], string_val=[b'x']))),
            grpc.StatusCode.INVALID_ARGUMENT,
            'missing but required: {style_seeds}',
        ),
        (request(['a', 'b'], [1]), grpc.StatusCode.INVALID_ARGUMENT, 'style_seeds 1'),
        (
            request(['永'] * 5, [1] * 5),
            grpc.StatusCode.INVALID_ARGUMENT,
            '5 lines: expected at most 4 in a request',
        ),
        (
            request(['永' * 80] * 4, [1] * 4, signature='images'),
            grpc.StatusCode.INVALID_ARGUMENT,
            'an answer of 83208 values: expected at most 80000 (--max_values)',
        ),
        (
            request(tensors=dict(texts=proto(tf.string, [], string_val=[b'x']), style_seeds=SEED)),
            grpc.StatusCode.INVALID_ARGUMENT,
            'input texts: shape [], expected [-1]',
        ),
        (
            request(tensors=dict(texts=proto(tf.string, [1, 1], string_val=[b'x']), style_seeds=SEED)),
            grpc.StatusCode.INVALID_ARGUMENT,
            'input texts: shape [1, 1], expected [-1]',
        ),
        (
            request(tensors=dict(texts=SEED, style_seeds=SEED)),
            grpc.StatusCode.INVALID_ARGUMENT,
            'input texts: expected type string',
        ),
        (
            request(tensors=dict(texts=proto(tf.string, [10**12], string_val=[b'x']), style_seeds=SEED)),
            grpc.StatusCode.INVALID_ARGUMENT,
            '1000000000000 elements, expected at most 100000',
        ),
        (
            request(tensors=dict(texts=proto(tf.string, [-1], string_val=[b'x']), style_seeds=SEED)),
            grpc.StatusCode.INVALID_ARGUMENT,
            'input texts: shape [-1], expected [-1]',
        ),
        (
            request(
                tensors=dict(
                    texts=proto(tf.string, [1], string_val=[b'x']),
                    style_seeds=proto(tf.int64, [2], tensor_content=b'123'),
                )
            ),
            grpc.StatusCode.INVALID_ARGUMENT,
            'input style_seeds: not a tensor of shape [2]',
        ),
        (request(['x' * 200_000]), grpc.StatusCode.RESOURCE_EXHAUSTED, ''),
    ],
)
def test_errors(served, message, code, said, stubs):
    if 'max_values' in said:
        small = Stubs(served, max_values=80_000)
        try:
            assert said in refused(small.predict.Predict, message, code)
        finally:
            small.close()
        return
    assert said in refused(stubs.predict.Predict, message, code)
    assert stubs.predict.Predict(request(), timeout=60).outputs['error'].string_val[0] == b''


class Slow:
    """A model that waits until it is told to go on."""

    inputs = {
        'serving_default': {
            'texts': tf.TensorSpec([None], tf.string),
            'style_seeds': tf.TensorSpec([None], tf.int64),
        }
    }

    def __init__(self):
        self.go, self.entered = threading.Event(), threading.Semaphore(0)

    def run(self, signature, inputs):
        del signature
        self.entered.release()
        assert self.go.wait(60)
        if inputs['texts'][0] == b'fault':
            raise RuntimeError('of the model')
        return dict(error=inputs['texts'])


def test_a_full_queue_a_slow_model_and_a_fault():
    slow = Slow()
    stubs = Stubs(slow, limits=Limits(workers=1, max_waiting=0, timeout_sec=0.3))
    try:
        assert refused(stubs.predict.Predict, request(), grpc.StatusCode.DEADLINE_EXCEEDED).startswith(
            'no answer within 0.3 seconds'
        )
        assert (
            refused(stubs.predict.Predict, request(), grpc.StatusCode.UNAVAILABLE)
            == 'busy: 1 requests are being answered: expected fewer'
        )
        slow.go.set()
        while stubs.queue.pending:
            pass
        assert (
            refused(stubs.predict.Predict, request(['fault']), grpc.StatusCode.INTERNAL)
            == 'the server failed; its log says why'
        )
        assert stubs.predict.Predict(request(['x']), timeout=60).outputs['error'].string_val[0] == b'x'
    finally:
        slow.go.set()
        stubs.close()


def test_a_port_that_is_taken(stubs, served):
    with pytest.raises(OSError, match=f'^127.0.0.1:{stubs.server.port}: cannot be listened at: '):
        GrpcServer('127.0.0.1', stubs.server.port, None, queue=None, limits=Limits())


def test_who_has_gone_or_waited_long_enough_leaves_the_queue():
    """The call that still waits behind another is taken out: it is never run, and its place is free."""
    queue, go, ran = WorkQueue(workers=1, max_waiting=1), threading.Event(), []
    running, leave = queue.submit(go.wait, 60), []
    context, came = (
        types.SimpleNamespace(add_callback=lambda function: (leave.append(function), came.set())),
        threading.Event(),
    )
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(_Answers(None, queue, Limits())._wait, lambda: ran.append('gone'), context)
            assert came.wait(60) and queue.pending == 2
            leave[0]()  # gRPC calls it when the client goes
            assert waiting.exception(60).status == 504 and queue.pending == 1
        with pytest.raises(
            RestError, match='^no answer within 0.05 seconds: expected a smaller request'
        ) as caught:
            _Answers(None, queue, Limits(timeout_sec=0.05))._wait(lambda: ran.append('late'), context)
        assert caught.value.status == 504 and queue.pending == 1
    finally:
        go.set()
        running.result(60)
        queue.close()
    assert ran == []


@pytest.mark.parametrize('host, place', [('127.0.0.1', '127.0.0.1:8500'), ('::1', '[::1]:8500')])
def test_what_the_server_is_made_of(monkeypatch, host, place):
    """A thread for each request that may run or wait, and four for who asks for something else; the limits
    are those of the HTTP server.
    """
    made = unittest.mock.MagicMock()
    made.add_insecure_port.return_value = 8500
    asked = []
    monkeypatch.setattr(
        grpc, 'server', lambda pool, **options: asked.append((pool._max_workers, options)) or made
    )
    server = GrpcServer(
        host,
        8500,
        None,
        queue=None,
        limits=Limits(workers=3, max_waiting=5, max_body_bytes=777, timeout_sec=9.0),
    )
    assert asked == [
        (
            12,
            dict(
                maximum_concurrent_rpcs=12,
                options=[
                    ('grpc.max_receive_message_length', 777),
                    ('grpc.max_send_message_length', -1),
                    ('grpc.so_reuseport', 0),
                ],
            ),
        )
    ]
    server.start()
    server.stop()
    assert (
        made.mock_calls[-2:] == [unittest.mock.call.start(), unittest.mock.call.stop(9.0)]
        and server.port == 8500
    )
    made.add_insecure_port.assert_called_once_with(place)


def test_inputs_of_exactly_the_largest_size(served):
    read = _Answers(None, None, Limits(max_body_bytes=3))._read
    specs = {'style_seeds': tf.TensorSpec([None], tf.int64)}
    assert read({'style_seeds': proto(tf.int64, [3], int64_val=[1, 2, 3])}, specs)[
        'style_seeds'
    ].tolist() == [1, 2, 3]
    with pytest.raises(RestError, match='input style_seeds: 4 elements, expected at most 3'):
        read({'style_seeds': proto(tf.int64, [4], int64_val=[1])}, specs)
    with pytest.raises(RestError, match='sent extra: {a,b}, missing but required: {style_seeds}'):
        read({'b': SEED, 'a': SEED}, specs)
    with pytest.raises(RestError, match=r'input style_seeds: shape \[\], expected'):
        read(
            {
                'style_seeds': types.SimpleNamespace(
                    dtype=9, tensor_shape=types.SimpleNamespace(dim=[], unknown_rank=True)
                )
            },
            specs,
        )
    strings = read(
        {'texts': proto(tf.string, [2], string_val=[b'a', b'bc'])},
        {'texts': tf.TensorSpec([None], tf.string)},
    )['texts']
    assert strings.dtype == object and strings.tolist() == [b'a', b'bc']


def test_outputs_that_are_not_there(stubs):
    message = request(signature='images')
    message.output_filter.extend(['widths', 'heights'])
    assert (
        refused(stubs.predict.Predict, message, grpc.StatusCode.INVALID_ARGUMENT)
        == 'output tensor alias not found in signature: heights Outputs expected to be in the set'
        ' {boxes,error,images,widths}.'
    )
