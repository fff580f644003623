"""Serves an exported model by TF-Serving's REST calls, with a page to type into.

Open http://localhost:8501 for the page. It answers POST /v1/models/hwgen:predict, GET /v1/models/hwgen and
.../metadata, with /versions/N and /labels/NAME, as tensorflow_model_server does, so request and curl work
with either; except that a text that cannot be written makes the answer 400, with the pictures of the other
texts beside `error`. GET /healthz says that it runs, GET /metrics speaks to Prometheus.

Without --model_base_path it serves saved_models/hwgen, and exports the model that ships to there first if it
is not there. A version that appears later is served from then on, in place of the one before; one that cannot
be loaded is passed over. A request beyond a limit is refused: 413 too large, 400 too many lines or values,
408 too slow, 503 too many at once (with Retry-After; request asks again), 504 no answer in time. SIGTERM and
Ctrl-C end it when what it has accepted is answered, or after --timeout_sec. Web pages of other origins are
refused (--allowed_origins), and so is, at 127.0.0.1, who asks by another host's name (--allowed_hosts).
--grpc_port offers the same model by gRPC.

Examples:
  serve
  serve --model=runs/mine --port=8600
  serve --model_base_path=saved_models/hwgen --versions=1,2 --labels=stable:1,canary:2 --host=0.0.0.0
"""

import os
import shutil

from absl import flags

import hwgen
from hwgen.cli.app import UserError
from hwgen.cli.places import made_place
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model

MODEL_BASE_PATH = flags.DEFINE_string(
    'model_base_path',
    'saved_models/hwgen',
    'Folder of the versions that export wrote. Where it is not given and not there, the '
    'model that ships is exported first (by an installed hwgen into its cache). Example: saved_models/hwgen.',
)
MODEL = flags.DEFINE_string(
    'model',
    None,
    'Instead: folder of a trained generator or of a run, exported for as long as the server runs. Example:'
    ' runs/demo.',
)
ALLOW_UNSEEN = flags.DEFINE_bool(
    'allow_unseen',
    False,
    'With --model: write also characters that no training picture of the model showed, see export.',
)
MODEL_NAME = flags.DEFINE_string('model_name', 'hwgen', 'Name of the model in the paths.')
VERSIONS = flags.DEFINE_list(
    'versions', None, 'Versions to serve; default: the newest and those with labels. Example: 1,2.'
)
LABELS = flags.DEFINE_list('labels', [], 'Version labels, NAME:NUMBER. Example: stable:1,canary:2.')
HOST = flags.DEFINE_string(
    'host',
    '127.0.0.1',
    'Address to listen at; 0.0.0.0: all of this machine, for anyone who reaches it. Example: 127.0.0.1.',
)
ALLOWED_HOSTS = flags.DEFINE_list(
    'allowed_hosts',
    None,
    'Names by which it may be asked (Host), beside addresses, localhost, names without a dot and this'
    " machine's own; *: any. Default: none at 127.0.0.1, any where --host serves other machines. Example:"
    ' write.example.org.',
)
ALLOWED_ORIGINS = flags.DEFINE_list(
    'allowed_origins',
    [],
    'Origins of other web pages that may ask and read the answers (CORS); *: any. Example: '
    'https://app.example.org.',
)
PORT = flags.DEFINE_integer(
    'port', 8501, 'Port to listen at; 0: a free one.', lower_bound=0, upper_bound=65535
)
GRPC_PORT = flags.DEFINE_integer(
    'grpc_port',
    None,
    "Port for gRPC beside REST (the extra `grpc`); 0: a free one. TF-Serving's is 8500. Example: 8500.",
    lower_bound=0,
    upper_bound=65535,
)
WORKERS = flags.DEFINE_integer(
    'workers',
    min(4, os.cpu_count() or 1),
    'Requests on the model at once; default: one a CPU, 4 at most.',
    lower_bound=1,
)
MAX_WAITING = flags.DEFINE_integer(
    'max_waiting', 64, 'Requests that may wait; further ones are answered 503.', lower_bound=0
)
MAX_REQUEST_BYTES = flags.DEFINE_integer(
    'max_request_bytes', 2**20, 'Largest request, bytes of its body.', lower_bound=1
)
MAX_LINES = flags.DEFINE_integer('max_lines', 64, 'Most lines of a request.', lower_bound=1)
MAX_VALUES = flags.DEFINE_integer(
    'max_values',
    5_000_000,
    'Most values of an answer, numbers, texts and pictures; those of `images` are 1,024 a character '
    'where it is 32 px high and wide.',
    lower_bound=1,
)
POLL_SEC = flags.DEFINE_float(
    'file_system_poll_wait_seconds',
    1.0,
    'Time between looks for new versions, seconds; 0: never.',
    lower_bound=0.0,
)
MAX_CONNECTIONS = flags.DEFINE_integer(
    'max_connections',
    512,
    'Most connections at once; for a further one the one is closed that has waited longest for its client.',
    lower_bound=1,
)
TIMEOUT_SEC = flags.DEFINE_float(
    'timeout_sec',
    60.0,
    'Longest time for a request to arrive, and again for its answer, seconds.',
    lower_bound=0.1,
)

