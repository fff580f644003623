"""Reads a hand from pictures of its lines, and writes in it.

At once:          imitate --images=my_lines/ --text "你好，世界" --out=hello.png
Kept as a file:   imitate --images=my_lines/ --hand=mine.hand
                  generate --hand=mine.hand --text_file letter.txt --page_width 20 --out page.png
With labels:      imitate --images=my_lines/ --labels=labels.tsv --hand=mine.hand
Fine-tuned:       imitate --images=my_lines/ --labels=labels.tsv --minutes=5 --hand=mine
                  generate --hand=mine --text "你好，世界" --out=hello.png

The folder holds a picture of each line, of one person, in any size: scans and photographs too, whose paper
becomes white; each is cut to its ink. One to five lines are enough for the style encoder; what it says of
several is averaged. Without labels the characters of a line are counted by its shape. --minutes trains the
model on the lines and keeps it as a folder, as large as the model; it takes labels and is for fifty lines and
more. A hand belongs to the model that read it.
"""

import shlex
import sys

from hwgen.settings import flags as settings_flags
from hwgen.settings.imitate import SECTIONS as SECTIONS
from hwgen.settings.imitate import ImitationSettings

settings_flags.define(*SECTIONS, module=__name__)


def main(arguments: list[str]) -> None:
    """Hands the flags to the session."""
    del arguments
    from hwgen.imitation import session

    session.imitate(settings_flags.read_all(ImitationSettings), command='imitate ' + shlex.join(sys.argv[2:]))
