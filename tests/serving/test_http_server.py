"""The server's limits, with a model stand-in that waits until it is told to go on; hostile requests, with
a real export.
"""

import concurrent.futures
import gzip
import json
import socket
import struct
import threading
import time

import pytest

pytest.importorskip('uvicorn', reason='the extra `serve` is not installed: pip install "hwgen[serve]"')

from running_server import running

from hwgen.serving import http_server
from hwgen.serving.client import Client, RefusalError
from hwgen.serving.http_server import bind
from hwgen.serving.rest_service import RestService
from hwgen.serving.rest_transport import RestTransport
from hwgen.serving.server_metrics import ServerMetrics
from hwgen.serving.work_queue import QueueFullError

PREDICT = '/v1/models/hwgen:predict'
LONG = 'x' * 1_000_000


class Waiting:
    """A service whose every answer waits for `go`."""

    def __init__(self):
        self.go, self.entered, self.bodies = threading.Event(), threading.Semaphore(0), []

    def answer(self, method, path, body):
        self.bodies.append(body)
        self.entered.release()
        assert self.go.wait(60)
        if body == b'fault':
            raise RuntimeError('of the model')
        return 200, b'{"said": "%s"}' % body


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        yield threads


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def exchange(address, sent, *, read=True):
    """Sends bytes as they are; returns what comes until the server ends the connection."""
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(sent)
        answer = b''
        while read and (part := connection.recv(2**16)):
            answer += part
        return answer


def test_a_full_queue_is_503_and_harms_nobody(pool):
    service = Waiting()
    with running(service, workers=1, max_waiting=1) as server:
        first = pool.submit(server.ask, 'POST', PREDICT, b'first')
        assert service.entered.acquire(timeout=60)
        second = pool.submit(server.ask, 'POST', PREDICT, b'second')
        until(lambda: server.pending() == 2)
        status, body, headers = server.ask('POST', PREDICT, b'third', retries=False)
        assert (
            status == 503
            and json.loads(body) == {'error': 'busy: 2 requests are being answered: expected fewer'}
            and headers['Retry-After'] == '1'
        )
        assert server.ask('GET', '/healthz')[:2] == (200, b'{"status": "ok"}')  # needs no place in the queue
        service.go.set()
        assert [task.result()[:2] for task in (first, second)] == [
            (200, b'{"said": "first"}'),
            (200, b'{"said": "second"}'),
        ]
        until(lambda: server.pending() == 0)
        assert server.ask('POST', PREDICT, b'fourth')[0] == 200
        metrics = server.ask('GET', '/metrics')[1].decode()
        assert (
            'hwgen_requests_total{route="/v1/",status="200"} 3.0' in metrics
            and 'hwgen_requests_total{route="/v1/",status="503"} 1.0' in metrics
        )
        assert 'hwgen_request_seconds_count{route="/v1/"} 4.0' in metrics


def test_what_nobody_waits_for_any_longer_is_not_written(pool):
    service = Waiting()
    with running(service, workers=1, max_waiting=2) as server:
        first = pool.submit(server.ask, 'POST', PREDICT, b'first')
        assert service.entered.acquire(timeout=60)
        with socket.create_connection(server.address) as leaving:
            # a reset; an end of sending alone is no leaving
            leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            leaving.sendall(
                b'POST /v1/models/hwgen:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 7\r\n\r\nleaving'
            )
            until(lambda: server.pending() == 2)
        until(lambda: server.pending() == 1)
        service.go.set()
        assert first.result()[0] == 200
        assert (
            'hwgen_requests_total{route="/v1/",status="499"} 1.0' in server.ask('GET', '/metrics')[1].decode()
        )
    assert service.bodies == [b'first']


def test_an_answer_that_takes_too_long_is_504(pool):
    service = Waiting()
    with running(service, workers=1, max_waiting=0, timeout_sec=0.2) as server:
        status, body, _ = server.ask('POST', PREDICT, b'slow')
        assert status == 504 and json.loads(body)['error'].startswith('no answer within 0.2 seconds')
        assert server.ask('POST', PREDICT, b'next', retries=False)[0] == 503  # its thread is not free yet
        service.go.set()
        until(lambda: server.pending() == 0)
        assert server.ask('POST', PREDICT, b'next')[0] == 200