_OTHER_FILES = 128  # that a process needs beside its connections


def main(arguments):
    """Binds, loads, serves."""
    del arguments
    if MODEL.value is not None and flags.FLAGS['model_base_path'].present:
        raise UserError('--model and --model_base_path are both given: expected one')
    if ALLOW_UNSEEN.value and MODEL.value is None:
        raise UserError(
            '--allow_unseen without --model: expected a model that is exported here; a version of'
            ' --model_base_path is as export wrote it'
        )
    labels, wanted = (
        _labels(),
        (None if VERSIONS.value is None else [_number(version, 'versions') for version in VERSIONS.value]),
    )
    import contextlib
    import importlib.util
    import signal
    import sys

    try:
        from hwgen.serving import http_server
    except ModuleNotFoundError as error:
        raise UserError(
            f'{error.name} is not installed: expected the packages of the extra `serve`, pip install'
            ' "hwgen[serve]"'
        ) from None
    if GRPC_PORT.value is not None and not all(
        importlib.util.find_spec(name) for name in ('grpc', 'tensorflow_serving')
    ):
        raise UserError(
            '--grpc_port: tensorflow-serving-api is not installed: expected the packages of the extra `grpc`,'
            ' pip install "hwgen[grpc]"'
        )
    _make_room()
    # while it loads: what lies in a temporary folder goes with it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(http_server.bind(HOST.value, PORT.value))
        base = _base(stack)
        from hwgen.serving.version_watch import VersionWatch

        watch = VersionWatch(
            base, wanted=wanted, labelled=labels.values(), report=lambda said: print(said, flush=True)
        )
        from hwgen.serving.rest_service import RestService

        service = RestService(
            MODEL_NAME.value,
            watch.versions,
            labels=labels,
            refuse_unwritable=True,
            max_lines=MAX_LINES.value,
            max_values=MAX_VALUES.value,
        )
        limits = http_server.Limits(
            workers=WORKERS.value,
            max_waiting=MAX_WAITING.value,
            max_body_bytes=MAX_REQUEST_BYTES.value,
            timeout_sec=TIMEOUT_SEC.value,
            max_connections=MAX_CONNECTIONS.value,
        )
        server = http_server.HttpServer(
            service,
            page=_page(watch.versions),
            limits=limits,
            hosts=_hosts(listener),
            origins=ALLOWED_ORIGINS.value,
        )

        def follow(versions):
            service.models.replace(versions)
            server.page = _page(versions)

        if GRPC_PORT.value is not None:
            from hwgen.serving.grpc_server import GrpcServer

            by_grpc = GrpcServer(
                HOST.value, GRPC_PORT.value, service.models, queue=server.queue, limits=limits
            )
            print(f'gRPC at port {by_grpc.port}', flush=True)
            by_grpc.start()
            server.companion = by_grpc
        if POLL_SEC.value > 0:
            watch.watch(POLL_SEC.value, follow)
        host, port = listener.getsockname()[:2]
        host = f'[{host}]' if ':' in host else host
        said = (
            f'http://{host}:{port}: model {MODEL_NAME.value}, version'
            f' {", ".join(map(str, sorted(watch.versions)))}; Ctrl-C ends it'
        )
        server.run(listener, announce=lambda: print(said, flush=True))
    print('stopped', flush=True)


