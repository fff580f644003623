"""Protocols hct, scrabblegan, ganwriting and hwd: real lines against generated ones of the same texts, by
distances between distributions.

Real lines are two halves that share no line, drawn by the seed. The generated ones have the texts of the
second half. Three comparisons of each figure:
  figure       generated against the second half: the same texts on both sides
  floor        the first half against the second: what real lines are worth against real ones, of other texts
  other texts  generated against the first half: differs from the floor in nothing but who wrote the texts of
  the second half
Everything streams: a chunk of lines at a time is read, written, measured and forgotten.
"""

import hashlib
from typing import NamedTuple

import cv2
import numpy as np

from hwgen.images import to_cells, to_height
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.imitation import read_style
from hwgen.metrics import distribution, geometry_score, handwriting_distance, memorization

_STREAMS = {'lines': 0, 'styles': 1, 'reservoir': 2, 'subsets': 3, 'landmarks': 4, 'training': 5}
_CHUNK_LINES = 32
_STYLE_LINES = 15  # of a writer, of which a hand is imitated: as many as GANwriting takes
_KEPT_VECTORS = 10_000  # of a side, for what needs the vectors themselves
_TRAINING_LINES = 10_000  # that are looked through for copies
_GEOMETRY_REPEATS = 200
_SHOWN = 10


class Convention(NamedTuple):
    """What a protocol of distances fixes, by the work of its name.

    Attributes:
        num_lines: int, lines of a half at most; geometry_lines: int, points of the geometry score at most (0:
            it has none).
        picture: name of what is cut out of a line (`pictures`).
        imitates: bool, generated lines are in the hands of the real ones' writers; else in drawn styles.
        square: bool, Inception sees pictures as squares.
        memorization: bool, copies of training lines are looked for.
        source: where the convention is from.
    """

    num_lines: int
    geometry_lines: int
    picture: str
    imitates: bool
    square: bool
    memorization: bool
    source: str


ALL_LINES = 1 << 30
CONVENTIONS = {
    'hct': Convention(
        20_000,
        5_000,
        'cells',
        False,
        True,
        True,
        'HCT-GAN, ICPR 2022: lines of 32 x 32 N px, 20,000 for FID, 5,000 for the geometry score',
    ),
    'scrabblegan': Convention(
        ALL_LINES,
        5_000,
        'cells',
        False,
        False,
        True,
        'ScrabbleGAN, CVPR 2020: 299 px high for Inception, as many lines as the test set has',
    ),
    'ganwriting': Convention(
        ALL_LINES, 0, 'left', True, True, False, 'GANwriting, ECCV 2020: the left 64 px of a line 64 px high'
    ),
    'hwd': Convention(
        ALL_LINES,
        0,
        'squares',
        True,
        True,
        False,
        'HWD, BMVC 2023: lines 32 px high, for FID cut into squares; HWD of whole lines, writer by writer',
    ),
}


class Selection(NamedTuple):
    """The lines of a seed.

    Attributes:
        first, second: lists of record numbers of the halves, of one length.
        digest: str, SHA-256 of protocol, numbers, writers and texts.
    """

    first: list
    second: list
    digest: str