def test_a_stop_ends_what_was_accepted(pool):
    service = Waiting()
    with running(service) as server:
        task = pool.submit(server.ask, 'POST', PREDICT, b'last')
        assert service.entered.acquire(timeout=60)
        server.server.stop()
        until(lambda: socket.socket().connect_ex(server.address))  # nobody new comes in
        assert server.thread.is_alive()
        service.go.set()
        assert task.result()[:2] == (200, b'{"said": "last"}')
        server.thread.join(60)
        assert not server.thread.is_alive()


def test_a_fault_is_500_and_logged(caplog):
    service = Waiting()
    service.go.set()
    with running(service) as server:
        status, body, _ = server.ask('POST', PREDICT, b'fault')
        assert (status, json.loads(body)) == (500, {'error': 'the server failed; its log says why'})
        assert server.ask('POST', PREDICT, b'next')[0] == 200
    assert 'RuntimeError: of the model' in caplog.text


def test_clients_that_are_slow():
    service = Waiting()
    service.go.set()
    with running(service, timeout_sec=0.3) as server:
        head = exchange(server.address, b'POST /v1/models/hwgen:predict HT')
        assert (
            head.startswith(b'HTTP/1.1 408 Request Timeout\r\n')
            and b'the request took too long to arrive' in head
        )
        body = exchange(
            server.address,
            b'POST /v1/models/hwgen:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"a',
        )
        assert body.startswith(b'HTTP/1.1 408 ') and b'the request took too long to arrive' in body
        assert exchange(server.address, b'') == b''  # says nothing: gets nothing
        late = exchange(server.address, b'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /heal')
        assert late.startswith(b'HTTP/1.1 200 OK') and b'HTTP/1.1 408' in late
        # Reads nothing of what it asked for, and goes on asking.
        exchange(server.address, b'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n' * 200, read=False)
        assert server.ask('POST', PREDICT, b'next')[0] == 200
    assert service.bodies == [b'next']


@pytest.fixture(scope='module')
def real(served):
    service = RestService(
        'hwgen', {1: served, 3: served}, labels=dict(stable=1), refuse_unwritable=True, max_lines=4
    )
    with running(service, max_body_bytes=2**20) as server:
        yield server


def text(value, seed=1, count=1):
    return json.dumps({'instances': [{'texts': value, 'style_seeds': seed}] * count}).encode()


@pytest.mark.parametrize(
    'method, path, body, status, said',
    [
        ('POST', PREDICT, b'{', 400, 'JSON Parse error'),
        ('POST', PREDICT, b'', 400, 'JSON Parse error'),
        ('POST', PREDICT, b'\xff\xfe\x80', 400, 'JSON Parse error'),
        (
            'POST',
            PREDICT,
            b'{"instances": [{"texts": "\xe6\x98", "style_seeds": 1}]}',
            400,
            'JSON Parse error',
        ),
        ('POST', PREDICT, text({'b64': '//79'}), 400, 'text 0: U+FFFD at position 0'),
        ('POST', PREDICT, b'[' * 500_000, 400, 'nested too deeply'),
        ('POST', PREDICT, b'{"instances":' * 50_000, 400, 'nested too deeply'),
        ('POST', PREDICT, b'{"instances": ' + b'[' * 900 + b']' * 900 + b'}', 400, 'instances'),
        ('POST', PREDICT, text('永', seed='7'), 400, 'is not of expected type: int64'),
        ('POST', PREDICT, text('永', seed=1.5), 400, 'is not of expected type: int64'),
        ('POST', PREDICT, text('永', seed=2**64), 400, 'is not of expected type: int64'),
        ('POST', PREDICT, text(None), 400, 'is not of expected type: string'),
        ('POST', PREDICT, text('永', count=5), 400, '5 lines: expected at most 4 in a request'),
        ('POST', PREDICT, text(''), 400, 'text 0: empty text'),
        ('POST', PREDICT, text('\ud800'), 400, 'surrogate'),
        ('POST', PREDICT, text('永\0'), 400, 'text 0: U+0000 at position 1'),
        ('POST', PREDICT, text(LONG), 400, 'text 0: 1000000 characters: expected at most 80'),
        ('POST', PREDICT, text(LONG + LONG), 413, 'a request of more than 1048576 bytes'),
        ('POST', PREDICT, b'{"instances": [' + b'1' * 5000 + b']}', 400, ''),
        (
            'POST',
            PREDICT,
            (
                b'{"signature_name": "components", "inputs": {"component_ids": [[[-1, 99999, 0, 0]]],'
                b' "structure_ids": [[99999]], "boxes": [[[[0,0,1,NaN],[0,0,0,0],[0,0,0,0],[0,0,0,0]]]],'
                b' "character_ids": [[-7]], "lengths": [2147483647], "style_seeds": [1], "truncation":'
                b' [Infinity]}}'
            ),
            400,
            'text 0: ',
        ),
        ('POST', '/v1/models/hwgen:regress', b'{}', 400, 'Malformed request'),
        (
            'POST',
            '/v1/models/hwgen/versions/99999999999999999999999:predict',
            text('永'),
            400,
            'Failed to convert version: 99999999999999999999999 to numeric.',
        ),
        (
            'POST',
            '/v1/models/hwgen/versions/9223372036854775808:predict',
            text('永'),
            400,
            'Failed to convert version: 9223372036854775808 to numeric.',
        ),
        (
            'POST',
            '/v1/models/hwgen/versions/9223372036854775807:predict',
            text('永'),
            404,
            'Servable not found for request: Specific(hwgen, 9223372036854775807)',
        ),
        ('GET', '/v1/models/hwgen/versions/' + '9' * 5000, None, 400, 'Failed to convert version: 999'),
        (
            'POST',
            '/v1/models/hwgen/versions/' + '9' * 5000 + ':predict',
            text('永'),
            400,
            'Failed to convert version: 999',
        ),
        (
            'POST',
            PREDICT,
            text(['永']),
            400,
            "input texts: shape [1, 1], expected [-1]; each of 'instances' gives one row",
        ),
        (
            'POST',
            PREDICT,
            b'{"inputs": {"texts": "x", "style_seeds": 7}}',
            400,
            "input texts: shape [], expected [-1]; in 'inputs' give a list",
        ),
        ('GET', '/v1/models/%F0%9F%92%A9', None, 404, 'Could not find any versions'),
        ('DELETE', '/v1/models/hwgen', None, 400, 'Malformed request: DELETE'),
        ('POST', '/healthz', b'', 405, 'Method Not Allowed'),
        ('GET', '/', None, 404, 'Not Found'),
        ('GET', '/' + 'a' * 9000, None, 404, 'Not Found'),
    ],
)
def test_hostile_requests_get_their_status_and_the_next_gets_its_picture(
    real, method, path, body, status, said
):
    found, content, headers = real.ask(method, path, body)
    assert (
        found == status
        and headers['Content-Type'] == 'application/json'
        and said in json.loads(content)['error']
    )
    assert real.ask('POST', PREDICT, text('永'))[0] == 200


