"""Pictures to look at: hands side by side, and what gives them away."""

import cv2
import numpy as np

_ZOOM = 1.5
_TITLE_PX = 22


def hands_sheet(people, simulated, *, writers=12):
    """People's rows beside simulated ones, a hand a row.

    Args:
        people, simulated: uint8 [W, C, S, side, side], 255 = ink.
        writers: int, at most.

    Returns:
        uint8 [H, W], 255 = paper.
    """
    count = min(writers, len(people), len(simulated))
    blocks = []
    for title, hands in (('people', people), ('simulated', simulated)):
        chosen = np.linspace(0, len(hands) - 1, count).round().astype(int)
        rows = [np.hstack([hands[w, c, 0] for c in range(hands.shape[1])]) for w in chosen]
        blocks.append(_titled(np.vstack(rows), title))
    return np.hstack([blocks[0], np.full([len(blocks[0]), 24], 255, np.uint8), blocks[1]])


def surest_sheet(people, simulated, verdict, *, columns=24, rows=3):
    """What a network is surest of, and what it takes for the other.

    Args:
        people, simulated: uint8 [W, C, S, side, side], 255 = ink, the first and the second kind of the
            verdict.
        verdict: Verdict of `tell_apart`.
        columns, rows: int, of each block; a hand is shown at most three times.

    Returns:
        uint8 [H, W], 255 = paper.
    """
    blocks = []
    for title, kind, sign in (
        ('simulated, surest of it', 1, 1),
        ('people, surest of it', 0, -1),
        ('simulated, most like people', 1, -1),
        ('people, most like simulated', 0, 1),
    ):
        pictures, shown = [], {}
        for _, found, w, c, s in verdict.surest[::-sign]:
            if found == kind and shown.get(w, 0) < 3 and len(pictures) < rows * columns:
                shown[w] = shown.get(w, 0) + 1
                pictures.append((people, simulated)[kind][w, c, s])
        if pictures:
            pictures += [np.zeros_like(pictures[0])] * (rows * columns - len(pictures))
            blocks.append(
                _titled(
                    np.vstack(
                        [np.hstack(pictures[i : i + columns]) for i in range(0, len(pictures), columns)]
                    ),
                    title,
                )
            )
    return np.vstack(blocks)


def _titled(ink, title):
    """Enlarged, as ink on paper, with a line of text above."""
    drawn = 255 - cv2.resize(ink, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC)
    head = np.full([_TITLE_PX, drawn.shape[1]], 255, np.uint8)
    cv2.putText(head, title, (4, _TITLE_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
    return np.vstack([head, drawn])
