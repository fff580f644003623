"""Serves an exported model by TF-Serving's REST calls, with a page to type into.

Open http://localhost:8501 for the page. It answers POST /v1/models/hwgen:predict, GET /v1/models/hwgen and .../metadata, with /versions/N and
/labels/NAME, as tensorflow_model_server does, so request and curl work with either; except that a text that cannot be written makes the answer
400, with the pictures of the other texts beside `error`. GET /healthz says that it runs, GET /metrics speaks to Prometheus.

Where --model_base_path has no version yet, the model that ships is exported there first. A request beyond a limit is refused: 413 too large, 408 too
slow, 503 too many at once (with Retry-After; request asks again), 504 no answer in time. SIGTERM and Ctrl-C end it when what it has accepted is answered.

Examples:
  serve
  serve --model=runs/mine --port=8600
  serve --model_base_path=saved_models/hwgen --versions=1,2 --labels=stable:1,canary:2 --host=0.0.0.0
"""

import os

from absl import flags

from hwgen.cli.app import DEFAULT_MODEL, UserError, find_model

MODEL_BASE_PATH = flags.DEFINE_string('model_base_path', 'saved_models/hwgen', 'Folder of the versions that export wrote. Example: saved_models/hwgen.')
MODEL = flags.DEFINE_string('model', None, 'Instead: folder of a trained generator or of a run, exported for as long as the server runs. Example: runs/demo.')
MODEL_NAME = flags.DEFINE_string('model_name', 'hwgen', 'Name of the model in the paths.')
VERSIONS = flags.DEFINE_list('versions', None, 'Versions to serve; default: the newest and those with labels. Example: 1,2.')
LABELS = flags.DEFINE_list('labels', [], 'Version labels, NAME:NUMBER. Example: stable:1,canary:2.')
HOST = flags.DEFINE_string('host', '127.0.0.1', 'Address to listen at; 0.0.0.0: all of this machine, for anyone who reaches it. Example: 127.0.0.1.')
PORT = flags.DEFINE_integer('port', 8501, 'Port to listen at; 0: a free one.', lower_bound=0, upper_bound=65535)
WORKERS = flags.DEFINE_integer('workers', min(4, os.cpu_count() or 1), 'Requests on the model at once; default: one a CPU, 4 at most.', lower_bound=1)
MAX_WAITING = flags.DEFINE_integer('max_waiting', 64, 'Requests that may wait; further ones are answered 503.', lower_bound=0)
MAX_REQUEST_BYTES = flags.DEFINE_integer('max_request_bytes', 2**20, 'Largest request, bytes of its body.', lower_bound=1)
MAX_LINES = flags.DEFINE_integer('max_lines', 64, 'Most lines of a request.', lower_bound=1)
MAX_CONNECTIONS = flags.DEFINE_integer('max_connections', 512, 'Most connections at once; requests on further ones are answered 503.', lower_bound=1)
TIMEOUT_SEC = flags.DEFINE_float('timeout_sec', 60., 'Longest time for a request to arrive, and again for its answer, seconds.', lower_bound=.1)


def main(arguments):
    """Binds, loads, serves."""
    del arguments
    if MODEL.value is not None and flags.FLAGS['model_base_path'].present:
        raise UserError('--model and --model_base_path are both given: expected one')
    labels = _labels()
    import contextlib
    import signal
    import sys
    import tempfile
    try:
        from hwgen.serving import http_server
    except ModuleNotFoundError as error:
        raise UserError(f'{error.name} is not installed: expected the packages of the extra `serve`, pip install "hwgen[serve]"') from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # while it loads: what lies in a temporary folder goes with it
    exported = tempfile.TemporaryDirectory(prefix='hwgen-serve-') if MODEL.value else contextlib.nullcontext(MODEL_BASE_PATH.value)
    with http_server.bind(HOST.value, PORT.value) as listener, exported as base:
        versions = _load(base, labels)
        from hwgen.serving.page import Page, PageError
        from hwgen.serving.rest_service import RestService
        service = RestService(MODEL_NAME.value, versions, labels=labels, refuse_unwritable=True, max_lines=MAX_LINES.value)
        try:
            page = Page(MODEL_NAME.value, max(versions), versions[max(versions)])
        except PageError as error:
            page = None
            print(f'no page: {error}', flush=True)
        limits = http_server.Limits(workers=WORKERS.value, max_waiting=MAX_WAITING.value, max_body_bytes=MAX_REQUEST_BYTES.value,
                                    timeout_sec=TIMEOUT_SEC.value, max_connections=MAX_CONNECTIONS.value)
        host, port = listener.getsockname()[:2]
        host = f'[{host}]' if ':' in host else host
        said = f'http://{host}:{port}: model {MODEL_NAME.value}, version {", ".join(map(str, sorted(versions)))}; Ctrl-C ends it'
        http_server.HttpServer(service, page=page, limits=limits).run(listener, announce=lambda: print(said, flush=True))
    print('stopped', flush=True)


def _labels():
    """--labels as dict str -> int."""
    labels = {}
    for label in LABELS.value:
        name, separator, number = label.partition(':')
        if not (separator and name and number.isdecimal()):
            raise UserError(f'--labels={label}: expected NAME:NUMBER, such as stable:1')
        labels[name] = int(number)
    return labels


def _load(base, labels):
    """The versions to serve, dict int -> SavedVersion; one is exported where there is none."""
    from hwgen.serving.versions import find_versions, version_folder
    folders = find_versions(base)
    if not folders:
        path = version_folder(base)  # BASE/1; refuses a base that is a file
        from hwgen.inference.writer import Writer
        from hwgen.serving import export
        from hwgen.serving.served_model import MAX_CHARACTERS, TRUNCATION
        model = find_model(MODEL.value or DEFAULT_MODEL)
        print(f'exporting {model}' + ('' if MODEL.value else f' to {path}: there is no version yet') + ', about half a minute', flush=True)
        writer = Writer.load(model, windows_per_step=1)
        export.export_model(writer, path, truncation=TRUNCATION, max_characters=MAX_CHARACTERS,
                            licence=export.data_licence(writer.description.get('info', {})))
        folders = find_versions(base)
    wanted = [*([max(folders)] if VERSIONS.value is None else VERSIONS.value), *labels.values()]
    for number in wanted:
        if not str(number).isdecimal() or int(number) not in folders:
            raise UserError(f'version {number}: expected one of those in {base}: {", ".join(map(str, sorted(folders)))}')
    from hwgen.serving.saved_version import SavedVersion
    return {number: SavedVersion(folders[number]) for number in sorted(set(map(int, wanted)))}