def choose_lines(index, name, *, num_lines, seed):
    """Draws the halves.

    Where hands are imitated, place i of both halves is of one writer, and the writers take turns.

    Args:
        index: RecordIndex.
        name: str, of a protocol.
        num_lines: int, of a half at most.
        seed: int.

    Returns:
        Selection.

    Raises:
        ValueError: fewer than two lines for a half.
    """
    protocol, order = (
        CONVENTIONS[name],
        np.random.default_rng([seed, _STREAMS['lines']]).permutation(len(index)),
    )
    records = {}

    def line(number):
        if number not in records:
            record = index.read_record(int(number), decode_image=False)
            records[number] = record.writer, record.text
        return records[number]

    if protocol.imitates:
        by_writer = {}
        for number in order:
            by_writer.setdefault(line(number)[0], []).append(int(number))
        pairs = sorted(
            (turn, writer, numbers[turn], numbers[len(numbers) // 2 + turn])
            for writer, numbers in by_writer.items()
            for turn in range(len(numbers) // 2)
        )
        first, second = [pair[2] for pair in pairs[:num_lines]], [pair[3] for pair in pairs[:num_lines]]
    else:
        half = min(num_lines, len(order) // 2)
        first, second = order[:half].tolist(), order[half : 2 * half].tolist()
    if len(first) < 2:
        raise ValueError(
            f'{index.folder}, split {index.split!r}: {len(first)} lines for each half, expected at least 2'
            + (' (of writers with two lines or more)' if protocol.imitates else '')
        )
    digest = hashlib.sha256(repr((name, protocol[:5], seed)).encode())
    for number in (*first, *second):
        digest.update('\t'.join((str(number), *line(number), '\n')).encode())
    return Selection(first, second, digest.hexdigest())


def pictures(image, *, kind, num_characters, char_px, char_width_px):
    """What a protocol cuts out of a line.

    Args:
        image: uint8 [H, W], 255 = paper.
        kind: 'cells', the line scaled to its cells; 'left', the left 64 px of the line at 64 px, scaled to a
            square; 'squares', squares as high as the line at 32 px, the last filled up with paper.
        num_characters: int; char_px, char_width_px: int, the model's cells.

    Returns:
        list of uint8 [h, w].
    """
    if kind == 'cells':
        return [to_cells(image, num_characters, char_px=char_px, char_width_px=char_width_px)]
    if kind == 'left':
        return [cv2.resize(to_height(image, 64)[:, :64], (64, 64), interpolation=cv2.INTER_AREA)]
    line = to_height(image, 32)
    line = np.pad(line, [(0, 0), (0, -line.shape[1] % 32)], constant_values=255)
    return np.split(line, line.shape[1] // 32, axis=1)


class Side:
    """The statistics of one collection of lines, as they come.

    Args:
        protocol: Convention.
        space: feature space.
        cells: dict char_px, char_width_px.
        training: float32 [t, D], features of training lines; None where copies are not looked for.
        geometry_repeats: int, choices of landmarks behind the geometry score; 0: it has none.
    """

    def __init__(self, protocol, space, *, cells, training=None, geometry_repeats):
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
        self.distances, self.shown, self.nearest = [], [], []
        self._living_times = None

    def update(self, images, records):
        """Adds lines: uint8 [H, W] each, and the records whose texts and writers they have."""
        cut = [
            pictures(
                image, kind=self._protocol.picture, num_characters=len(record.character_ids), **self._cells
            )
            for image, record in zip(images, records)
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
                [*self.nearest, *zip(neighbours.distances.tolist(), neighbours.indices.tolist(), images)],
                key=lambda one: one[:2],
            )[:_SHOWN]

    def inception_score(self):
        """The inception score; 1, the least there is, where nothing could be read."""
        return self.inception.value if self.inception.count else 1.0

    def living_times(self, seed):
        """Mean relative living times of the pixels of the lines' left ends; computed once."""
        if self._living_times is None:
            self._living_times = geometry_score.relative_living_times(
                self.points.features, num_repeats=self._geometry_repeats, seed=[seed, _STREAMS['landmarks']]
            )
        return self._living_times


class Halves:
    """The real lines of one seed, measured once, for as many writers as there are.

    Args:
        index: RecordIndex.
        name: str, of a protocol.
        space: feature space.
        cells: dict char_px, char_width_px: what lines are scaled to.
        training: float32 [t, D] from `training_features`, for protocols that look for copies.
        num_lines: int, of a half at most; None: the protocol's number.
        seed: int, of lines, styles and all that is drawn in measuring.
        geometry_repeats: int, choices of landmarks behind the geometry score; 0: none; None: 200.

    Attributes:
        selection: Selection; first, second: Side.

    Raises:
        ValueError: too few lines.
    """

    def __init__(
        self, index, name, *, space, cells, training=None, num_lines=None, seed=0, geometry_repeats=None
    ):
        self._index, self._protocol, self._space, self._cells, self._seed = (
            index,
            CONVENTIONS[name],
            space,
            cells,
            seed,
        )
        self._training = training if self._protocol.memorization else None
        self._geometry_repeats = _GEOMETRY_REPEATS if geometry_repeats is None else geometry_repeats
        self.selection = choose_lines(
            index,
            name,
            num_lines=min(num_lines or self._protocol.num_lines, self._protocol.num_lines),
            seed=seed,
        )
        self.first, self.second, self._floors = self.side(), self.side(), {}
        for side, numbers in ((self.first, self.selection.first), (self.second, self.selection.second)):
            for records in _chunks(index, numbers):
                side.update([record.image for record in records], records)

    def read(self):
        """The real lines of the second half, as `write` yields written ones."""
        for records in _chunks(self._index, self.selection.second):
            yield [record.image for record in records], records

    def side(self):
        """An empty Side, to be filled with written lines."""
        return Side(
            self._protocol,
            self._space,
            cells=self._cells,
            training=self._training,
            geometry_repeats=self._geometry_repeats,
        )

    def write(self, writer, *, truncation):
        """Has the texts of the second half written, in hands that the seed draws, or in those of the real
        writers.

        Args:
            writer: has `write`, as Writer; where hands are imitated its style encoder, too.
            truncation: float, of drawn styles and of the character noise.

        Yields:
            list of uint8 [H, W]; list of the LineRecords whose texts they have, without images. A chunk at a
            time.
        """
        styles = _hands(self._index, self.selection.first, writer) if self._protocol.imitates else None
        style_seeds = np.random.default_rng([self._seed, _STREAMS['styles']]).integers(
            2**63, size=len(self.selection.second)
        )
        for number, records in enumerate(_chunks(self._index, self.selection.second, decode_image=False)):
            seeds = style_seeds[number * _CHUNK_LINES :][: len(records)]
            chosen = None if styles is None else np.stack([styles[record.writer] for record in records])
            yield (
                writer.write(
                    [record.text for record in records],
                    style_seeds=seeds,
                    styles=chosen,
                    truncation=truncation,
                ),
                records,
            )

    def figures(self, generated=None):
        """dict name -> dict of float: `floor` and, with a Side of written lines, `generated` and
        `other_texts`.
        """
        return _figures(
            self._space.name, self.first, self.second, generated, seed=self._seed, floors=self._floors
        )


class Comparison(NamedTuple):
    """What one seed gave.

    Attributes:
        figures: dict name -> dict of float: `generated`, `floor`, `other_texts`; without a model `floor`
            alone.
        sheet: list of rows of uint8 [H, W]: real, generated of the same text.
        copies: list of (generated line uint8 [H, W], record number of the nearest training line), the closest
            first.
        digest: str, of the lines.
    """

    figures: dict
    sheet: list
    copies: list
    digest: str


def compare(
    index,
    name,
    *,
    space,
    writer=None,
    cells=None,
    training=None,
    num_lines=None,
    seed=0,
    truncation=DEFAULT_TRUNCATION,
    report=print,
):
    """Runs a protocol for one seed.

    Args:
        index, name, space, training, num_lines, seed: as `Halves` has them.
        writer: Writer, or None for the floor alone.
        cells: dict char_px, char_width_px where there is no writer.
        truncation: float, of drawn styles and of the character noise.
        report: function of a str.

    Returns:
        Comparison.

    Raises:
        ValueError: too few lines; a protocol that imitates hands and a model without style encoder.
        CharsetError: the model cannot write one of the texts.
    """
    if writer is not None:
        cells = dict(char_px=writer.char_px, char_width_px=writer.char_width_px)
        if CONVENTIONS[name].imitates and writer.style_encoder is None:
            raise ValueError(
                f'--protocol={name}: the model has no style encoder, so it cannot imitate the writers;'
                ' expected one trained with reconstruction'
            )
    halves = Halves(index, name, space=space, cells=cells, training=training, num_lines=num_lines, seed=seed)
    generated = None
    if writer is not None:
        generated = halves.side()
        for images, records in halves.write(writer, truncation=truncation):
            generated.update(images, records)
    report(
        f'seed {seed}: 2 x {len(halves.selection.first)} real lines'
        + (f', {len(halves.selection.second)} generated' if generated else '')
    )
    sheet = (
        [list(row) for row in zip(halves.second.shown, generated.shown)]
        if generated
        else [[image] for image in halves.second.shown]
    )
    return Comparison(
        halves.figures(generated),
        sheet,
        [(image, place) for _, place, image in generated.nearest] if generated else [],
        halves.selection.digest,
    )


def training_lines(index):
    """Record numbers of the training lines that are looked through for copies, at most 10,000: int64 [t]."""
    return np.random.default_rng(_STREAMS['training']).permutation(len(index))[:_TRAINING_LINES]


def training_features(index, name, *, space, cells):
    """Features of these lines, float32 [t, D], cut as the protocol cuts."""
    found = []
    for records in _chunks(index, training_lines(index)):
        found.append(
            space.measure(
                [
                    picture
                    for record in records
                    for picture in pictures(
                        record.image,
                        kind=CONVENTIONS[name].picture,
                        num_characters=len(record.character_ids),
                        **cells,
                    )
                ]
            ).vectors
        )
    return np.concatenate(found)


def _figures(space, first, second, generated, *, seed, floors):
    count = short_count(
        second.statistics.count if second.hands is None else sum(second.hands.counts.values())
    )
    subsets = [seed, _STREAMS['subsets']]
    pairs = {
        f'fid_{space}_{count}': lambda a, b: distribution.frechet_distance(a.statistics, b.statistics),
        f'kid_{space}_{count}': lambda a, b: distribution.kernel_distance(
            a.vectors.features, b.vectors.features, seed=subsets
        )[0],
    }
    if first.points is not None:
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
    if first.hands is not None and len(second.hands.counts) > 1:
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


def short_count(number):
    """A number of samples as names have it: 250, 2k, 20k, 1.5k."""
    return f'{number / 1000:g}k' if number >= 1000 and number % 100 == 0 else str(number)


def _chunks(index, numbers, **options):
    for start in range(0, len(numbers), _CHUNK_LINES):
        yield [index.read_record(int(number), **options) for number in numbers[start : start + _CHUNK_LINES]]


def _hands(index, numbers, writer):
    """dict writer's name -> style float32 [Z], read from at most 15 of the lines."""
    lines = {}
    for records in _chunks(index, numbers):
        for record in records:
            if len(lines.setdefault(record.writer, [])) < _STYLE_LINES:
                lines[record.writer].append((record.image, len(record.character_ids)))
    return {name: read_style(writer, *zip(*pairs)) for name, pairs in lines.items()}


def _left_pixels(picture):
    """The left two cells of a line at 32 px, as one vector: pixels need columns that stand for the same in
    every line.
    """
    line = to_height(picture, 32)[:, :64]
    return (
        np.pad(line, [(0, 0), (0, 64 - line.shape[1])], constant_values=255).astype(np.float32).ravel()
        / 255.0
    )
