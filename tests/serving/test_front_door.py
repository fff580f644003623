"""Who may come in: names of the host, pages of other origins, a crowd of connections; and that every
answer is counted.
"""

import asyncio
import contextlib
import json
import re
import socket
import threading
import time
import types

import pytest

pytest.importorskip('uvicorn', reason='the extra `serve` is not installed: pip install "hwgen[serve]"')

from running_server import running

from hwgen.serving import front_door

PREDICT = '/v1/models/hwgen:predict'


class Echo:
    """A service that answers with what it was asked."""

    def answer(self, method, path, body):
        return 200, json.dumps([method, path, body.decode()]).encode()


@pytest.fixture
def server():
    with running(Echo()) as server:
        yield server


def exchange(address, sent, *, end=False):
    """Sends bytes; returns what comes until the server ends the connection. end: whether to end sending at
    once.
    """
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(sent)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b''
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(2**16):
                answer += part
        return answer


def counted(server, route, status):
    """How many answers the metrics tell of."""
    text = server.ask('GET', '/metrics')[1].decode()
    found = re.search(
        rf'^hwgen_requests_total{{route="{re.escape(route)}",status="{status}"}} (\S+)$', text, re.MULTILINE
    )
    return int(float(found[1])) if found else 0


@pytest.mark.parametrize(
    'host',
    [
        'localhost',
        'LOCALHOST:80',
        'app.localhost:1',
        '127.0.0.1:9',
        '10.1.2.3',
        '[::1]:8501',
        'hwgen',
        'hwgen:8501',
        'write.example.org.',
        '',
    ],
)
def test_names_that_are_taken(host):
    with running(Echo(), hosts=['Write.example.org']) as server:
        assert server.ask('POST', PREDICT, b'x', headers={'Host': host})[0] == 200


@pytest.mark.parametrize(
    'host',
    [
        'evil.example',
        'rebind.evil.example:8501',
        '127.0.0.1.evil.example',
        'localhost.evil.example',
        'evil.example:80:80',
        'a.b"c',
        '0x7f.1',
    ],
)
def test_names_of_others_are_refused(server, host):
    for method, path in (('POST', PREDICT), ('GET', '/metrics'), ('GET', '/v1/models/hwgen'), ('GET', '/')):
        status, body, headers = server.ask(method, path, headers={'Host': host})
        assert (
            status == 403
            and headers['Content-Type'] == 'application/json'
            and '--allowed_hosts' in json.loads(body)['error']
            and 'Location' not in headers
        )
    # tells nothing, and whoever looks after a server asks by any name
    assert server.ask('GET', '/healthz', headers={'Host': host})[0] == 200
    assert counted(server, '/v1/', 403) == 2


def test_where_no_names_are_held_all_are_taken():
    for hosts in (None, ['*']):
        with running(Echo(), hosts=hosts) as server:
            assert server.ask('POST', PREDICT, b'x', headers={'Host': 'evil.example'})[0] == 200


@pytest.mark.parametrize(
    'headers, status',
    [
        ({}, 200),
        ({'Origin': 'http://localhost:7', 'Host': 'localhost:7'}, 200),
        ({'Origin': 'https://a.localhost', 'Host': 'a.localhost'}, 200),
        ({'Origin': 'http://evil.example'}, 403),
        ({'Origin': 'null'}, 403),
        ({'Origin': 'http://localhost:8', 'Host': 'localhost:7'}, 403),
        ({'Origin': ''}, 403),
        ({'Origin': 'http://['}, 403),
        ({'Origin': 'null', 'Host': ''}, 403),
        ({'Origin': 'http://evil.example', 'Content-Type': 'text/plain'}, 403),
        # What the browser itself says counts more: a proxy may have changed the host.
        ({'Origin': 'https://write.example.org', 'Sec-Fetch-Site': 'same-origin'}, 200),
        ({'Sec-Fetch-Site': 'none'}, 200),
        ({'Sec-Fetch-Site': 'cross-site'}, 403),
        ({'Origin': 'http://localhost:7', 'Host': 'localhost:7', 'Sec-Fetch-Site': 'same-site'}, 403),
    ],
)
def test_pages_of_other_origins(server, headers, status):
    for path in (PREDICT, '/v1/models/other:predict'):
        assert server.ask('POST', path, b'x', headers=headers)[0] == status
    # reads nothing that the browser would show to a foreign page
    found, _, said = server.ask('GET', '/v1/models/hwgen', headers=headers)
    assert found == 200 and 'Access-Control-Allow-Origin' not in said


