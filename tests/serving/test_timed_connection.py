"""Connections without sockets, on a clock that stands still: what is timed, from when on, who gives way,
and what is answered past the application.
"""

import asyncio
import json

import pytest

uvicorn = pytest.importorskip(
    'uvicorn', reason='the extra `serve` is not installed: pip install "hwgen[serve]"'
)

from uvicorn.server import ServerState  # noqa: E402 (skipped above where it is not installed)

from hwgen.serving.timed_connection import REPEAT_AFTER_SEC, TimedConnection  # noqa: E402 (imports it)

HEAD = b'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
BODY = b'POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n'


class Clock:
    """An event loop as far as a connection needs one: `now` is set by hand, and what is called later is
    kept.
    """

    def __init__(self):
        self.now, self.timers = 100.0, []

    def time(self):
        return self.now

    def call_later(self, seconds, function, *arguments):
        timer = Timer(self.now + seconds, function, arguments)
        self.timers.append(timer)
        return timer

    def create_task(self, task, **options):
        task.close()
        return Task()

    def due(self, connection):
        """When a connection's own timers go off that are not cancelled."""
        return [
            timer.when
            for timer in self.timers
            if not timer.cancelled and timer.function == connection._expire
        ]


class Timer:
    def __init__(self, when, function, arguments):
        self.when, self.function, self.arguments, self.cancelled = when, function, arguments, False

    def cancel(self):
        self.cancelled = True


class Task:
    def add_done_callback(self, function):
        """Nothing ends here."""


class Transport(asyncio.Transport):
    """Keeps what is written; `unsent` bytes are on their way."""

    def __init__(self, host):
        super().__init__(dict(peername=(host, 9)))
        self.sent, self.ended, self.unsent = b'', None, 0

    def write(self, data):
        self.sent += data

    def close(self):
        self.ended = self.ended or 'closed'

    def abort(self):
        self.ended = 'aborted'

    def is_closing(self):
        return self.ended is not None

    def get_write_buffer_size(self):
        return self.unsent

    def pause_reading(self):
        """As a socket."""

    resume_reading = pause_reading


class Server:
    """Makes connections, which share what uvicorn has them share."""

    def __init__(self, **limits):
        self.clock, self.state, self.counted = Clock(), ServerState(), []
        self.config = uvicorn.Config(None, ws='none', lifespan='off', log_config=None)
        self.config.load()
        self.limits = dict(dict(timeout_sec=60.0, idle_sec=5.0, max_connections=9), **limits)

    def connect(self, host='10.0.0.1', sent=b'', at=None):
        self.clock.now = at or self.clock.now + 1
        connection = TimedConnection(
            self.config, self.state, {'own': 1}, self.clock, count=self.counted.append, **self.limits
        )
        connection.connection_made(Transport(host))
        if sent:
            connection.data_received(sent)
        return connection


def answered(connection, at):
    """The application has answered, at this time."""
    connection.loop.now, connection.cycle.response_started, connection.cycle.response_complete = (
        at,
        True,
        True,
    )
    connection.on_response_complete()


def test_what_is_timed_and_from_when_on():
    """Silence from the connection on, a head from its first byte or the last answer on; while the
    application is at it nothing runs out.
    """
    server = Server(timeout_sec=60.0, idle_sec=5.0)
    connection, clock = server.connect(at=100.0), server.clock
    assert clock.due(connection) == [105.0]
    clock.now = 103.0
    connection.data_received(b'\r\n')  # an empty line is no request
    assert clock.due(connection) == [105.0]
    connection.data_received(b'\r\nGET /hea')
    assert clock.due(connection) == [163.0]
    clock.now = 150.0
    connection.data_received(b'lthz HTTP/1.1\r\nhost: x\r\n\r\n')
    # a further byte is no new beginning
    assert clock.due(connection) == [163.0] and connection.cycle is not None
    clock.now = 163.0
    connection._expire()
    assert clock.due(connection) == [163.0 + 60.0] and connection.transport.ended is None
    answered(connection, 170.0)
    assert clock.due(connection) == [230.0] and connection._waits_since == 170.0
    connection.connection_lost(None)
    assert clock.due(connection) == []
    quick = Server(timeout_sec=2.0, idle_sec=5.0)
    assert quick.clock.due(quick.connect(at=100.0)) == [102.0]  # the shorter of the two


