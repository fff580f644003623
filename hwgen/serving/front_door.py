"""FrontDoor: who may come in to a server, before anything is read: room, the Host that is asked for, the page
that asks; and the count of all answers.

A browser that is on a foreign page can be made to ask this machine. It says so: by `Sec-Fetch-Site` where the
address is a trustworthy one (https, localhost), else by `Origin`. By DNS rebinding, a name of the foreign
page's that has come to mean this machine, it does not; then `Host` is that name. Programs send neither, and
are not concerned.
"""

import ipaddress
import socket
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp

from hwgen.serving import rest
from hwgen.serving.timed_connection import REPEAT_AFTER_SEC

JSON = 'application/json'
HEALTH, METRICS = '/healthz', '/metrics'
_HARMLESS = ('GET', 'HEAD', 'OPTIONS')


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as TF-Serving answers it -> Response."""
    return Response(rest.format_error(message), status, media_type=JSON, headers=headers)


class FrontDoor:
    """The application (ASGI) around another one.

    Args:
        app: ASGI application.
        routes: iterable of str, paths that are counted by name; one that ends in a slash means all below it;
            others are counted together.
        count: function of route, status, seconds.
        hosts: iterable of str, names that `Host` may have beside addresses, localhost and this machine's
            name; or None, for any.
        origins: iterable of str, origins of other pages that may ask, `*` for any.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Iterable[str],
        count: Callable[[str, int, float], object],
        hosts: Iterable[str] | None = (),
        origins: Iterable[str] = (),
    ) -> None:
        self._app, self._count = app, count
        self._routes = set(routes)
        self._prefixes = [route for route in routes if route.endswith('/') and route != '/']
        own = (socket.gethostname(), socket.getfqdn())
        self._hosts = None if hosts is None or '*' in hosts else {_name(host) for host in (*hosts, *own)}
        self._origins = {origin.rstrip('/').lower() for origin in origins}

    async def __call__(self, scope, receive, send):
        scope = _plain(scope)
        path, began = scope['path'], time.monotonic()
        route = (
            path
            if path in self._routes
            else next((route for route in self._prefixes if path.startswith(route)), 'other')
        )

        async def counted(message):
            if message['type'] == 'http.response.start':
                self._count(route, message['status'], time.monotonic() - began)
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, counted)

    def _refusal(self, scope):
        """The Response to who may not come in, or None."""
        headers, path = Headers(scope=scope), scope['path']
        if (
            path not in (HEALTH, METRICS)
            and scope.get('state', {}).get('connection')
            and scope['state']['connection'].crowded
        ):
            return error_response(
                503,
                'busy: too many connections',
                {'Retry-After': str(REPEAT_AFTER_SEC), 'Connection': 'close'},
            )
        host, origin, site = headers.get('host', ''), headers.get('origin'), headers.get('sec-fetch-site')
        if path != HEALTH and not self._known(host):
            return error_response(
                403, f'Host {host[:200]}: expected an address, localhost, or a name of --allowed_hosts'
            )
        if scope['method'] in _HARMLESS or self._origins & {'*', (origin or '').lower()}:
            return None
        foreign = (
            site not in ('same-origin', 'none')
            if site
            else origin is not None and (origin.partition('://')[2].lower() or None) != host.lower()
        )
        if foreign:
            return error_response(
                403,
                f'a page of another origin asks ({(origin or site or "")[:200]}): expected one of'
                ' --allowed_origins',
            )
        return None

    def _known(self, host):
        """bool, whether a Host is one that no page elsewhere can give itself: names without a dot are
        those of a local network.
        """
        name = _name(host)
        return (
            self._hosts is None
            or '.' not in name
            or name.endswith('.localhost')
            or name in self._hosts
            or _is_address(name)
        )


def _name(host):
    """name, name:port, [address]:port -> name, address."""
    host = host.strip().lower()
    name = (
        host[1:].partition(']')[0]
        if host.startswith('[')
        else host.rpartition(':')[0]
        if host.count(':') == 1
        else host
    )
    return name.removesuffix('.')


def _is_address(name):
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _plain(scope):
    """The scope of a request as if its target were a path: RFC 9112, 3.2.2, asks servers to take
    http://host/path, too. Paths of TF-Serving's are of any case.
    """
    path, raw, headers = scope['path'], scope['raw_path'], scope['headers']
    if raw[:7].lower() == b'http://' or raw[:8].lower() == b'https://':
        host, slash, rest_ = raw.partition(b'://')[2].partition(b'/')
        raw = slash + rest_ or b'/'
        path = urllib.parse.unquote(raw.decode('latin-1'))
        headers = [*((name, value) for name, value in headers if name != b'host'), (b'host', host)]
    if path[:4].lower() == '/v1/':
        path = '/v1/' + path[4:]
    return {**scope, 'path': path, 'raw_path': raw, 'headers': headers}
