"""A picture to look at: the same lines by the writer of each row, and by hands of its corpus."""

import cv2
import numpy as np

from experiments.corpus import hands

_TITLE_PX = 20
_GAP_PX = 10
_HEIGHT_PX = 40
_HANDS = 2


def draw(writers, texts, *, truncation):
    """The sheet.

    Args:
        writers: dict Row -> Writer that learned from it.
        texts: list of str.
        truncation: float, of the styles that are drawn.

    Returns:
        uint8 [H, W], 255 = paper: for each row a title, then two hands of the corpus and two that were
        written.
    """
    blocks = []
    for row, writer in writers.items():
        kinds = list(row.kinds())
        real = [
            _row([hands.write(kind, hands.hand_for(kind, ''.join(texts), 20 * n), text, n) for text in texts])
            for n, kind in enumerate([kinds[0], kinds[-1]])
        ]
        written = [
            _row(writer.write(texts, style_seeds=seed, truncation=truncation)) for seed in range(_HANDS)
        ]
        for title, found in ((f'{row.title}: the corpus', real), (f'{row.title}: written', written)):
            blocks.append(_titled(title, found))
    width = max(block.shape[1] for block in blocks)
    pairs = [
        np.hstack([_wide(left, width), _wide(right, width)])
        for left, right in zip(blocks[::2], blocks[1::2], strict=True)
    ]
    return np.vstack(pairs)


def _row(images):
    scaled = [
        cv2.resize(
            image,
            (round(image.shape[1] * _HEIGHT_PX / image.shape[0]), _HEIGHT_PX),
            interpolation=cv2.INTER_AREA,
        )
        for image in images
    ]
    return np.hstack(
        [np.pad(image, ((0, _GAP_PX), (0, 2 * _GAP_PX)), constant_values=255) for image in scaled]
    )


def _titled(title, rows):
    width = max(row.shape[1] for row in rows)
    head = np.full([_TITLE_PX, width], 255, np.uint8)
    cv2.putText(head, title, (2, _TITLE_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 90, 1, cv2.LINE_AA)
    return np.vstack([head, *(_wide(row, width) for row in rows)])


def _wide(block, width):
    return np.pad(block, ((0, 0), (0, width - block.shape[1])), constant_values=255)