def _make_room():
    """Open files for all connections, as far as the system gives them."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MAX_CONNECTIONS.value + _OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UserError(
            f'--max_connections={MAX_CONNECTIONS.value}: expected at most {hard - _OTHER_FILES}, this system'
            f' gives a process {hard} open files (ulimit -Hn)'
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _number(text, flag):
    """A version's number as a flag gives it."""
    from hwgen.serving.versions import MAX_VERSION

    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= MAX_VERSION):
        raise UserError(f'--{flag}: version {text[:50]}: expected a number from 0 to {MAX_VERSION}')
    return int(text)


def _labels():
    """--labels as dict str -> int."""
    labels = {}
    for label in LABELS.value:
        name, separator, number = label.partition(':')
        if not (separator and name and number):
            raise UserError(f'--labels={label}: expected NAME:NUMBER, such as stable:1')
        labels[name] = _number(number, 'labels')
    return labels


def _hosts(listener):
    """Names that `Host` may have; None, any, where other machines are served and nobody said by which
    names.
    """
    import ipaddress

    address = listener.getsockname()[0].partition('%')[0]
    return (
        None
        if ALLOWED_HOSTS.value is None and not ipaddress.ip_address(address).is_loopback
        else [HOST.value, *(ALLOWED_HOSTS.value or ())]
    )


def _page(versions):
    """The page of the newest version, or None, told why."""
    from hwgen.serving.page import Page, PageError

    try:
        return Page(MODEL_NAME.value, max(versions), versions[max(versions)])
    except PageError as error:
        print(f'no page: {error}', flush=True)
        return None


def _base(stack):
    """The folder of the versions; where nobody named one, or a model is to be served, with an export in
    it.
    """
    from hwgen.serving import versions

    if MODEL.value is not None:
        import tempfile

        versions.remove_abandoned(tempfile.gettempdir(), 'hwgen-serve-.{8}')
        base, held = versions.held_folder(tempfile.gettempdir(), 'hwgen-serve-')
        stack.callback(os.close, held)
        stack.callback(shutil.rmtree, base, ignore_errors=True)
    elif flags.FLAGS['model_base_path'].present:
        return MODEL_BASE_PATH.value
    else:
        base = made_place(MODEL_BASE_PATH.value)
        if base != MODEL_BASE_PATH.value:  # the cache: another release may ship another model
            base = f'{base}-{hwgen.__version__}'
        if versions.find_versions(base):
            return base
    path = versions.version_folder(base)  # BASE/1; refuses a base that is a file
    model = find_model(MODEL.value or DEFAULT_MODEL)
    print(
        f'exporting {model}'
        + ('' if MODEL.value else f' to {path}: there is no version yet')
        + ', about half a minute',
        flush=True,
    )
    from hwgen.inference.description import DEFAULT_TRUNCATION
    from hwgen.inference.writer import Writer
    from hwgen.serving import export
    from hwgen.serving.served_model import MAX_CHARACTERS

    writer = Writer.load(model, windows_per_step=1, allow_unseen=ALLOW_UNSEEN.value)
    _, told = export.export_model(
        writer,
        path,
        truncation=DEFAULT_TRUNCATION,
        max_characters=MAX_CHARACTERS,
        licence=export.data_licence(writer.description.get('info', {})),
    )
    if told['note']:
        print(f'{model}: {told["note"]}', flush=True)
    return base