def test_origins_that_may_ask():
    foreign = {'Origin': 'https://app.example.org', 'Sec-Fetch-Site': 'cross-site'}
    preflight = {
        **foreign,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
    }
    for origins, named in ((['https://app.example.org'], 'https://app.example.org'), (['*'], '*')):
        with running(Echo(), origins=origins) as server:
            assert (
                server.ask('OPTIONS', PREDICT, headers=preflight)[2]['Access-Control-Allow-Origin'] == named
            )
            status, _, headers = server.ask('POST', PREDICT, b'x', headers=foreign)
            assert status == 200 and headers['Access-Control-Allow-Origin'] == named
            assert server.ask('POST', PREDICT, b'x', headers={'Origin': 'https://other.example.org'})[0] == (
                403 if named != '*' else 200
            )
    with running(Echo()) as server:
        assert server.ask('POST', PREDICT, b'x', headers=foreign)[0] == 403


def test_every_answer_is_counted(server):
    for method, path, status, route in (
        ('GET', '/nixnix', 404, 'other'),
        ('GET', '/page/lines/', 404, 'other'),
        ('GET', '/v1', 404, 'other'),
        ('DELETE', '/healthz', 405, '/healthz'),
        ('GET', '/', 404, '/'),
        ('GET', '/page/settings', 404, '/page/settings'),
        ('BREW', '/v1/x', 405, '/v1/'),
    ):
        found, body, headers = server.ask(method, path, redirect=False)
        assert (found, counted(server, route, status), headers.get('Location')) == (
            status,
            counted(server, route, status) or 1,
            None,
        ) and json.loads(body)['error']
    assert counted(server, 'other', 404) == 3
    answer = exchange(server.address, b'\x16\x03\x01\x02\x00\x01')
    assert (
        answer.startswith(b'HTTP/1.1 400 Bad Request\r\n')
        and b'application/json' in answer
        and json.loads(answer.partition(b'\r\n\r\n')[2]) == {'error': 'Invalid HTTP request received.'}
    )
    assert counted(server, 'none', 400) == 1


@pytest.mark.parametrize(
    'target, path',
    [
        ('http://localhost/v1/models/hwgen', '/v1/models/hwgen'),
        ('HTTP://127.0.0.1:1/v1/models/hwgen?x=1', '/v1/models/hwgen'),
        ('https://localhost/v1/a%20b', '/v1/a%20b'),
        ('/V1/MODELS/hwgen', '/V1/MODELS/hwgen'),
    ],
)
def test_targets(server, target, path):
    answer = exchange(
        server.address, f'\r\nGET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'.encode()
    )
    assert answer.startswith(b'HTTP/1.1 200 ') and json.loads(answer.partition(b'\r\n\r\n')[2]) == [
        'GET',
        path,
        '',
    ]