@pytest.mark.parametrize(
    'sent, unsent, ended, status',
    [(b'', 0, 'aborted', None), (b'GET /hea', 0, 'closed', 408), (b'GET /hea', 7, 'aborted', None)],
)
def test_who_has_had_time_enough(sent, unsent, ended, status):
    """Part of a request is answered, unless something else is still on its way; silence is not."""
    server = Server()
    connection = server.connect(sent=sent)
    connection.transport.unsent = unsent
    connection._expire()
    assert connection.transport.ended == ended and server.counted == ([status] if status else [])
    head, _, body = connection.transport.sent.partition(b'\r\n\r\n')
    if status:
        assert head.split(b'\r\n') == [
            b'HTTP/1.1 408 Request Timeout',
            b'content-type: application/json',
            b'content-length: %d' % len(body),
            b'connection: close',
        ]
        assert json.loads(body) == {'error': 'the request took too long to arrive'}
    else:
        assert connection.transport.sent == b''


def test_whoever_holds_most_gives_way_and_of_these_who_has_waited_longest():
    server = Server(max_connections=4)
    alone = server.connect('10.0.0.7', at=100.0)  # the oldest, but the only one of its address
    second, first, third = (server.connect('10.0.0.8', at=at) for at in (101.0, 102.0, 103.0))
    second.data_received(HEAD)
    answered(second, 110.0)  # it has waited less long than the others of its address
    last = server.connect('10.0.0.9', at=111.0)
    assert [one.transport.ended for one in (alone, second, first, third, last)] == [
        None,
        None,
        'aborted',
        None,
        None,
    ]
    assert not last.crowded and len(server.state.connections) == 5  # what is being closed is still there


def test_what_is_being_closed_does_not_count():
    """Neither as one too many, nor for its address, nor to be closed once more."""
    server = Server(max_connections=2)
    first, second = server.connect('10.0.0.1', at=100.0), server.connect('10.0.0.2', at=101.0)
    first.transport.close()
    third = server.connect('10.0.0.3', at=102.0)
    assert second.transport.ended is None and not third.crowded
    fourth = server.connect('10.0.0.3', at=103.0)
    assert [one.transport.ended for one in (first, second, third, fourth)] == [
        'closed',
        None,
        'aborted',
        None,
    ]


def test_where_none_waits_the_newcomer_is_one_too_many_until_there_is_room():
    server = Server(max_connections=1)
    busy = server.connect(sent=HEAD)
    newcomer = server.connect()
    assert (
        newcomer.crowded
        and busy.transport.ended is None
        and not busy.crowded
        and newcomer.transport.ended is None
    )
    assert newcomer.app_state == {'own': 1, 'connection': newcomer}
    busy.connection_lost(None)
    assert not newcomer.crowded


@pytest.mark.parametrize(
    'sent, waits, told',
    [(b'', True, False), (b'GET /hea', True, True), (BODY, True, True), (HEAD, False, False)],
)
def test_who_waits_for_its_client(sent, waits, told):
    """Before a request, within its head and within its body; it is told to come again where it has asked
    for something.
    """
    server = Server(max_connections=1)
    there = server.connect('10.0.0.1', sent=sent)
    assert there._waits_for_client() == waits
    server.connect('10.0.0.2')
    assert there.transport.ended == (
        'closed' if told else 'aborted' if waits else None
    ) and server.counted == ([503] if told else [])
    if told:
        head, _, body = there.transport.sent.partition(b'\r\n\r\n')
        assert (
            head.startswith(b'HTTP/1.1 503 Service Unavailable\r\n')
            and b'\r\nretry-after: %d' % REPEAT_AFTER_SEC in head
        )
        assert json.loads(body) == {'error': 'busy: too many connections'}


def test_an_answer_that_has_begun_is_not_mixed_with_another():
    server = Server(max_connections=1)
    there = server.connect('10.0.0.1', sent=BODY)
    there.cycle.response_started = True
    server.connect('10.0.0.2')
    assert (there.transport.ended, there.transport.sent, server.counted) == ('aborted', b'', [])


@pytest.mark.parametrize(
    'sent, stays',
    [(b'', False), (b'GET /hea', False), (BODY, False), (BODY + b'123456789', True), (HEAD, True)],
)
def test_a_client_that_sends_no_more(sent, stays):
    """It has its answer where its request is whole; the connection ends with the answer."""
    connection = Server().connect(sent=sent)
    assert connection.eof_received() is stays
    if stays:
        answered(connection, 120.0)
        assert connection.transport.ended == 'closed' and connection.eof_received() is False
    open_ = Server().connect(sent=HEAD)
    answered(open_, 120.0)
    assert open_.transport.ended is None


def test_what_is_no_http():
    server = Server()
    connection = server.connect(sent=b'\x16\x03\x01\r\n\r\n')
    assert (
        connection.transport.sent.startswith(b'HTTP/1.1 400 Bad Request\r\n')
        and connection.transport.ended == 'closed'
        and server.counted == [400]
    )
    begun = server.connect(sent=HEAD)
    begun.conn.send(__import__('h11').Response(status_code=200, headers=[]))
    begun.send_400_response('no')  # an answer is on its way: nothing may come between
    assert begun.transport.sent == b'' and begun.transport.ended == 'closed' and server.counted == [400]
