"""What comes from outside is looked at before it becomes a line: no ink, too small, nearly black, ink on
black, grey paper. None of it passes without a word.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import cv2
import numpy as np

from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import paper
from hwgen.settings.prepare import InputSettings
from hwgen.settings.setting import choices_of

DARK = choices_of(InputSettings, 'dark')
# remarks on pictures that become lines
GREY, INVERTED, INK_ON_BLACK = 'grey paper', 'inverted', 'ink on black'
_LEAST_PX = 4
_LEAST_INK = 4, 12  # pixels of ink in a picture of at most 96 px of height, grey levels below its paper
_LEAST_PAPER = 40  # grey level: below it all is black
# of what is around ink, and of the picture's edge, that is light; less of both is ink on black
_LEAST_SHARE = 0.4


class Look(NamedTuple):
    """What a picture is, at first sight.

    Attributes:
        fault: str, '', or why it is no line of dark ink on light paper: 'tiny', 'blank', 'black', 'dark'.
        words: str, the same for a message.
        grey_paper: bool, whether its paper is not white.
    """

    fault: str
    words: str
    grey_paper: bool


def look_at(image: np.ndarray) -> Look:
    """What a picture is.

    Args:
        image: uint8 [H, W], 255 = white.

    Returns:
        Look.
    """
    height, width = image.shape
    if min(height, width) < _LEAST_PX:
        return Look(
            'tiny', f'a picture of {width} x {height} px, expected at least {_LEAST_PX} x {_LEAST_PX}', False
        )
    small = paper.reduced(image)
    bright, levels = float(np.percentile(small, 95)), f'grey levels {image.min()} to {image.max()}'
    if bright < _LEAST_PAPER and float(np.percentile(small, 99.8)) < 2 * _LEAST_PAPER:
        return Look('black', f'a black picture ({levels}), expected dark ink on light paper', True)
    if _is_dark(small):
        return Look('dark', f'ink on black? ({levels}), expected dark ink on light paper', False)
    grey = not paper.has_white_paper(image)
    # a photograph of paper has specks
    pixels, depth = (max(_LEAST_INK[0], small.size // 2000), 2 * _LEAST_INK[1]) if grey else _LEAST_INK
    if np.count_nonzero(paper.depth_of_ink(small) >= depth) < pixels:
        return Look('blank', f'no ink ({levels}), expected some on the paper', False)
    return Look('', '', grey)


def look_soon(image: np.ndarray) -> Look:
    """The same of one of the millions of lines of a collection: what is mostly white and has ink for sure
    is not looked at any closer.
    """
    good = (
        min(image.shape) >= _LEAST_PX
        and np.count_nonzero(image >= 254) > 0.7 * image.size
        and np.count_nonzero(image < 200) >= 20
    )
    return Look('', '', False) if good else look_at(image)


def look_at_character(image: np.ndarray) -> Look:
    """The same of an isolated character, which is cut so closely that a dash is all ink: blank, or nothing
    to say.
    """
    blank = image.min() == image.max() > 127
    return (
        Look('blank', f'no ink (all of grey level {image.max()}), expected some on the paper', False)
        if blank
        else Look('', '', False)
    )


def _is_dark(small):
    """Whether light ink stands on dark paper: what is light is less, both around ink and along the edge."""
    kernel = np.ones((paper.window(small),) * 2, np.uint8)
    quiet = cv2.medianBlur(small, 3)
    high, low = (
        cv2.morphologyEx(quiet, how, kernel).astype(np.float32) for how in (cv2.MORPH_DILATE, cv2.MORPH_ERODE)
    )
    contrast = high - low
    inked = contrast > max(_LEAST_INK[1], 0.3 * float(contrast.max()))
    if not inked.any():
        return False
    middle = np.where(inked, (high + low) / 2, np.percentile(small, [2, 98]).mean())
    light = small > middle
    edge = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    return bool(light[inked].mean() < _LEAST_SHARE and edge.mean() < _LEAST_SHARE)


class Intake:
    """Takes pictures in, or refuses them.

    Args:
        whiten: bool, whether grey paper becomes white, see `paper.flattened`.
        dark: what becomes of light ink on black, one of DARK.
    """

    def __init__(self, *, whiten: bool, dark: str = 'refuse'):
        if dark not in DARK:
            raise ValueError(f'dark={dark!r}: expected one of {", ".join(DARK)}')
        self._whiten, self._dark = whiten, dark

    def take(self, image: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """A picture as it becomes a line.

        Args:
            image: uint8 [H, W], 255 = white.

        Returns:
            (uint8 [H, W], tuple of remarks: GREY, INVERTED, INK_ON_BLACK).

        Raises:
            FormatError: it is no line of dark ink on light paper; the reason is that of `Look`.
        """
        look = look_at(image) if self._whiten else look_soon(image)
        remarks: tuple[str, ...] = ()
        if look.fault == 'dark' and self._dark == 'keep':
            return image, (INK_ON_BLACK,)
        if look.fault == 'dark' and self._dark == 'invert':
            image, remarks = 255 - image, (INVERTED,)
            look = look_at(image)
        if look.fault:
            advice = (
                '; --dark=invert turns such pictures over, --dark=keep takes them as they are'
                if look.fault == 'dark'
                else ''
            )
            raise FormatError(f'{look.words}{advice}', reason=look.fault)
        if not look.grey_paper:
            return image, remarks
        return paper.flattened(image) if self._whiten else image, (*remarks, GREY)


def intake_settings(*, whiten: bool, dark: str) -> dict[str, str]:
    """What info.json says of it: nothing where pictures are taken as they are."""
    return ({'paper': 'flattened'} if whiten else {}) | ({'dark': dark} if dark != 'refuse' else {})


def told(remarks: Mapping[str, int], *, total: int, whitened: bool) -> Iterator[str]:
    """The remarks in a few lines.

    Args:
        remarks: Counter of GREY, INVERTED, INK_ON_BLACK.
        total: int, pictures in all.
        whitened: bool, whether grey paper became white.

    Yields:
        str.
    """
    words = {
        GREY: (
            'with grey paper: '
            + ('made white (--keep_paper keeps it)' if whitened else 'kept, look at the sheet')
        ),
        INVERTED: 'of ink on black: turned over',
        INK_ON_BLACK: 'of ink on black: kept as they are',
    }
    for remark, said in words.items():
        if remarks[remark]:
            yield f'{remarks[remark]} of {total} pictures {said}'