@pytest.mark.parametrize(
    'sent, status',
    [
        (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\0' * 300, b'400'),  # TLS to a port without it
        (b'GET / HTTP/1.1\r\n\r\n', b'400'),  # no host
        (b'POST /v1/models/hwgen:predict HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', b'400'),
        (
            (
                b'POST /v1/models/hwgen:predict HTTP/1.1\r\nhost: x\r\ncontent-length:'
                b' 99999999999999\r\nconnection: close\r\n\r\n'
            ),
            b'413',
        ),
        (
            (
                b'POST /v1/models/hwgen:predict HTTP/1.1\r\nhost: x\r\ncontent-length:'
                b' 5\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'
            ),
            b'400',
        ),
        (b'GET /healthz HTTP/1.1\r\nhost: x\r\n' + b'x: ' + b'y' * 20_000, b'400'),
    ],
)
def test_what_is_no_http(real, sent, status):
    assert exchange(real.address, sent).split()[1] == status
    assert real.ask('POST', PREDICT, text('永'))[0] == 200


def test_chunks_beyond_the_limit(real):
    status, content, _ = real.ask('POST', PREDICT, iter([b'x' * 2**16] * 20), chunked=True)
    assert status == 413 and 'more than 1048576 bytes' in json.loads(content)['error']
    assert real.ask('POST', PREDICT, iter([text('永')]), chunked=True)[0] == 200


def test_it_answers_as_the_service_does_alone_and_together(real, served, pool):
    service = RestService('hwgen', {1: served, 3: served}, labels=dict(stable=1))
    calls = [
        ('GET', '/v1/models/hwgen', None),
        ('GET', '/v1/models/hwgen/labels/stable/metadata', None),
        ('POST', '/v1/models/hwgen/versions/1:predict', text('永人')),
    ]
    for method, path, body in calls:
        assert real.ask(method, path, body)[:2] == service.answer(method, path, body or b'')
    texts = [text('永人山水天'[: 1 + i % 5], seed=i % 3) for i in range(40)]
    alone = [service.answer('POST', PREDICT, one) for one in texts]
    assert [
        task.result()[:2] for task in [pool.submit(real.ask, 'POST', PREDICT, one) for one in texts]
    ] == alone


def test_the_client_has_its_pictures_and_the_refusals(real, writer, truncation):
    client = Client(RestTransport(real.url))
    answers = client.write(['永', 'ก', '⿱山鱼'], style_seeds=[5, 5, 5])
    assert [answer.error for answer in answers] == ['', 'U+0E01 at position 0', ''] and all(
        answer.picture for answer in (answers[0], answers[2])
    )
    with pytest.raises(RefusalError, match='status 400: 5 lines: expected at most 4'):
        client.write(['永'] * 5)


def test_what_is_asked_of_the_log_holds_no_control_characters(caplog):
    service = Waiting()
    service.go.set()
    with running(service) as server:
        assert server.ask('POST', '/v1/models/a%0d%1b%5b31mFAKE' + 'x' * 5000, b'fault')[0] == 500
        exchange(
            server.address,
            b'POST /v1/\x7f\x1b[31m HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length:'
            b' 5\r\n\r\nfault',
        )
    said = [record.getMessage() for record in caplog.records]
    assert said and all(message.isprintable() and len(message) < 400 for message in said)


def test_a_stop_does_not_wait_for_what_nobody_waits_for(pool):
    service = Waiting()
    with running(service, workers=1, timeout_sec=0.3) as server:
        assert server.ask('POST', PREDICT, b'slow')[0] == 504  # its thread goes on
        asked = pool.submit(server.ask, 'POST', PREDICT, b'queued')
        until(lambda: server.pending() == 2)
        server.server.stop()
        assert asked.result()[0] == 504
        server.thread.join(60)
        assert not server.thread.is_alive() and not service.go.is_set()
    service.go.set()


def packed(*parts):
    return b''.join(gzip.compress(part, mtime=0) for part in parts)


@pytest.mark.parametrize(
    'encoding, body, status, said',
    [
        ('gzip', packed(b'{"in', b'', b'puts"}'), 200, b'{"inputs"}'),
        ('x-gzip', packed(b'a'), 200, b'a'),
        (' GZip ', packed(b'a' * 1000), 200, b'a' * 1000),
        ('identity', b'a', 200, b'a'),
        ('', b'a', 200, b'a'),
        ('gzip', packed(b'a' * 1001), 413, b'more than 1000 bytes'),
        ('gzip', packed(b'\0' * 10**8)[:900], 413, b'more than 1000 bytes'),
        ('gzip', b'x' * 1001, 413, b'more than 1000 bytes'),
        ('gzip', b'{"inputs": 7}', 400, b'Content-Encoding gzip: Not a gzipped file'),
        ('gzip', packed(b'a' * 50)[:-5], 400, b'Content-Encoding gzip: '),
        ('gzip', packed(b'a') + b'junk', 400, b'Content-Encoding gzip: '),
        ('gzip', packed(b'abc')[:-8] + bytes(8), 400, b'Content-Encoding gzip: CRC check failed'),
        ('gzip', packed(b'')[:10] + b'\xff\xff', 400, b'Content-Encoding gzip: '),
        ('br', b'a', 415, b'Content-Encoding br: expected gzip, or none'),
        ('gzip, gzip', b'a', 415, b'expected gzip'),
    ],
)
def test_packed_requests(encoding, body, status, said):
    service = Waiting()
    service.go.set()
    with running(service, max_body_bytes=1000) as server:
        found, content, _ = server.ask('POST', PREDICT, body, headers={'Content-Encoding': encoding})
    assert found == status and said in content


def test_an_address_that_cannot_be_had():
    with bind('127.0.0.1', 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            OSError, match=f'^127.0.0.1:{port}: cannot be listened at: Address already in use'
        ):
            bind('127.0.0.1', port)
    for host in ('no.such.host.invalid', '256.1.1.1'):
        with pytest.raises(OSError, match=f'^{host}:1: cannot be listened at: '):
            bind(host, 1)


class Shown:
    """A page that answers with what it was asked."""

    html, settings = '<p>手</p>'.encode(), b'{"max_rows": 1}'

    def write(self, body):
        return (400 if body == b'wrong' else 200), b'{"said": "%s"}' % body


def test_the_page():
    """Nothing but what it brings along may run on it, and no other page may show it; another one takes its
    place at any time.
    """
    with running(Waiting(), page=Shown(), max_body_bytes=9) as server:
        status, body, headers = server.ask('GET', '/')
        assert (status, body, headers['Content-Type']) == (200, Shown.html, 'text/html; charset=utf-8')
        policy = dict(part.strip().split(' ', 1) for part in headers['Content-Security-Policy'].split(';'))
        assert policy == {
            'default-src': "'none'",
            'script-src': "'unsafe-inline'",
            'style-src': "'unsafe-inline'",
            'img-src': 'data: blob:',
            'connect-src': "'self'",
            'base-uri': "'none'",
            'form-action': "'none'",
            'frame-ancestors': "'none'",
        }
        assert (headers['Cache-Control'], headers['X-Content-Type-Options'], 'Server' in headers) == (
            'no-cache',
            'nosniff',
            False,
        )
        status, body, headers = server.ask('GET', '/page/settings')
        assert (status, body, headers['Content-Type']) == (200, Shown.settings, 'application/json')
        assert (
            server.ask('POST', '/page/lines', b'abc')[:2] == (200, b'{"said": "abc"}')
            and server.ask('POST', '/page/lines', b'wrong')[0] == 400
        )
        assert (
            server.ask('POST', '/page/lines', b'x' * 10)[0] == 413
            and server.ask('GET', '/page/lines')[0] == 405
        )
        assert 'text/plain' in server.ask('GET', '/metrics')[2]['Content-Type']
        server.server.page = None
        assert [server.ask('GET', path)[0] for path in ('/', '/page/settings')] == [404, 404]


def test_how_it_is_set_up(monkeypatch):
    made = []
    monkeypatch.setattr(http_server, 'TimedConnection', lambda *arguments, **options: made.append(options))
    limits = http_server.Limits()
    assert limits == (2, 64, 2**20, 60.0, 512, 5.0)
    server = http_server.HttpServer(
        Waiting(), limits=limits._replace(timeout_sec=7.0, max_connections=3, idle_sec=2.0)
    )
    config = server._server.config
    assert (
        config.ws,
        config.lifespan,
        config.access_log,
        config.server_header,
        config.proxy_headers,
        config.timeout_graceful_shutdown,
    ) == ('none', 'off', False, False, False, 8.0)
    config.http_protocol_class = config.http(config=config)
    (options,) = made
    assert (options['timeout_sec'], options['idle_sec'], options['max_connections']) == (7.0, 2.0, 3)
    options['count'](408)
    assert b'hwgen_requests_total{route="none",status="408"} 1.0' in server._metrics.text()[0]
    server.queue.close()
    with bind('127.0.0.1', 0) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) and listener.getsockopt(
            socket.SOL_SOCKET, socket.SO_ACCEPTCONN
        )


