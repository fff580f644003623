"""An HttpServer on a free port of this machine, in a thread, for tests."""

import contextlib
import threading

import urllib3

from hwgen.serving.http_server import HttpServer, Limits, bind


@contextlib.contextmanager
def running(service, *, page=None, hosts=(), origins=(), **limits):
    """Yields a Running; the server has stopped after it."""
    with bind('127.0.0.1', 0) as listener:
        server = HttpServer(service, page=page, limits=Limits(**limits), hosts=hosts, origins=origins)
        thread = threading.Thread(target=server.run, args=[listener])
        thread.start()
        try:
            yield Running(server, thread, listener.getsockname())
        finally:
            server.stop()
            thread.join()


class Running:
    """A running server: `address` (host, port), `url`, its `thread`."""

    def __init__(self, server, thread, address):
        self.server, self.thread, self.address = server, thread, address
        self.url = 'http://{}:{}'.format(*address)
        self._pool = urllib3.PoolManager(
            retries=urllib3.Retry(connect=200, read=0, backoff_factor=0.01, backoff_max=0.1), timeout=120.0
        )
        self.ask('GET', '/healthz')  # until it listens

    def ask(self, method, path, body=None, **options):
        """-> status, bytes, headers."""
        answer = self._pool.request(method, self.url + path, body=body, **options)
        return answer.status, answer.data, answer.headers

    def forget(self):
        """What is asked next comes by a new connection: the one that was kept may be given way at any
        moment.
        """
        self._pool.clear()

    def pending(self):
        """What its metrics say of the requests that wait or run."""
        text = self.ask('GET', '/metrics')[1].decode()
        return int(
            float(
                next(
                    line.split()[1]
                    for line in text.splitlines()
                    if line.startswith('hwgen_pending_requests ')
                )
            )
        )
