"""A REST server on a free port of this machine, for tests: any function of (method, path, body) ->
(status, body) behind a socket.
"""

import contextlib
import http.server
import threading


@contextlib.contextmanager
def serve(answer):
    """Serves `answer` in a thread.

    Args:
        answer: function of method, path, body -> (status, body), or (status, body, headers).

    Yields:
        str, http://127.0.0.1:port.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
            status, content, *headers = answer(self.command, self.path, body)
            self.send_response(status)
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name, value)
            self.send_header('Content-Length', str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *arguments):
            del arguments

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_port}'
        finally:
            server.shutdown()
            thread.join()
