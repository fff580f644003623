"""Training lines in few bytes: scaled to the model's cells, side by side in strips of WebP, so that a
corpus fits through a narrow door.
"""

import io
import pathlib

import numpy as np
from PIL import Image

from hwgen.charset.encoding import Charset
from hwgen.data.reading.cells import record_in_cells

STRIP_PX = 16000  # WebP's limit is 16383


def pack_lines(index, out, *, char_px, longest_lines, quality, num_files=1, layout='cells'):
    """Writes lines-0.npz, lines-1.npz, ...: `device.py` reads them.

    Args:
        index: RecordIndex, or another with `lengths` and `read_record`.
        out: path of the folder.
        char_px: int, side of a cell.
        longest_lines: int, characters; longer lines, and lines without text, are left out.
        quality: int, of WebP, 1 to 100.
        num_files: int; the lines are dealt out in order.
        layout: 'cells' or 'spaced', of the model that they are for (`LineBatches`).
    """
    out, characters = pathlib.Path(out), Charset.load().characters
    out.mkdir(parents=True, exist_ok=True)
    numbers = np.flatnonzero((index.lengths > 0) & (index.lengths <= longest_lines))
    for k, part in enumerate(np.array_split(numbers, num_files)):
        strips, texts, rooms, strip, width = [], [], [], [], 0
        for number in part:
            record = index.read_record(int(number), decode_trajectory=False)
            line, advances = record_in_cells(
                record, characters, spaced=layout == 'spaced', char_px=char_px, char_width_px=char_px
            )
            if width + line.shape[1] > STRIP_PX:
                strips.append(_webp(strip, quality))
                strip, width = [], 0
            strip.append(line)
            width += line.shape[1]
            texts.append(record.character_ids)
            rooms.append(advances)
        strips.append(_webp(strip, quality))
        np.savez(
            out / f'lines-{k}.npz',
            strips=np.frombuffer(b''.join(strips), np.uint8),
            strip_bytes=np.array([len(strip) for strip in strips]),
            lengths=np.array([len(text) for text in texts], np.int32),
            character_ids=np.concatenate(texts).astype(np.int32),
            advances=np.concatenate(rooms),
            char_px=char_px,
            longest_lines=longest_lines,
        )


def _webp(lines, quality):
    pixels = np.clip(np.rint((np.concatenate(lines, axis=1) + 1) * 127.5), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).convert('RGB').save(stream, 'WEBP', quality=quality)
    return stream.getvalue()
