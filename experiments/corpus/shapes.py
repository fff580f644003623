"""What a character looks like, in numbers."""

from typing import NamedTuple

import cv2
import numpy as np

from experiments.corpus import paths
from experiments.corpus.preparation import SPAN_PX
from hwgen.evaluation.measuring.people import NUMERALS


class Feature(NamedTuple):
    """One number of a picture.

    Attributes:
        name: str.
        kind: 'size' is compared relative to the mean of its corpus, 'angle' in degrees, 'share' and 'count'
            as it is.
        characters: str, those on which it means something.
        told: str, for the table.
    """

    name: str
    kind: str
    characters: str
    told: str


FEATURES = (
    Feature('width', 'size', NUMERALS, 'width'),
    Feature('height', 'size', NUMERALS.replace('一', ''), 'height'),
    Feature('aspect', 'size', NUMERALS.replace('一', ''), 'width / height'),
    Feature('ink', 'size', NUMERALS, 'ink'),
    Feature('stroke', 'size', NUMERALS, 'stroke width / longer side'),
    Feature('slant', 'angle', '零四五十百千亿', 'slant of verticals'),
    Feature('rise', 'angle', '一二三四五六七十百千万', 'rise of horizontals'),
    Feature('turn', 'angle', '四五七九百万亿', 'turning, 90th percentile'),
    Feature('corner', 'share', '四五七九百万亿', 'corners cut off, by the longer side'),
    Feature('pieces', 'count', '二三六八亿', 'pieces of ink'),
    Feature('joined', 'count', '二三六八亿', 'joined strokes'),
    Feature('loops', 'count', '四百', 'closed loops'),
)
# Pieces that strokes written apart give; of 六 the dot may touch.
_PRINTED = {'二': 2, '三': 3, '六': 3, '八': 2, '亿': 2}
_ARM_PX = 5  # of directions and turning: 1/16 of the longer side, for all pens alike
_CORNER_ARM_PX = 16  # of a corner; its sides are the outer halves of the arms
_CORNER = 45.0  # degrees by which a line turns at a corner
_NEAR = 35.0  # degrees from level or upright
_LEAST_PX = 8  # of a direction, that it counts


def measure(crop, mask, path, character):
    """The features of a picture.

    Args:
        crop: float32 [h, w] in [0, 1], 1 = ink, at the size it was written.
        mask, path: bool [CANVAS_PX, CANVAS_PX], of `preparation.bitmap` and `preparation.skeleton`.
        character: str of one.

    Returns:
        float64 [len(FEATURES)], NaN where the character has no such thing. Sizes in px of the crop, stroke
        width by the longer side (of lines below 1/16 it is too large by up to 1/50); slant positive when it
        leans to the right at the top; rise positive when it goes up to the right; turning in degrees within
        1/8 of the longer side; corner, how far the line stays away from where its sides meet: about 0.03 at
        an edge, 0.05 in a bow of radius 1/5; joined is how many pieces fewer than strokes written apart give.
    """
    values = dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    values.update(
        width=crop.shape[1], height=crop.shape[0], aspect=crop.shape[1] / crop.shape[0], ink=float(crop.sum())
    )
    if path.any():
        inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        # from centre to the nearest paper's centre, on both sides
        width_px = 2 * float(np.median(inside[path])) - 1
        values['stroke'] = width_px / SPAN_PX
        lines = [
            paths.smooth(points) for points in paths.prune(paths.trace(path), least_px=max(4.0, width_px))
        ]
        _measure_lines(values, lines)
        _measure_pieces(values, mask, character)
    return np.array(
        [values[feature.name] if character in feature.characters else np.nan for feature in FEATURES]
    )


def _measure_lines(values, lines):
    angles = np.concatenate([np.zeros(0), *(paths.directions(points, arm_px=_ARM_PX) for points in lines)])
    level = angles[np.abs(angles) < _NEAR]
    upright = 90 - angles % 180  # positive: leans to the right
    upright = upright[np.abs(upright) < _NEAR]
    for name, found in (('rise', level), ('slant', upright)):
        if len(found) >= _LEAST_PX:
            values[name] = float(np.median(found))  # thinning bends the ends of lines
    turns = np.concatenate([np.zeros(0), *(paths.turning(points, arm_px=_ARM_PX) for points in lines)])
    if len(turns):
        values['turn'] = float(np.percentile(turns, 90))
    cuts = [cut for points in lines for cut in _corner_cuts(points)]
    if cuts:
        values['corner'] = float(np.mean(cuts)) / SPAN_PX


def _corner_cuts(points):
    """List of float px: at each corner the distance of the line from where its sides, made longer, meet."""
    turned, cuts = paths.turning(points, arm_px=_CORNER_ARM_PX), []
    while len(turned) and turned.max() > _CORNER:
        i = int(turned.argmax())
        turned[max(0, i - 2 * _CORNER_ARM_PX) : i + 2 * _CORNER_ARM_PX + 1] = 0
        arms = (
            points[i : i + _CORNER_ARM_PX // 2 + 1],
            points[i + 3 * _CORNER_ARM_PX // 2 : i + 2 * _CORNER_ARM_PX + 1],
        )
        middles = [arm.mean(0) for arm in arms]
        sides = [np.linalg.svd(arm - middle)[2][0] for arm, middle in zip(arms, middles, strict=True)]
        across = sides[0][0] * sides[1][1] - sides[0][1] * sides[1][0]
        if abs(across) > 0.5:  # 30 degrees: sides that hardly differ meet anywhere
            gap = middles[1] - middles[0]
            meeting = middles[0] + sides[0] * (gap[0] * sides[1][1] - gap[1] * sides[1][0]) / across
            cuts.append(float(np.hypot(*(points[i : i + 2 * _CORNER_ARM_PX + 1] - meeting).T).min()))
    return cuts


def _measure_pieces(values, mask, character):
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    values['pieces'] = int((boxes[1:, cv2.CC_STAT_AREA] >= _LEAST_PX).sum())
    values['joined'] = max(0, _PRINTED[character] - values['pieces']) if character in _PRINTED else np.nan
    paper, _, holes, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    values['loops'] = int((holes[1:, cv2.CC_STAT_AREA] >= _LEAST_PX).sum()) - 1  # without the paper around