def test_a_companion_is_stopped_first_and_waited_for():
    service, order = Waiting(), []

    class Ended:
        def wait(self):
            order.append('waited')

    class Companion:
        def stop(self):
            order.append('stopped')
            return Ended()

    with running(service) as server:
        server.server.companion = Companion()
    assert order == ['stopped', 'waited']
    with pytest.raises(QueueFullError):
        server.server.queue.submit(print)


def test_times_and_counts_are_told_to_prometheus():
    metrics = ServerMetrics(lambda: 5)
    metrics.count('/v1/', 200, 0.3)
    metrics.count('/v1/', 200, 61.0)
    metrics.count('none', 408)
    metrics.count('/', 200, 0.0)  # no time at all is one, too
    text, kind = metrics.text()
    rows = dict(line.rsplit(' ', 1) for line in text.decode().splitlines() if not line.startswith('#'))
    assert (
        kind.startswith('text/plain')
        and rows['hwgen_pending_requests'] == '5.0'
        and rows['hwgen_requests_total{route="/v1/",status="200"}'] == '2.0'
    )
    assert (
        rows['hwgen_requests_total{route="none",status="408"}'] == '1.0'
        and 'hwgen_request_seconds_count{route="none"}' not in rows
        and rows['hwgen_request_seconds_count{route="/"}'] == '1.0'
    )
    bins = {
        name.split('le="')[1].split('"')[0]: value
        for name, value in rows.items()
        if name.startswith('hwgen_request_seconds_bucket') and 'route="/v1/"' in name
    }
    assert list(bins) == [
        '0.005',
        '0.01',
        '0.025',
        '0.05',
        '0.1',
        '0.25',
        '0.5',
        '1.0',
        '2.5',
        '5.0',
        '10.0',
        '30.0',
        '60.0',
        '+Inf',
    ]
    assert (bins['0.25'], bins['0.5'], bins['60.0'], bins['+Inf']) == ('0.0', '1.0', '1.0', '2.0') and rows[
        'hwgen_request_seconds_sum{route="/v1/"}'
    ] == '61.3'
