"""Asks a server that runs an exported model for handwriting, and writes the pictures.

A line:          request --text "明天去钓鱼" --out line.png
By gRPC:         request --grpc=localhost:8500 --text "明天⿱山鱼" --out line.png
Several hands:   request --text "明天" --num_styles 5 --out hands.png    (or --out FOLDER for a picture each)
Rows of a file:  request --text_file lines.txt --out data/

The server is tensorflow_model_server, or anything that answers its REST calls. Without --truncation the
pictures are those of generate with the truncation that the model was exported with; ⿱山鱼 and its like are read
here, not by the server. A text that cannot be written stops the command with what the server says of it
(--skip_unwritable leaves it out); a server that is busy or starting is asked again, after waits that double.
The folder of --text_file holds 000001.png, ..., labels.tsv and styles.tsv, as that of generate. Output
appears whole or not at all.
"""

import sys

from absl import flags

from hwgen import files
from hwgen.charset.printable import printable
from hwgen.cli.app import UserError, check_writing

TEXT = flags.DEFINE_string('text', None, 'Text to write.')
TEXT_FILE = flags.DEFINE_string(
    'text_file', None, 'UTF-8 file: each row is a line of handwriting. - is standard input.'
)
OUT = flags.DEFINE_string(
    'out',
    None,
    'Where to: a picture (.png, .jpg, .webp, .tif, .bmp, .pdf), or a folder (for --text_file, or one picture'
    ' a style). NAME/ is a folder.',
)
URL = flags.DEFINE_string(
    'url', 'http://localhost:8501', 'Address of the REST server. Example: http://localhost:8501.'
)
GRPC = flags.DEFINE_string(
    'grpc', None, 'Ask by gRPC instead; needs tensorflow-serving-api. Example: localhost:8500.'
)
MODEL_NAME = flags.DEFINE_string('model_name', 'hwgen', 'Name of the model on the server.')
VERSION = flags.DEFINE_integer(
    'version', None, 'Version of the model; default: the newest. Example: 1.', lower_bound=0
)
LABEL = flags.DEFINE_string('label', None, 'Version label, in place of --version. Example: stable.')
STYLE_SEED = flags.DEFINE_integer(
    'style_seed', 0, 'Hand to write in, 0 to 2^64 - 1. Example: 42.', lower_bound=0
)
NUM_STYLES = flags.DEFINE_integer(
    'num_styles', 1, 'Write everything in so many hands: seeds style_seed, style_seed + 1, ...', lower_bound=1
)
TRUNCATION = flags.DEFINE_float(
    'truncation',
    None,
    'Standard deviation of styles and character noise; default: that of the exported model. Example: 0.5.',
    lower_bound=0.0,
)
TIMEOUT_SEC = flags.DEFINE_float(
    'timeout_sec', 60.0, 'How long to wait for an answer, seconds.', lower_bound=0.1
)
RETRIES = flags.DEFINE_integer(
    'retries', 5, 'How often a busy or absent REST server is asked again.', lower_bound=0
)
SKIP_UNWRITABLE = flags.DEFINE_bool(
    'skip_unwritable', False, 'Leave out rows that cannot be written, instead of stopping.'
)
OVERWRITE = flags.DEFINE_bool(
    'overwrite',
    False,
    'Replace the output if it exists (a folder only if all in it is output of this command).',
)


def main(arguments):
    """Checks flags, place and texts, asks, and writes what comes back."""
    del arguments
    check_writing(
        TEXT.value, TEXT_FILE.value, out=OUT.value, style_seed=STYLE_SEED.value, num_styles=NUM_STYLES.value
    )
    from hwgen.inference import picture_files, picture_formats

    folder = not picture_formats.names_picture(OUT.value)
    if TEXT_FILE.value is not None and not folder:
        raise UserError(
            f'--out={OUT.value}: --text_file writes a folder, expected the name of one ({OUT.value}/ is one,'
            ' too)'
        )
    picture_files.check_place(OUT.value, overwrite=OVERWRITE.value, folder=folder)
    rows = _rows()
    with picture_files.reserved(OUT.value, overwrite=OVERWRITE.value, folder=folder):
        _write(rows, folder)


def _write(rows, folder):
    """Asks for the rows in all hands and writes what comes back."""
    from hwgen.inference import picture_files, picture_formats

    seeds = range(STYLE_SEED.value, STYLE_SEED.value + NUM_STYLES.value)
    tasks = [(place, text, seed) for place, text in rows for seed in seeds]
    answers = _client().write(
        [text for _, text, _ in tasks],
        style_seeds=[seed for _, _, seed in tasks],
        truncation=TRUNCATION.value,
    )
    wrong = {place: answer.error for (place, _, _), answer in zip(tasks, answers) if answer.error}
    for place, error in list(wrong.items())[:3] if SKIP_UNWRITABLE.value else ():
        print(f'left out: {place}: {error}', file=sys.stderr)
    written = [
        (text, seed, answer.picture) for (_, text, seed), answer in zip(tasks, answers) if not answer.error
    ]
    if wrong and not (SKIP_UNWRITABLE.value and written):
        place, more = next(iter(wrong)), f' (and {len(wrong) - 1:,} more such rows)' if len(wrong) > 1 else ''
        raise UserError(
            f'{place}: {wrong[place]}{more}'
            + ('; --skip_unwritable leaves such rows out' if TEXT_FILE.value else '')
        )
    if folder:
        with picture_files.LineFolder(OUT.value, replace=OVERWRITE.value) as out:
            for text, seed, picture in written:
                out.add(_decode(picture), text, style=seed)
    else:
        images = [_decode(picture) for _, _, picture in written]
        picture_formats.check_size(
            *picture_files.stacked_size([image.shape[::-1] for image in images]),
            place=f'--text in {len(images)} hands',
            path=OUT.value,
            advice='a folder as --out has a picture for each hand',
        )
        as_it_came = len(images) == 1 and picture_formats.format_of(OUT.value).name == 'PNG'
        data = (
            written[0][2] if as_it_came else picture_formats.encode([picture_files.stack(images)], OUT.value)
        )
        files.write_file(OUT.value, data, replace=OVERWRITE.value)
    print(
        f'{printable(OUT.value)}: {len(written):,} picture{"s" * (len(written) != 1)}'
        + (f', {len(wrong):,} left out' if wrong else '')
    )


def _rows():
    """Pairs of place, for complaints, and text."""
    if TEXT_FILE.value is None:
        return [('--text', TEXT.value.strip())]
    from hwgen.inference import text_files

    file = text_files.TextFile(TEXT_FILE.value)
    rows = [(f'{file.name}:{row.number}', row.text) for row in file.rows() if row.text]
    if not rows:
        raise UserError(f'{file.name}: no text in it; expected one line of text a row')
    return rows


def _client():
    from hwgen.serving.client import Client

    options = dict(
        model=MODEL_NAME.value, version=VERSION.value, label=LABEL.value, timeout_sec=TIMEOUT_SEC.value
    )
    if GRPC.value:
        from hwgen.serving.grpc_transport import GrpcTransport

        return Client(GrpcTransport(GRPC.value, **options))
    from hwgen.serving.rest_transport import RestTransport

    return Client(RestTransport(URL.value, retries=RETRIES.value, **options))


def _decode(picture):
    """Bytes of a PNG -> uint8 [H, W]."""
    import io

    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(picture)).convert('L'))
