"""TimedConnection: uvicorn's HTTP/1.1 with a limit on how long a client may take to ask or to read.

uvicorn itself bounds how long a connection idles between two requests; the time of a request's body is bounded by the
application. What is left is a client that trickles a request's head, or never reads its answer.
"""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_TOO_SLOW = b'{"error": "the request took too long to arrive"}'


class TimedConnection(H11Protocol):
    """A connection that is closed when no request comes to its end for too long.

    Args:
        timeout_sec: float, from the connection's beginning, or the last answer's end, to a request's complete head.
        *arguments, **options: of `H11Protocol`.
    """

    def __init__(self, *arguments, timeout_sec, **options):
        super().__init__(*arguments, **options)
        self._timeout_sec, self._watch = timeout_sec, None

    def connection_made(self, transport):
        """asyncio: the connection begins."""
        super().connection_made(transport)
        self._rearm()

    def connection_lost(self, exc):
        """asyncio: the connection is gone."""
        self._watch.cancel()
        super().connection_lost(exc)

    def on_response_complete(self):
        """uvicorn: an answer is written, as far as we are concerned."""
        self._rearm()
        super().on_response_complete()

    def _rearm(self):
        if self._watch:
            self._watch.cancel()
        self._watch = self.loop.call_later(self._timeout_sec, self._expire)

    def _expire(self):
        if self.cycle and not self.cycle.response_complete:  # the application is at it, and has its own limits
            self._rearm()
            return
        if self.transport.get_write_buffer_size() == 0 and self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self.transport.write(b'HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n'
                                 b'content-length: %d\r\n\r\n%s' % (len(_TOO_SLOW), _TOO_SLOW))
            self.transport.close()
        else:
            self.transport.abort()
