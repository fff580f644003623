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

from hwgen.settings import flags as settings_flags
from hwgen.settings.serving import EXPORT_SECTIONS as SECTIONS
from hwgen.settings.serving import ExportSettings

settings_flags.define(*SECTIONS, module=__name__)


def main(arguments: list[str]) -> None:
    """Hands the flags to the export."""
    del arguments
    from hwgen.serving.new_model import export

    export(settings_flags.read(ExportSettings))
