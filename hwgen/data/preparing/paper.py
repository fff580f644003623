"""Paper made white: the grey of a scan or photograph, its gradients and shadows are taken away, ink keeps its
grey level relative to the paper around it.

The paper's level at each place is what is left when everything darker than its surroundings and narrower than
half a line is filled (morphological closing), brought to the mean of the pixels that are paper by it; the
picture is divided by it. What is then hardly darker than paper is a pale stroke where it hangs together with
something that noise alone would not make, and noise where it does not (two thresholds, as in Canny's
hysteresis).

Source: division by a closing is the usual correction of uneven light on documents (Gonzalez and Woods,
Digital Image Processing, on the top-hat and bottom-hat transforms).
"""

import cv2
import numpy as np

_LEVEL_PX, _INK_PX = 96, 256  # heights at which level and ink are looked for
_LEAST_WINDOW_PX = 15
_WHITE = 254
_INK_DEPTH = 32  # grey levels: surely no paper, where it is asked whether paper is white
# of the brightest paper: light is not taken for less, so that paper in a deep shadow becomes white as well
_DEEPEST_SHADOW = 0.4
_LEAST_BAND = 0.04  # of the level of paper: what is as near to it is paper, too
_WEAK, _STRONG = 2.0, 5.0  # standard deviations of the noise
_LEAST_STROKE = 100  # pixels that hang together: more than noise makes
_LEAST_NOISE = 1.0  # grey levels
_WIDEST_PX, _CHUNK_PX, _OVERLAP_PX, _PIXELS_AT_ONCE = 16384, 8192, 512, 1 << 20  # what bounds the memory


def has_white_paper(image: np.ndarray) -> bool:
    """Whether the paper is white already: nearly everywhere three tenths of it and more are at 254 or 255.

    Args:
        image: uint8 [H, W], 255 = white.
    """
    small = reduced(image)
    paper = (_filled(small).astype(np.int16) - small <= _INK_DEPTH).astype(np.float32)
    size = (2 * window(small) + 1,) * 2
    share = cv2.blur(paper * (small >= _WHITE), size) / np.maximum(cv2.blur(paper, size), 1e-6)
    return bool((share < 0.3).mean() < 0.02)


def flattened(image: np.ndarray) -> np.ndarray:
    """A picture whose paper is white.

    Args:
        image: uint8 [H, W], dark ink on paper.

    Returns:
        uint8 [H, W], paper 255; `image` itself where that is white already.
    """
    if has_white_paper(image):
        return image
    width, parts = image.shape[1], []
    for left in range(0, width, _CHUNK_PX):
        start = max(0, left - _OVERLAP_PX)
        parts.append(
            _flattened(image[:, start : left + _CHUNK_PX + _OVERLAP_PX])[
                :, left - start : left - start + _CHUNK_PX
            ]
        )
    return np.hstack(parts)


def depth_of_ink(small: np.ndarray) -> np.ndarray:
    """How much darker than the paper around it ink is.

    Args:
        small: uint8 [H, W], see `reduced`.

    Returns:
        float32 [H, W], grey levels of paper that is 255; 0 where there is none.
    """
    level = _paper_level(small)
    return np.clip(255 - small * (255 / level), 0, 255) * _inked(small, level)


def reduced(image: np.ndarray, height_px: int = _LEVEL_PX) -> np.ndarray:
    """An image no higher than so much, and no wider than 16384 px: uint8 [H, W]."""
    height, width = image.shape
    size = min(_WIDEST_PX, max(1, round(width * min(1, height_px / height)))), min(height, height_px)
    return image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def window(small: np.ndarray) -> int:
    """Side of a square, px, that no stroke fills, in a picture that is `reduced`."""
    return max(_LEAST_WINDOW_PX, len(small) // 2 | 1)


def _flattened(image):
    level = _paper_level(reduced(image))
    inked = _resized(_inked(reduced(image, _INK_PX), level, most=_INK_DEPTH), image.shape)
    level = _resized(level, image.shape)
    out, rows = np.empty_like(image), max(1, _PIXELS_AT_ONCE // image.shape[1])
    for top in range(0, len(image), rows):
        part = slice(top, top + rows)
        depth = np.clip(255 - image[part] * (255 / level[part]), 0, 255)
        out[part] = np.rint(255 - depth * inked[part])
    return out


def _resized(values, shape):
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(shape)


def _filled(small):
    """A picture without what is darker than its surroundings and narrower than a window."""
    quiet = cv2.medianBlur(small, 3) if min(small.shape) >= 3 else small
    # Reflected: a shadow in a corner is twice as wide, a stroke along the edge not yet as wide as a window.
    side = window(small)
    wide = cv2.copyMakeBorder(quiet, side, side, side, side, cv2.BORDER_REFLECT)
    return np.ascontiguousarray(
        cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))[side:-side, side:-side]
    )


