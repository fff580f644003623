"""Statistics of one collection of lines, as they come, and the distances between two collections.

Everything streams: a chunk of lines at a time is measured and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.evaluation.measuring.conventions import Convention, pictures
from hwgen.images import to_height
from hwgen.metrics import distribution, geometry_score, handwriting_distance, memorization

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord
    from hwgen.evaluation.judges.feature_space import FeatureSpace

_STREAMS = {'reservoir': 2, 'subsets': 3, 'landmarks': 4}
_KEPT_VECTORS = 10_000  # of a side, for what needs the vectors themselves
_SHOWN = 10


class Side:
    """The statistics of one collection of lines, as they come.

    Args:
        protocol: Convention.
        space: feature space.
        cells: dict char_px, char_width_px.
        training: float32 [t, D], features of training lines; None where copies are not looked for.
        geometry_repeats: int, choices of landmarks behind the geometry score; 0: it has none.
    """

    def __init__(
        self,
        protocol: Convention,
        space: FeatureSpace,
        *,
        cells: Mapping[str, int],
        training: np.ndarray | None = None,
        geometry_repeats: int,
    ):
        self._protocol, self._space, self._cells, self._training = protocol, space, cells, training
        self._geometry_repeats = geometry_repeats
        self.statistics, self.inception = distribution.FeatureStatistics(), distribution.InceptionScore()
        self.vectors = distribution.FeatureReservoir(_KEPT_VECTORS, seed=_STREAMS['reservoir'])
        self.points = (
            distribution.FeatureReservoir(protocol.geometry_lines, seed=_STREAMS['reservoir'])
            if protocol.geometry_lines and geometry_repeats
            else None
        )
        self.hands = handwriting_distance.HandMeans() if protocol.picture == 'squares' else None
        self.distances: list[np.ndarray] = []
        self.shown: list[np.ndarray] = []
        self.nearest: list[tuple[float, int, np.ndarray]] = []
        self._living_times: np.ndarray | None = None

    def update(self, images: list[np.ndarray], records: Sequence[LineRecord]) -> None:
        """Adds lines: uint8 [H, W] each, and the records whose texts and writers they have."""
        cut = [
            pictures(
                image, kind=self._protocol.picture, num_characters=len(record.character_ids), **self._cells
            )
            for image, record in zip(images, records, strict=True)
        ]
        found = self._space.measure([picture for line in cut for picture in line])
        self.statistics.update(found.vectors)
        self.vectors.update(found.vectors)
        if found.probabilities is not None:
            self.inception.update(found.probabilities)
        if self.points is not None:
            self.points.update(np.stack([_left_pixels(line[0]) for line in cut]))
        if self.hands is not None:
            whole = self._space.measure(images)
            self.hands.update([record.writer for record in records], whole.vectors, columns=whole.columns)
        self.shown += images[: max(0, _SHOWN - len(self.shown))]
        if self._training is not None:
            neighbours = memorization.NearestNeighbors(found.vectors)
            neighbours.update(self._training)
            self.distances.append(neighbours.distances)
            self.nearest = sorted(
                [
                    *self.nearest,
                    *zip(neighbours.distances.tolist(), neighbours.indices.tolist(), images, strict=True),
                ],
                key=lambda one: one[:2],
            )[:_SHOWN]

    def inception_score(self) -> float:
        """The inception score; 1, the least there is, where nothing could be read."""
        return self.inception.value if self.inception.count else 1.0

    def living_times(self, seed: int) -> np.ndarray:
        """Mean relative living times of the pixels of the lines' left ends; computed once."""
        if self.points is None:
            raise ValueError(
                'living times of a collection without points: expected geometry_repeats of 1 or more'
            )
        if self._living_times is None:
            self._living_times = geometry_score.relative_living_times(
                self.points.features, num_repeats=self._geometry_repeats, seed=[seed, _STREAMS['landmarks']]
            )
        return self._living_times


def side_figures(
    space: str, first: Side, second: Side, generated: Side | None, *, seed: int, floors: dict[str, float]
) -> dict[str, dict[str, float]]:
    """The figures of real and written lines.

    Args:
        space: name of the feature space.
        first, second: Side of the real halves.
        generated: Side of the lines that have the texts of the second half, or None.
        seed: of what is drawn in measuring.
        floors: figures of first against second, filled here: they are computed once.

    Returns:
        dict name -> dict of float: `floor` and, with written lines, `generated` and `other_texts`.
    """
    count = short_count(
        second.statistics.count if second.hands is None else sum(second.hands.counts.values())
    )
    subsets = [seed, _STREAMS['subsets']]
    pairs: dict[str, Callable[[Any, Any], float]] = {
        f'fid_{space}_{count}': lambda a, b: distribution.frechet_distance(a.statistics, b.statistics),
        f'kid_{space}_{count}': lambda a, b: distribution.kernel_distance(
            a.vectors.features, b.vectors.features, seed=subsets
        )[0],
    }
    if first.points is not None and second.points is not None:
        points = short_count(len(second.points.features))
        pairs[f'geometry_score_pixels_{points}'] = lambda a, b: geometry_score.geometry_score(
            a.living_times(seed), b.living_times(seed)
        )
    if first.hands is not None:
        pairs[f'hwd_{space}_{count}'] = lambda a, b: handwriting_distance.handwriting_distance(
            a.hands, b.hands
        )[0]
    for name in pairs.keys() - floors.keys():
        floors[name] = pairs[name](first, second)
    figures = {
        name: {'floor': floors[name]} | _distances(figure, first, second, generated)
        for name, figure in pairs.items()
    }
    if second.inception.count:
        figures[f'is_{space}_{count}'] = {'floor': second.inception.value} | (
            {'generated': generated.inception_score()} if generated else {}
        )
    if second.hands is not None and len(second.hands.counts) > 1:
        figures[f'hwd_{space}_{count}']['other_hands'] = handwriting_distance.distance_between_hands(
            second.hands
        )
    if first.distances:
        far = {'floor': first, 'generated': generated} if generated else {'floor': first}
        test = np.concatenate(second.distances)
        for name, measure in (
            ('copying_z', memorization.copying_score),
            ('copied_share', memorization.copied_share),
        ):
            figures[f'{name}_{space}_{count}'] = {
                kind: measure(test, np.concatenate(side.distances)) for kind, side in far.items()
            }
    return figures


def _distances(figure, first, second, generated):
    return (
        {'generated': figure(second, generated), 'other_texts': figure(first, generated)}
        if generated is not None
        else {}
    )


def short_count(number: int) -> str:
    """A number of samples as names have it: 250, 2k, 20k, 1.5k."""
    return f'{number / 1000:g}k' if number >= 1000 and number % 100 == 0 else str(number)


def _left_pixels(picture):
    """The left two cells of a line at 32 px, as one vector: pixels need columns that stand for the same in
    every line.
    """
    line = to_height(picture, 32)[:, :64]
    return (
        np.pad(line, [(0, 0), (0, 64 - line.shape[1])], constant_values=255).astype(np.float32).ravel()
        / 255.0
    )
