"""TimedConnection: uvicorn's HTTP/1.1 with limits on how long a client may take to ask or to read, and on how
many may be there.

uvicorn itself bounds how long a connection idles between two requests; the time of a request's body is
bounded by the application. What is left is a client that says nothing, trickles a request's head, or never
reads its answer, and a crowd of them.
"""

import asyncio
import collections
import json
from collections.abc import Callable, Iterable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

REPEAT_AFTER_SEC = 1  # what a client that is told to come again is told


class TimedConnection(H11Protocol):
    """A connection that is closed when no request comes to its end for too long.

    Where more are open than may be, one that waits for its client gives way: of the address that holds most,
    the one that has waited longest. If none waits, this one is `crowded`: the application answers on it that
    it is busy (its scope's state has it as `connection`). A client that only shuts down its sending side gets
    its answer.

    Args:
        timeout_sec: float, from a connection's first byte, or the last answer's end, to a request's complete
            head.
        idle_sec: float, from the connection's beginning to its first byte.
        max_connections: int.
        count: function of a status of HTTP, told of the answers that no application gives.
        *arguments, **options: of `H11Protocol`.
    """

    def __init__(
        self,
        *arguments: Any,
        timeout_sec: float,
        idle_sec: float,
        max_connections: int,
        count: Callable[[int], object],
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._timeout_sec, self._idle_sec, self._max_connections, self._count = (
            timeout_sec,
            idle_sec,
            max_connections,
            count,
        )
        self._watch: asyncio.TimerHandle | None = None
        self._silent, self._half_closed, self._none_gave_way = True, False, False
        self._waits_since = self.loop.time()
        self.app_state = {**self.app_state, 'connection': self}

    @property
    def crowded(self) -> bool:
        """bool, whether this connection is one too many."""
        return self._none_gave_way and len(self.connections) > self._max_connections

    def connection_made(self, transport: Any) -> None:
        """asyncio: the connection begins."""
        super().connection_made(transport)
        self._rearm(min(self._idle_sec, self._timeout_sec))
        if len(self.connections) > self._max_connections:
            others: Iterable[Any] = self.connections
            there = [connection for connection in others if not connection.transport.is_closing()]
            waiting = [
                connection
                for connection in there
                if connection is not self and connection._waits_for_client()
            ]
            held = collections.Counter(connection._address() for connection in there)
            if waiting and len(there) > self._max_connections:
                min(
                    waiting, key=lambda connection: (-held[connection._address()], connection._waits_since)
                )._give_way()
            self._none_gave_way = not waiting

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes of the client."""
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            data = data.lstrip(b'\r\n')  # RFC 9112, 2.2: empty lines before a request are no request
            if not data:
                return
        if self._silent:
            self._silent = False
            self._rearm(self._timeout_sec)
        super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio heeds it, uvicorn says None
        """asyncio: the client sends no more.

        True: the connection stays open, for the answer to what it has asked.
        """
        self._half_closed = True
        return bool(self.cycle and not self.cycle.response_complete and not self.cycle.more_body)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        if self._watch:
            self._watch.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """uvicorn: an answer is written, as far as we are concerned."""
        self._waits_since = self.loop.time()
        self._rearm(self._timeout_sec)
        super().on_response_complete()  # may begin with the next request, if it is here
        if self._half_closed and self.cycle.response_complete:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """uvicorn: what came is no HTTP."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(400, msg)
        else:
            self.transport.close()

    def _address(self):
        return self.client and self.client[0]

    def _between_requests(self):
        return self.cycle is None or self.cycle.response_complete

    def _waits_for_client(self):
        return self._between_requests() or self.cycle.more_body

    def _rearm(self, seconds):
        if self._watch:
            self._watch.cancel()
        self._watch = self.loop.call_later(seconds, self._expire)

    def _expire(self):
        if not self._between_requests():  # the application is at it, and has its own limits
            self._rearm(self._timeout_sec)
        elif self._asks():
            self._refuse(408, 'the request took too long to arrive')
        else:
            self.transport.abort()

    def _asks(self):
        """bool, whether part of a request is here, and nothing of an answer on its way."""
        begun = self.conn.trailing_data[0] if self._between_requests() else not self.cycle.response_started
        return bool(begun) and self.transport.get_write_buffer_size() == 0

    def _give_way(self):
        if self._asks():
            self._refuse(503, 'busy: too many connections', **{'retry-after': str(REPEAT_AFTER_SEC)})
        else:
            self.transport.abort()

    def _refuse(self, status, message, **headers):
        """Answers past the application, and closes."""
        body = json.dumps({'error': message}).encode()
        fields = {
            'content-type': 'application/json',
            'content-length': len(body),
            'connection': 'close',
            **headers,
        }
        head = b''.join(
            b'%s: %s\r\n' % (name.encode(), str(value).encode()) for name, value in fields.items()
        )
        self.transport.write(b'HTTP/1.1 %d %s\r\n%s\r\n%s' % (status, STATUS_PHRASES[status], head, body))
        self.transport.close()
        self._count(status)
