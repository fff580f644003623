"""HttpServer: a RestService and its page behind a socket, with limits on what a client may ask for and how long it may take.

Everything that reads a body or runs the model does so in the threads of a bounded queue; the event loop only moves bytes.
"""

import asyncio
import functools
import logging
import signal
import socket
import threading
import time
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from hwgen.serving import rest
from hwgen.serving.server_metrics import ServerMetrics
from hwgen.serving.timed_connection import TimedConnection
from hwgen.serving.work_queue import QueueFullError, WorkQueue

_JSON = 'application/json'
_POLICY = {'Content-Security-Policy': "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
                                      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
           'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff'}
_METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')  # the dialect has its own answer to each
_CLIENT_GONE = 499  # as nginx counts it; nobody reads this answer
_BACKLOG = 2048  # connections that the system keeps for us before they are accepted
_REPEAT_AFTER_SEC = 1
_log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """What one client may take from the others.

    Attributes:
        workers: int, requests on the model at once.
        max_waiting: int, requests that wait for it; further ones are answered 503.
        max_body_bytes: int, larger requests are answered 413.
        timeout_sec: float, for a request to arrive (408), for its answer (504), and to end what runs when the server stops.
        max_connections: int, further ones are answered 503.
    """

    workers: int = 2
    max_waiting: int = 64
    max_body_bytes: int = 2**20
    timeout_sec: float = 60.
    max_connections: int = 512


class HttpServer:
    """One server.

    Args:
        service: RestService.
        page: Page, or None for a server without one.
        limits: Limits.
    """

    def __init__(self, service, *, page=None, limits=Limits()):
        self._service, self._page, self._limits = service, page, limits
        self._queue = WorkQueue(workers=limits.workers, max_waiting=limits.max_waiting)
        self._metrics = ServerMetrics(lambda: self._queue.pending)
        routes = [self._route('/healthz', self._health), self._route('/metrics', self._tell_metrics),
                  self._route('/v1/{rest:path}', self._rest, methods=_METHODS)]
        if page is not None:
            routes += [self._route('/', self._show_page), self._route('/page/settings', self._tell_settings),
                       self._route('/page/lines', self._write_lines, methods=['POST'])]
        app = Starlette(routes=routes, exception_handlers={HTTPException: self._refuse})
        config = uvicorn.Config(
            app, http=functools.partial(TimedConnection, timeout_sec=limits.timeout_sec), ws='none', lifespan='off', log_config=None, access_log=False,
            server_header=False, proxy_headers=False, limit_concurrency=limits.max_connections, timeout_graceful_shutdown=limits.timeout_sec + 1)
        logging.getLogger('uvicorn.error').setLevel(logging.ERROR)  # a request that is no HTTP is answered, and no news
        self._server = uvicorn.Server(config)

    def run(self, listener, *, announce=lambda: None):
        """Serves until `stop`, SIGTERM or SIGINT; then answers what it has accepted, and returns.

        Args:
            listener: socket that listens, see `bind`.
            announce: function without arguments, called when from now on a signal stops the server in order.
        """
        if threading.current_thread() is threading.main_thread():
            # Until uvicorn takes them over; it raises those that stopped it once more when it is done, and then they mean nothing.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop())
        announce()
        try:
            asyncio.run(self._server.serve(sockets=[listener]))
        finally:
            self._queue.close()

    def stop(self):
        """Makes `run` return, from any thread."""
        self._server.should_exit = True

    def _route(self, path, answer, *, methods=('GET',)):
        """A route whose answers are counted. answer: coroutine function of the request -> Response."""
        async def endpoint(request):
            began, status = time.monotonic(), 500
            try:
                response = await answer(request)
                status = response.status_code
                return response
            except HTTPException as error:
                status = error.status_code
                raise
            except Exception:  # a fault of ours: the client gets no details, and the server lives
                _log.exception('%s %s', request.method, request.url.path)
                return _error(500, 'the server failed; its log says why')
            finally:
                self._metrics.count(path.replace('{rest:path}', ''), status, time.monotonic() - began)
        return Route(path, endpoint, methods=methods)

    async def _refuse(self, request, error):
        del request
        return _error(error.status_code, error.detail, error.headers)

    async def _health(self, request):
        del request
        return Response(b'{"status": "ok"}', media_type=_JSON)

    async def _tell_metrics(self, request):
        del request
        text, kind = self._metrics.text()
        return Response(text, headers={'Content-Type': kind})

    async def _show_page(self, request):
        del request
        return Response(self._page.html, media_type='text/html', headers=_POLICY)

    async def _tell_settings(self, request):
        del request
        return Response(self._page.settings, media_type=_JSON)

    async def _write_lines(self, request):
        return await self._work(request, self._page.write)

    async def _rest(self, request):
        path = request.scope['raw_path'].decode('latin-1')
        return await self._work(request, functools.partial(self._service.answer, request.method, path))

    async def _work(self, request, function):
        """Reads the body and runs function(body) -> status, content in the queue."""
        limit = self._limits.timeout_sec
        body = await self._read(request)
        try:
            task = self._queue.submit(function, body)
        except QueueFullError as error:
            raise HTTPException(503, f'busy: {error}', {'Retry-After': str(_REPEAT_AFTER_SEC)}) from None
        gone = asyncio.ensure_future(request.receive())  # after the body there is nothing to receive but the client's leaving
        try:
            await asyncio.wait({task, gone}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                status, content = task.result()
                return Response(content, status, media_type=_JSON)
        finally:
            gone.cancel()
            task.cancel()
        if gone.done() and not gone.cancelled():
            raise HTTPException(_CLIENT_GONE, 'the client has gone')
        raise HTTPException(504, f'no answer within {limit:g} seconds: expected a smaller request, or a server with less to do')

    async def _read(self, request):
        """The body of a request, bytes.

        Raises:
            HTTPException: it is too large, or does not come to its end.
        """
        most = self._limits.max_body_bytes
        too_large = HTTPException(413, f'a request of more than {most} bytes: expected at most so many')
        if int(request.headers.get('content-length', 0)) > most:  # h11 has seen to it that it is a number
            raise too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._limits.timeout_sec):
                async for part in request.stream():
                    parts.append(part)
                    size += len(part)
                    if size > most:
                        raise too_large
        except TimeoutError:
            raise HTTPException(408, 'the request took too long to arrive', {'Connection': 'close'}) from None
        except ClientDisconnect:
            raise HTTPException(_CLIENT_GONE, 'the client has gone') from None
        return b''.join(parts)


def bind(host, port):
    """A socket for `HttpServer.run` that listens already: the port is ours, and who comes while models are loaded waits.

    Args:
        host: str, name or address.
        port: int; 0 for one that is free.

    Raises:
        OSError: naming host and port.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise OSError(f'{host}:{port}: cannot be listened at: {getattr(error, "strerror", None) or error}') from None
    return listener


def _error(status, message, headers=None):
    return Response(rest.format_error(message), status, media_type=_JSON, headers=headers)
