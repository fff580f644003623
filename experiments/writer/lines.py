"""Pictures of lines for the docs: texts and style seeds as a file lists them, nothing chosen afterwards.

    python -m experiments.writer.lines --out=docs/images

writes written.png (of the README) and lines_1.png to lines_5.png (of docs/lines.md) with the model that ships
and the defaults of `generate`. The same file, model and machine give the same pictures.
"""

import argparse
import io
import pathlib

import numpy as np
from PIL import Image

from hwgen import files
from hwgen.inference.model_folder import DEFAULT_MODEL
from hwgen.inference.picture_files import stack
from hwgen.inference.writer import Writer

LINES = pathlib.Path(__file__).with_suffix('.txt')
_MARGIN_PX, _GAP = 12, 0.15  # around all lines; between two, in heights of a line
_GREYS = 16  # of the picture file: half the bytes, and nothing that one sees


def read_lines(path: pathlib.Path) -> dict[str, list[tuple[int, str]]]:
    """The pictures that a file lists.

    Args:
        path: rows `# NAME`, and below each the rows of that picture, `SEED TAB TEXT`.

    Returns:
        dict name -> list of (style seed, text).

    Raises:
        ValueError: names the row that is none of these.
    """
    pictures: dict[str, list[tuple[int, str]]] = {}
    for number, row in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        seed, tab, text = row.partition('\t')
        if row.startswith('# '):
            pictures[row[2:]] = []
        elif tab and seed.isdecimal() and text and pictures:
            list(pictures.values())[-1].append((int(seed), text))
        elif row:
            raise ValueError(f'{path}, row {number}: expected "# NAME" or "SEED TAB TEXT": {row!r}')
    return pictures


def png(picture: np.ndarray) -> bytes:
    """uint8 [H, W] as a PNG of few greys, white among them."""
    step = 255 / (_GREYS - 1)
    palette = np.round(np.arange(_GREYS) * step).astype(np.uint8)
    image = Image.fromarray(np.round(picture / step).astype(np.uint8), 'P')
    image.putpalette(np.repeat(palette, 3).tobytes())
    file = io.BytesIO()
    image.save(file, 'png', optimize=True, bits=4)
    return file.getvalue()


def main() -> None:
    """Writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--lines', type=pathlib.Path, default=LINES, help='what is written')
    parser.add_argument('--model', default=DEFAULT_MODEL, help='folder of a generator')
    parser.add_argument('--out', type=pathlib.Path, required=True, help='folder of the pictures')
    asked = parser.parse_args()
    writer = Writer.load(asked.model)
    for name, rows in read_lines(asked.lines).items():
        seeds, texts = zip(*rows, strict=True)
        lines = stack(writer.write(list(texts), style_seeds=list(seeds)), gap=_GAP)
        made = png(np.pad(lines, _MARGIN_PX, constant_values=255))
        files.write_file(str(asked.out / f'{name}.png'), made)
        print(f'{asked.out / name}.png: {len(rows)} lines, {len(made):,} bytes')


if __name__ == '__main__':
    main()
