"""Hand files: what is saved is what is read, and nothing else is taken for a hand."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest

from hwgen.inference import hand_file
from hwgen.inference.hand_file import Hand, HandError, load_hand, save_hand


@pytest.fixture
def hand():
    rng = np.random.default_rng(0)
    style, average, probe = rng.normal(size=[3, 7]).astype(np.float32)
    return Hand(style, average, probe, digest='ab' * 32, lines=2, characters=9, counted='shape')


def test_round_trip(hand):
    save_hand('my own.hand', hand)
    found = load_hand('my own.hand')
    assert found.name == 'my own' and found.path == 'my own.hand' and found.style.dtype == np.float32
    for field in dataclasses.fields(Hand):
        if field.name not in ('name', 'path'):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(hand, field.name))
    assert pathlib.Path('my own.hand').stat().st_size < 5000
    with pytest.raises(FileExistsError):
        save_hand('my own.hand', hand, replace=False)


@pytest.mark.parametrize(
    ('changed', 'said'),
    [
        ({'kind': 'glove'}, 'not a hand'),
        ({'format': 2}, 'format 2 of hands, expected 1'),
        ({'style': None}, 'a damaged hand'),
        ({'style': []}, 'style is no list of finite numbers'),
        ({'style': [1e39] * 7}, 'style is no list of finite numbers'),
        ({'style': ['x'] * 7}, 'a damaged hand'),
        ({'style': [[1.0] * 7]}, 'style is no list of finite numbers'),
        ({'average': [float('nan')] * 7}, 'average is no list of finite numbers'),
        ({'probe': [0.0] * 6}, r'numbers of values differ \(style 7, average 7, probe 6\)'),
        ({'digest': 3}, 'digest 3'),
        ({'counted': 'guessed'}, "counted 'guessed'"),
        ({'lines': 0}, 'lines 0, characters 9'),
        ({'lines': True}, 'lines True'),
        ({'characters': 1}, 'lines 2, characters 1'),
    ],
)
def test_damaged_files(hand, changed, said):
    save_hand('a.hand', hand)
    stored = json.loads(pathlib.Path('a.hand').read_text()) | changed
    pathlib.Path('a.hand').write_text(json.dumps(stored))
    with pytest.raises(HandError, match=said) as error:
        load_hand('a.hand')
    assert str(error.value).startswith('a.hand: ') and '\n' not in str(error.value)


def test_files_of_others(hand):
    save_hand('a.hand', hand)
    whole = pathlib.Path('a.hand').read_bytes()
    for name in json.loads(whole):
        if name not in ('kind', 'format'):
            stored = json.loads(whole)
            del stored[name]
            pathlib.Path('b.hand').write_text(json.dumps(stored))
            with pytest.raises(HandError, match=f"a damaged hand: no '{name}'"):
                load_hand('b.hand')
    for data, said in (
        (whole[:200], 'no JSON in UTF-8'),
        (b'', 'no JSON in UTF-8'),
        (b'\x89PNG\r\n\x1a\n', 'no JSON in UTF-8'),
        (b'[' * 100_000, 'no JSON in UTF-8'),
        (b'[1, 2]', 'not a hand'),
        (b'7', 'not a hand'),
        (b' ' * (hand_file.MAX_BYTES + 1), 'bytes; expected a hand'),
    ):
        pathlib.Path('b.hand').write_bytes(data)
        with pytest.raises(HandError, match=said):
            load_hand('b.hand')
    pathlib.Path('folder').mkdir()
    for path, said in (('none.hand', 'no such file'), ('folder', 'is no file')):
        with pytest.raises(HandError, match=f'{path}: {said}; expected a hand that `imitate` saved'):
            load_hand(path)


def test_hands_of_another_model(hand):
    hand.check_model('ab' * 32)
    with pytest.raises(HandError, match='hand: a hand of another model .weights abababababab, here cdcdcd'):
        hand.check_model('cd' * 32)
    with pytest.raises(HandError, match=r'^mine\.hand: a hand of another model'):
        dataclasses.replace(hand, path='mine.hand').check_model('cd' * 32)
    hand.check_probe(hand.probe + np.float32(1e-4))
    for other in (hand.probe + np.float32(0.1), hand.probe[:6], np.full_like(hand.probe, np.nan)):
        with pytest.raises(HandError, match='another model than the server has'):
            hand.check_probe(other)


def test_what_a_server_makes_the_hand_of(hand):
    """A server moves a style s to s + (1 - t) (average - s)."""
    for t in (0.25, 0.8, 1.0, 1.5):
        sent = hand.before_truncation(t)
        np.testing.assert_allclose(sent + (1 - t) * (hand.average - sent), hand.style, atol=1e-5)
