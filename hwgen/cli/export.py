"""Exports a trained model as a version that TF-Serving loads.

--out names the version, saved_models/hwgen/1, or the folder of the versions, saved_models/hwgen, for the next
number. The version appears whole or not at all, after a process without hwgen has loaded it and written what
the model writes; a version that is there is never replaced.

Signatures: serving_default (texts, style_seeds -> image_bytes, error), styled (texts, styles, truncation),
images (floats, widths, boxes), components (the codes of any glyph), styled_components and styles
(style_seeds). `error` is empty or names the character, `U+XXXX at position n`.

Examples:
  export
  export --run=runs/demo --out=saved_models/hwgen/2
  tensorflow_model_server --rest_api_port=8501 --model_name=hwgen --model_base_path=$PWD/saved_models/hwgen
"""

import os

from absl import flags

from hwgen.charset.printable import printable
from hwgen.cli.app import UserError
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model

RUN = flags.DEFINE_string('run', None, 'Run directory of train whose model is exported. Example: runs/demo.')
MODEL = flags.DEFINE_string(
    'model', None, 'Folder of a trained generator, in place of --run; default: the one that ships.'
)
OUT = flags.DEFINE_string(
    'out',
    'saved_models/hwgen',
    'Version to write, NAME/NUMBER, or NAME for the next number. Example: saved_models/hwgen/1.',
)
TRUNCATION = flags.DEFINE_float(
    'truncation',
    DEFAULT_TRUNCATION,
    'Spread of the hands and of the character noise of serving_default and images, as of generate.',
    lower_bound=0.0,
)
MAX_CHARACTERS = flags.DEFINE_integer(
    'max_characters',
    256,
    'Longest text that is written, characters; a longer one is an error of its own.',
    lower_bound=1,
)
ALLOW_UNSEEN = flags.DEFINE_bool(
    'allow_unseen',
    False,
    'The version writes also characters that no training picture of the model showed, nor the parts they are '
    'made of: probably scribbles. Without it they are errors.',
)
DATA_LICENCE = flags.DEFINE_string(
    'data_licence',
    None,
    'Licence of the lines the model was trained on, for the description inside; known for the '
    'embedded corpus, CASIA and IAM. Example: "own scans, all rights reserved".',
)


def main(arguments):
    """Loads the model, exports it, and reports."""
    del arguments
    import time

    if RUN.value is not None and MODEL.value is not None:
        raise UserError('--run and --model are both given: expected one')
    from hwgen.serving.versions import version_folder

    version_folder(OUT.value)  # before TensorFlow has started
    # The process that compares needs room on a GPU beside this one.
    os.environ.setdefault('TF_FORCE_GPU_ALLOW_GROWTH', 'true')
    from hwgen.inference.writer import Writer
    from hwgen.serving import export

    model = find_model(RUN.value or MODEL.value or DEFAULT_MODEL)
    writer = Writer.load(model, windows_per_step=1, allow_unseen=ALLOW_UNSEEN.value)
    licence = DATA_LICENCE.value or export.data_licence(writer.description.get('info', {}))
    print(
        f'model {printable(model)}; licence of its data: {licence}'
        + ('; --data_licence states it' if licence == export.UNSTATED else ''),
        flush=True,
    )
    began = time.monotonic()
    path, told = export.export_model(
        writer, OUT.value, truncation=TRUNCATION.value, max_characters=MAX_CHARACTERS.value, licence=licence
    )
    size = sum(
        os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names
    )
    compared = told['compared']
    if told.get('note'):
        print(f'{printable(model)}: {told["note"]}')
    print(
        f'{printable(os.path.relpath(path))}: {told["characters"]:,} characters, {size / 1e6:.1f} MB, in'
        f' {time.monotonic() - began:.1f} s; a fresh process wrote {compared["lines"]} lines of'
        f' {compared["characters"]} characters by six signatures, largest difference'
        f' {compared["largest_difference_grey_levels"]:g} grey levels'
    )
