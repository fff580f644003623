"""What a protocol asks of a model for a seed is fixed: which texts, in which hands, from which lines.

Else two results of one name, of today and of next year, could not be held against each other. A change here
needs another name of the protocol's figures, and only then other hashes."""

import hashlib
import json

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.reading import records
from hwgen.evaluation.measuring import (
    distances,
    hands,
    interpolation,
    line_halves,
    neighbours,
    reading,
    shots,
)

TEXTS = [
    line
    for line in (
        '春眠不觉晓',
        '处处闻啼鸟',
        '夜来风雨声',
        '花落知多少',
        '明月',
        '山高',
        '水清',
        '江河湖海',
        '时光如水',
        '好人好事',
        '国家',
        '上下左右',
    )
    for _ in range(6)
]


class Lines:
    """Stands in for a RecordIndex: 72 lines of 6 writers, in their order, each as grey as its number."""

    folder = 'made'

    def __init__(self, split='test'):
        self.split, self.asked = split, []

    def __len__(self):
        return len(TEXTS)

    def read_record(self, number, *, decode_image=True):
        self.asked.append(int(number))
        encoded = Charset.load().encode(TEXTS[number])
        image = np.full([32, 24 * len(TEXTS[number])], 3 * number, np.uint8)
        return records.LineRecord(
            image,
            TEXTS[number],
            encoded.character_ids,
            encoded.component_ids,
            encoded.structure_ids,
            f'writer-{number % 6}',
            'made',
        )


class Model:
    """Keeps what it is asked to write, and by whom: paper."""

    char_px = char_width_px = style_dim = 8
    style_encoder = None

    def __init__(self):
        self.asked = []

    def keep(self, *told):
        self.asked.append(json.loads(json.dumps(told, default=lambda value: np.asarray(value).tolist())))

    def write(self, texts, *, style_seeds, styles=None, truncation=1.0, noise_offsets=0):
        seeds = [int(seed) for seed in np.ravel(style_seeds)]
        self.keep(list(texts), seeds, None if styles is None else np.shape(styles), truncation, noise_offsets)
        rng = np.random.default_rng(seeds[0] % 2**32)
        return [rng.integers(256, size=[8, 8 * len(text)]).astype(np.uint8) for text in texts]

    def styles_between(self, first, second, *, steps, truncation):
        self.keep('between', first, second, steps, truncation)
        return np.zeros([steps, 8])


class Between:
    """ContentInterpolation of a Model."""

    def __init__(self, model):
        self.model = model

    def write(self, first, second, *, steps, style_seed, truncation):
        self.model.keep('from', first, second, steps, style_seed, truncation)
        return [np.full([8, 8], 10 * step, np.uint8) for step in range(steps)]


class Reader:
    """Reads nothing."""

    characters = frozenset(''.join(TEXTS))

    def read(self, images):
        return [''] * len(images)


def run_distances(name, model, space):
    distances.compare(
        Lines(),
        name,
        space=space,
        model=model,
        num_lines=20,
        seed=5,
        truncation=0.7,
        report=lambda line: None,
    )


def run_shots(model, _):
    readers = {
        'nobody': lambda images, texts: shots.character_errors.read_characters(Reader(), images, texts)
    }
    shots.read_lines(
        readers,
        {split: Lines(split) for split in ('test', 'unseen')},
        {'after': model},
        groups={},
        num_lines=40,
        seed=5,
        truncation=0.7,
        report=lambda line: None,
    )


@pytest.fixture(autouse=True)
def _few_landmarks(monkeypatch):
    monkeypatch.setattr(line_halves, '_GEOMETRY_REPEATS', 1)


@pytest.mark.parametrize(
    'run, expected',
    [
        (lambda model, space: run_distances('hct', model, space), 'a1150cd4d3478628'),
        (lambda model, space: run_distances('scrabblegan', model, space), 'a1150cd4d3478628'),
        (
            lambda model, space: reading.reader_protocol(
                Reader(),
                {split: Lines(split) for split in ('test', 'unseen')},
                model=model,
                num_lines=40,
                seed=5,
                truncation=0.7,
                report=lambda line: None,
            ),
            '38fd38e38d1019a3',
        ),
        (
            lambda model, space: hands.hands_protocol(
                Lines(), model, num_hands=4, lines_per_hand=5, num_characters=6, seed=5, truncation=0.7
            ),
            '4654a4bb91843d2e',
        ),
        (
            lambda model, space: interpolation.measure(
                Lines(), model, between=Between(model), space=space, num_pairs=8, seed=5, truncation=0.7
            ),
            '6773def8d3dc94f9',
        ),
        (
            lambda model, space: neighbours.measure(
                Lines(), model, space=space, num_places=8, seed=5, truncation=0.7
            ),
            'ec5e03c5d545e81e',
        ),
        (run_shots, '86155414f6cd8d3e'),
    ],
    ids=['hct', 'scrabblegan', 'reader', 'hands', 'interpolation', 'neighbours', 'shots'],
)
def test_what_is_asked_of_a_model(run, expected, grey_space):
    model = Model()
    run(model, grey_space)
    assert hashlib.sha256(json.dumps(model.asked, ensure_ascii=False).encode()).hexdigest()[:16] == expected


@pytest.mark.parametrize('name, expected', [('hct', '686856b865dfb51a'), ('hwd', '861d8fb96a9b5e3f')])
def test_the_lines_of_a_seed(name, expected):
    chosen = line_halves.choose_lines(Lines(), name, num_lines=20, seed=5)
    assert hashlib.sha256(repr((chosen.first, chosen.second)).encode()).hexdigest()[:16] == expected
