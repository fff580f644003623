"""HttpServer: a RestService and its page behind a socket, with limits on what a client may ask for and how
long it may take.

Everything that reads a body or runs the model does so in the threads of a bounded queue; the event loop only
moves bytes.
"""

import asyncio
import functools
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from hwgen.serving.front_door import HEALTH, JSON, METRICS, FrontDoor, error_response
from hwgen.serving.request_body import CLIENT_GONE, encoding_of, read_body, unpack
from hwgen.serving.server_metrics import ServerMetrics
from hwgen.serving.timed_connection import REPEAT_AFTER_SEC, TimedConnection
from hwgen.serving.work_queue import QueueFullError, WorkQueue

_POLICY = {
    'Content-Security-Policy': (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
}
# the dialect has its own answer to each
_METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')
_BACKLOG = 2048  # connections that the system keeps for us before they are accepted
_log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """What one client may take from the others.

    Attributes:
        workers: int, requests on the model at once.
        max_waiting: int, requests that wait for it; further ones are answered 503.
        max_body_bytes: int, larger requests are answered 413.
        timeout_sec: float, for a request to arrive (408), for its answer (504), and to answer what was
            accepted when the server stops.
        max_connections: int; for a further one the one gives way that has waited longest for its client, or
            it is answered 503 itself (but for what tells that the server runs).
        idle_sec: float, for the first byte of a connection.
    """

    workers: int = 2
    max_waiting: int = 64
    max_body_bytes: int = 2**20
    timeout_sec: float = 60.0
    max_connections: int = 512
    idle_sec: float = 5.0


class HttpServer:
    """One server.

    Args:
        service: RestService.
        page: Page, or None for a server without one.
        limits: Limits.
        hosts, origins: see `FrontDoor`.

    Attributes:
        page: Page, or None; another one may take its place at any time.
        queue: WorkQueue.
        companion: another server of the same queue, with `stop`, which begins to stop it and returns an event
            that is set when that is done; or None.
    """

    def __init__(
        self,
        service: Any,
        *,
        page: Any = None,
        limits: Limits | None = None,
        hosts: Iterable[str] | None = (),
        origins: Iterable[str] = (),
    ) -> None:
        limits = limits or Limits()
        self.page: Any = page
        self.companion: Any = None
        self.queue = WorkQueue(workers=limits.workers, max_waiting=limits.max_waiting)
        self._service, self._limits = service, limits
        self._metrics = ServerMetrics(lambda: self.queue.pending)
        routes = [
            _route(HEALTH, self._health),
            _route(METRICS, self._tell_metrics),
            _route('/v1/{rest:path}', self._rest, methods=_METHODS),
            _route('/', self._show_page),
            _route('/page/settings', self._tell_settings),
            _route('/page/lines', self._write_lines, methods=['POST']),
        ]
        inner: Any = Starlette(routes=routes, exception_handlers={HTTPException: self._refuse})
        inner.router.redirect_slashes = False
        if origins:
            inner = CORSMiddleware(
                inner, allow_origins=tuple(origins), allow_methods=('GET', 'POST'), allow_headers='*'
            )
        app = FrontDoor(
            inner,
            routes=[route.path.replace('{rest:path}', '') for route in routes],
            count=self._metrics.count,
            hosts=hosts,
            origins=origins,
        )
        connection: Any = functools.partial(
            TimedConnection,
            timeout_sec=limits.timeout_sec,
            idle_sec=limits.idle_sec,
            max_connections=limits.max_connections,
            count=lambda status: self._metrics.count('none', status),
        )
        seconds: Any = limits.timeout_sec + 1  # uvicorn says int, and counts in any
        config = uvicorn.Config(
            app,
            http=connection,
            ws='none',
            lifespan='off',
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=seconds,
        )
        # a request that is no HTTP is answered, and no news
        logging.getLogger('uvicorn.error').setLevel(logging.ERROR)
        self._server, self._stopped = _Server(config, self._stop_companion), None

    def run(self, listener: socket.socket, *, announce: Callable[[], object] = lambda: None) -> None:
        """Serves until `stop`, SIGTERM or SIGINT; then answers what it has accepted, and returns.

        Args:
            listener: socket that listens, see `bind`.
            announce: function without arguments, called when from now on a signal stops the server in order.
        """
        if threading.current_thread() is threading.main_thread():
            # Until uvicorn takes them over; it raises those that stopped it once more when it is done, and
            # then they mean nothing.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop())
        announce()
        try:
            asyncio.run(self._server.serve(sockets=[listener]))
        finally:
            if self._stopped is not None:
                self._stopped.wait()
            self.queue.close()

    def _stop_companion(self):
        if self.companion is not None:
            self._stopped = self.companion.stop()

    def stop(self) -> None:
        """Makes `run` return, from any thread."""
        self._server.should_exit = True

    async def _refuse(self, request, error):
        del request
        return error_response(error.status_code, error.detail, error.headers)

    async def _health(self, request):
        del request
        return Response(b'{"status": "ok"}', media_type=JSON)

    async def _tell_metrics(self, request):
        del request
        text, kind = self._metrics.text()
        return Response(text, headers={'Content-Type': kind})

    async def _show_page(self, request):
        del request
        return Response(self._present_page().html, media_type='text/html', headers=_POLICY)

    async def _tell_settings(self, request):
        del request
        return Response(self._present_page().settings, media_type=JSON)

    async def _write_lines(self, request):
        return await self._work(request, self._present_page().write)

    def _present_page(self):
        if self.page is None:
            raise HTTPException(404, 'Not Found')
        return self.page

    async def _rest(self, request):
        path = request.scope['raw_path'].decode('latin-1')
        return await self._work(request, functools.partial(self._service.answer, request.method, path))

    async def _work(self, request, function):
        """Reads the body and runs function(body) -> status, content in the queue."""
        limit, most, encoding = self._limits.timeout_sec, self._limits.max_body_bytes, encoding_of(request)
        body = await read_body(request, most=most, timeout_sec=limit)
        try:
            task = asyncio.wrap_future(self.queue.submit(lambda: function(unpack(body, encoding, most=most))))
        except QueueFullError as error:
            raise HTTPException(503, f'busy: {error}', {'Retry-After': str(REPEAT_AFTER_SEC)}) from None
        # after the body there is nothing to receive but the client's leaving
        gone = asyncio.ensure_future(request.receive())
        try:
            await asyncio.wait({task, gone}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                status, content = task.result()
                return Response(content, status, media_type=JSON)
        finally:
            gone.cancel()
            task.cancel()
        if gone.done() and not gone.cancelled():
            raise HTTPException(CLIENT_GONE, 'the client has gone')
        raise HTTPException(
            504,
            f'no answer within {limit:g} seconds: expected a smaller request, or a server with less to do',
        )


class _Server(uvicorn.Server):
    """uvicorn's, which tells when it begins to stop. stopping: function without arguments."""

    def __init__(self, config, stopping):
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets=None):
        """uvicorn: takes no new connections, and ends the others."""
        self._stopping()
        await super().shutdown(sockets)


def _route(path, answer, *, methods=('GET',)):
    """A route that outlives faults of ours. answer: coroutine function of the request -> Response."""

    async def endpoint(request):
        try:
            return await answer(request)
        except HTTPException:
            raise
        except Exception:  # the client gets no details, and the server lives
            _log.exception('%s %r', request.method, request.scope['raw_path'][:200])
            return error_response(500, 'the server failed; its log says why')

    return Route(path, endpoint, methods=methods)


def bind(host: str, port: int) -> socket.socket:
    """A socket for `HttpServer.run` that listens already: the port is ours, and who comes while models are
    loaded waits.

    Args:
        host: str, name or address.
        port: int; 0 for one that is free.

    Raises:
        OSError: naming host and port.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise OSError(
            f'{host}:{port}: cannot be listened at: {getattr(error, "strerror", None) or error}'
        ) from None
    return listener