def test_the_host_of_an_absolute_target_is_the_one_that_counts(server):
    answer = exchange(
        server.address,
        b'GET http://evil.example/v1/models/hwgen HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    )
    assert answer.startswith(b'HTTP/1.1 403 ')
    assert exchange(
        server.address, b'GET http://localhost HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
    ).startswith(b'HTTP/1.1 404 ')


def test_a_client_that_ends_its_sending_has_its_answers(server):
    one = b'POST /v1/models/hwgen:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n'
    answer = exchange(server.address, one + b'a' + one + b'b', end=True)
    assert answer.count(b'HTTP/1.1 200 OK') == 2 and b'"a"]' in answer and b'"b"]' in answer
    assert exchange(server.address, one, end=True) == b''  # half a request is none
    assert exchange(server.address, b'', end=True) == b''
    assert counted(server, '/v1/', 499) == 1


HEALTHZ = b'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'


def open_many(stack, address, count, sent=b''):
    """Connections that have had an answer and then sent this."""
    connections = [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(count)]
    for connection in connections:
        healthy(connection, sent)
    return connections


def healthy(connection, sent=b''):
    """Asks for an answer, and reads it to its end."""
    connection.sendall(HEALTHZ + sent)
    answer = b''
    while not answer.endswith(b'{"status": "ok"}'):
        part = connection.recv(2**16)
        assert part
        answer += part


@pytest.mark.parametrize(
    'sent, said',
    [
        (b'', b''),
        (b'GET /heal', b'HTTP/1.1 503 Service Unavailable'),
        (
            b'POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{',
            b'HTTP/1.1 503 Service Unavailable',
        ),
    ],
)
def test_a_crowd_that_waits_gives_way_to_who_asks(sent, said):
    with running(Echo(), max_connections=8) as server, contextlib.ExitStack() as stack:
        crowd = open_many(stack, server.address, 7, sent)
        for _ in range(8):
            silent = stack.enter_context(socket.create_connection(server.address, timeout=60))
        server.forget()
        assert server.ask('GET', '/healthz')[0] == 200 and server.ask('POST', PREDICT, b'x')[0] == 200
        assert silent.fileno() and counted(server, 'none', 503) == (7 if said else 0)
        for connection in crowd:
            with contextlib.suppress(ConnectionResetError):
                answer = connection.recv(2**16)
                assert answer.startswith(said) and bool(answer) == bool(said)
                if said:
                    assert b'retry-after: 1' in answer and json.loads(answer.partition(b'\r\n\r\n')[2]) == {
                        'error': 'busy: too many connections'
                    }


def test_where_nobody_waits_who_comes_is_told_to_come_again():
    class Slow:
        def answer(self, method, path, body):
            del method, path, body
            assert go.wait(60)
            return 200, b'{}'

    go = threading.Event()
    with running(Slow(), max_connections=2, workers=2) as server, contextlib.ExitStack() as stack:
        stack.callback(go.set)
        for count in (1, 2):
            stack.enter_context(socket.create_connection(server.address, timeout=60)).sendall(
                b'GET /v1/x HTTP/1.1\r\nhost: x\r\n\r\n'
            )
            while server.server.queue.pending < count:
                time.sleep(0.01)
        assert server.ask('GET', '/healthz')[0] == 200  # for these there is room
        status, body, headers = server.ask('GET', '/v1/y', retries=False)
        assert (status, json.loads(body), headers['Retry-After'], headers['Content-Type']) == (
            503,
            {'error': 'busy: too many connections'},
            '1',
            'application/json',
        )
        assert counted(server, '/v1/', 503) == 1


def test_who_holds_most_gives_way_first():
    with running(Echo(), max_connections=5) as server, contextlib.ExitStack() as stack:
        elsewhere = stack.enter_context(
            socket.create_connection(server.address, timeout=60, source_address=('127.0.0.2', 0))
        )
        healthy(elsewhere)
        for _ in range(12):
            stack.enter_context(socket.create_connection(server.address, timeout=60))
        server.forget()
        assert server.ask('GET', '/healthz')[0] == 200
        healthy(elsewhere)


def test_a_silent_connection_is_closed_sooner_than_a_slow_one():
    with running(Echo(), idle_sec=0.2, timeout_sec=30) as server:
        assert exchange(server.address, b'') == b''
        with socket.create_connection(server.address, timeout=60) as slow:
            slow.sendall(b'GET /healthz HT')
            time.sleep(0.5)
            slow.sendall(b'TP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
            assert slow.recv(2**16).startswith(b'HTTP/1.1 200')


# Without a socket
# ------------------------------------------------------------------------------------------------------


def asked(
    path,
    *,
    method='POST',
    state=None,
    clock=(),
    monkeypatch=None,
    routes=('/healthz', '/v1/', '/', '/page/lines'),
    headers=(),
    **options,
):
    """What the door counts and answers, and the scope that the application gets, or None."""
    counted, sent, inside = [], [], []

    async def app(scope, receive, send):
        inside.append(scope)
        await send({'type': 'http.response.start', 'status': 204})
        await send({'type': 'http.response.body'})

    async def send(message):
        sent.append(message)

    door = front_door.FrontDoor(app, routes=routes, count=lambda *told: counted.append(told), **options)
    if clock:
        times = iter(clock)
        monkeypatch.setattr(front_door, 'time', types.SimpleNamespace(monotonic=lambda: next(times)))
    scope = dict(
        type='http',
        method=method,
        path=path,
        raw_path=path.encode(),
        headers=[(name.encode(), value.encode()) for name, value in headers],
        **({} if state is None else {'state': state}),
    )
    asyncio.run(door(scope, None, send))
    assert sent[0]['type'] == 'http.response.start' and len(counted) == 1
    return counted[0], sent[0], inside[0] if inside else None


@pytest.mark.parametrize(
    'path, route',
    [
        ('/healthz', '/healthz'),
        ('/v1/models/x', '/v1/'),
        ('/V1/models/x', '/v1/'),
        ('/v1', 'other'),
        ('/', '/'),
        ('/page/lines', '/page/lines'),
        ('/page/lines2', 'other'),
        ('/x/v1/', 'other'),
    ],
)
def test_answers_are_counted_by_route_and_time(monkeypatch, path, route):
    counted, sent, _ = asked(path, clock=(10.0, 12.5), monkeypatch=monkeypatch)
    assert counted == (route, 204, 2.5) and sent['status'] == 204


@pytest.mark.parametrize(
    'path, refused', [('/v1/x', True), ('/', True), ('/healthz', False), ('/metrics', False)]
)
def test_a_connection_too_many_is_told_so_wherever_it_asks(path, refused):
    for crowded in (True, False):
        (route, status, _), sent, inside = asked(
            path, state={'connection': types.SimpleNamespace(crowded=crowded)}
        )
        assert status == (503 if refused and crowded else 204) and (inside is None) == (status == 503)
        if status == 503:
            assert {
                (b'retry-after', b'1'),
                (b'connection', b'close'),
                (b'content-type', b'application/json'),
            } <= set(sent['headers'])
    assert asked(path, state={})[0][1] == 204 == asked(path)[0][1]


@pytest.mark.parametrize(
    'method, status',
    [('GET', 204), ('HEAD', 204), ('OPTIONS', 204), ('POST', 403), ('PUT', 403), ('DELETE', 403)],
)
def test_reading_harms_nobody(method, status):
    assert (
        asked('/v1/x', method=method, headers=[('host', 'localhost'), ('origin', 'http://evil.example')])[0][
            1
        ]
        == status
    )


def test_origins_are_compared_whole():
    def door(origin, host, **options):
        return asked('/v1/x', headers=[('host', host), ('origin', origin)], **options)[0][1]

    assert (
        door('http://LOCALHOST:7', 'localhost:7') == 204
        and door('http://localhost:7', 'LocalHost:7') == 204
        and door('http://localhost', 'localhost:7') == 403
    )
    for origin, status in (
        ('https://App.example.org', 204),
        ('https://app.example.org/', 403),
        ('https://app.example.org.evil', 403),
        ('http://app.example.org', 403),
    ):
        assert door(origin, 'localhost', origins=['https://app.example.org/']) == status
    assert door('https://app.example.org', 'localhost', origins=['https://APP.example.org']) == 204
    assert asked('/v1/x', headers=[('host', 'localhost')], origins=['*'])[0][1] == 204


@pytest.mark.parametrize(
    'host, name',
    [
        ('Localhost:80', 'localhost'),
        ('[::1]:80', '::1'),
        ('[::1]', '::1'),
        ('::1', '::1'),
        (' a.b. ', 'a.b'),
        ('a.b:', 'a.b'),
        ('', ''),
        ('a.b:1:2', 'a.b:1:2'),
    ],
)
def test_names_of_hosts(host, name):
    assert front_door._name(host) == name


def test_targets_are_made_paths():
    """Host and path of http://host/path; all else of the request stays; /v1/ alone is of any case."""
    scope = dict(
        path='/V1/Models/A', raw_path=b'/V1/Models/A', headers=[(b'host', b'x'), (b'a', b'b')], method='GET'
    )
    assert front_door._plain(scope) == {**scope, 'path': '/v1/Models/A'}
    for raw, host, path, rest in (
        (b'http://H:1/v1/a%20b', b'H:1', '/v1/a b', b'/v1/a%20b'),
        (b'HTTPS://h', b'h', '/', b'/'),
        (b'http://h/', b'h', '/', b'/'),
        (b'http://h/a/b', b'h', '/a/b', b'/a/b'),
    ):
        found = front_door._plain({**scope, 'path': 'x', 'raw_path': raw})
        assert (found['path'], found['raw_path'], found['headers'], found['method']) == (
            path,
            rest,
            [(b'a', b'b'), (b'host', host)],
            'GET',
        )
    assert front_door._plain({**scope, 'path': '/x', 'raw_path': b'/http://h/x'})['path'] == '/x'


def test_who_may_be_asked_for():
    door = front_door.FrontDoor(None, routes=[], count=None, hosts=['Write.Example.Org:80'])
    for host, known in (
        ('write.example.org', True),
        ('write.example.org:9', True),
        ('example.org', False),
        ('a.write.example.org', False),
        ('localhost', True),
        ('a.localhost', True),
        ('alocalhost.x', False),
        ('evil.alocalhost', False),
        ('10.0.0.1', True),
        ('[fe80::1]:80', True),
        ('999.0.0.1', False),
        ('nodot', True),
        (socket.gethostname(), True),
    ):
        assert door._known(host) is known, host
    assert front_door.FrontDoor(None, routes=[], count=None, hosts=None)._known(
        'evil.example'
    ) and front_door.FrontDoor(None, routes=[], count=None, hosts=['*'])._known('evil.example')