def _paper_level(small):
    """float32 [H, W], at least 1: the mean brightness of the paper at each place."""
    side = window(small)
    slope = _smooth_light(_filled(small))
    # a valley of light at the picture's edge would be filled like ink
    even = np.clip(small / slope * 160, 0, 255).astype(np.uint8)
    filled = _filled(even)
    level = cv2.medianBlur(filled, side // 2 | 1)
    level = np.maximum(level, np.percentile(level, 95) * _DEEPEST_SHADOW)
    level = np.maximum(cv2.GaussianBlur(level.astype(np.float32), (0, 0), 1.5), 1)
    # What fills is the brightest of noisy paper. Paper is what lies as far below it as most does, also where
    # the light changes.
    hollow = (filled - even.astype(np.float32)) / level
    usual = float(np.median(hollow[hollow < 0.2])) if (hollow < 0.2).any() else 0.0
    # of the brighter half, which is no ink
    spread = 1.25 * float(np.mean(np.abs(hollow[hollow < usual] - usual))) if (hollow < usual).any() else 0.0
    paper = (hollow < usual + max(_LEAST_BAND, 2.5 * spread)).astype(np.float32)
    level *= slope / 160
    for _ in range(2):
        mean = cv2.GaussianBlur(paper * small / level, (0, 0), side / 3)
        level = np.maximum(level * ((mean + 1e-3) / (cv2.GaussianBlur(paper, (0, 0), side / 3) + 1e-3)), 1)
    return level


def _smooth_light(filled):
    """float32 [H, W], at least 1: the light that changes slowly, a polynomial of second degree in each
    axis; where there are shadows, of one level.
    """
    few = cv2.resize(
        filled, (min(filled.shape[1], 64), min(filled.shape[0], 16)), interpolation=cv2.INTER_AREA
    ).astype(np.float64)
    few = few.reshape(min(filled.shape[0], 16), -1)
    values, terms, used = few.ravel(), np.kron(*map(_powers, few.shape)), np.ones(few.size, bool)
    for _ in range(3):
        part = terms[used]
        weights = np.linalg.solve(part.T @ part + 1e-3 * np.eye(9), part.T @ values[used])
        found = terms @ weights
        used = np.abs(values - found) < 0.08 * np.maximum(found, 1)
        if used.mean() < 0.85:
            return np.full(filled.shape, max(1.0, values.mean()), np.float32)
    down, along = map(_powers, filled.shape)
    return np.maximum(down @ weights.reshape(3, 3) @ along.T, max(1.0, float(values.min()) / 2)).astype(
        np.float32
    )


def _powers(n):
    """float64 [n, 3]: 1, x, x ** 2 from -1 to 1."""
    return np.linspace(-1, 1, n)[:, None] ** np.arange(3)


def _inked(image, level, *, most=np.inf):
    """float32 [H, W], 0 to 1: where a picture has ink.

    What is brighter than paper by `most` grey levels is no noise: beside a black edge the level is none of
    paper.
    """
    depth = 255 - image * (255 / _resized(level, image.shape))
    score = np.zeros(image.shape, np.float32)
    for sigma in (0.8, 1.6):
        around = cv2.GaussianBlur(depth.astype(np.float32), (0, 0), sigma)
        # Of what is brighter than paper all is noise: its mean is 0.8 of a standard deviation.
        brighter = ((around < 0) & (around > -most)).astype(np.float32)
        mean = (cv2.blur(-around * brighter, (65, 65)) + 1e-3) / (cv2.blur(brighter, (65, 65)) + 1e-3)
        score = np.maximum(score, around / np.maximum(1.25 * mean, _LEAST_NOISE))
    _, parts = cv2.connectedComponents((score > _WEAK).astype(np.uint8), connectivity=8)
    real = np.zeros(parts.max() + 1, bool)
    real[parts[score > _STRONG]] = True
    real |= np.bincount(parts.ravel()) >= _LEAST_STROKE
    real[0] = False
    return np.clip(score - _WEAK, 0, 1) * real[parts]
