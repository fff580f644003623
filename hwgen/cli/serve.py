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

from hwgen.settings import flags as settings_flags
from hwgen.settings.serving import SERVE_SECTIONS as SECTIONS
from hwgen.settings.serving import ServeSettings

settings_flags.define(*SECTIONS, module=__name__)


def main(arguments: list[str]) -> None:
    """Hands the flags to the session."""
    del arguments
    from hwgen.serving import session

    session.serve(settings_flags.read_all(ServeSettings), given=settings_flags.given(*SECTIONS))
