"""Asks a server that runs an exported model for handwriting, and writes the pictures.

A line:          request --text "明天去钓鱼" --out line.png
By gRPC:         request --grpc=localhost:8500 --text "明天⿱山鱼" --out line.png
Several hands:   request --text "明天" --num_styles 5 --out hands.png    (or --out FOLDER for a picture each)
Rows of a file:  request --text_file lines.txt --out data/

The server is tensorflow_model_server, or anything that answers its REST calls. Without --truncation the
pictures are those of generate with the truncation that the model was exported with; ⿱山鱼 and its like are
read here, not by the server. A text that cannot be written stops the command with what the server says of it
(--skip_unwritable leaves it out); a server that is busy or starting is asked again, after waits that double.
The folder of --text_file holds 000001.png, ..., labels.tsv and styles.tsv, as that of generate. Output
appears whole or not at all.
"""

from hwgen.settings import flags as settings_flags
from hwgen.settings.serving import REQUEST_SECTIONS as SECTIONS
from hwgen.settings.serving import RequestSettings, ServerSettings

settings_flags.define(*SECTIONS, module=__name__)


def main(arguments: list[str]) -> None:
    """Hands the flags to the request."""
    del arguments
    from hwgen.serving import request

    request.request(settings_flags.read(RequestSettings), settings_flags.read(ServerSettings))
