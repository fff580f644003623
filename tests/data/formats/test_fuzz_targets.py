"""What the fuzzer found, and many spoilt files, the same every time; `fuzz_targets.py` says what is held."""

import numpy as np
import pytest
from foreign_files import READERS, gnt_bytes
from fuzz_targets import IMAGES, SEEDS, STROKES, TARGETS, WHOLE

STORED, DEFLATED = SEEDS['zip'][:2]
SPOILT = 150


def local_name(archive, name):
    """An archive whose first member has another name in its own header, marked as UTF-8, than in the table
    of contents.
    """
    data = bytearray(archive)
    data[7] |= 8
    data[30 : 30 + len(name)] = name
    return bytes(data)


FOUND = {
    'gnt': [b'', gnt_bytes([]) + b'\0' * 9],
    # Damaged where the reader looks ahead for the first header; a name of nothing; a name that is no UTF-8; a
    # table of contents cut short.
    'zip': [
        DEFLATED[:45] + bytes(20) + DEFLATED[65:],
        STORED.replace(b'lines.txt', b'\0ines.txt'),
        local_name(STORED, b'\xff\xfe'),
        STORED[:-30],
    ],
    'iam': [b'a01-000u-00', b'a01-000u-00 ok', b'a01-000u-00-00'],
    'iam_online': (
        [STROKES.replace(b'ISO-8859-1', name) for name in (b'ISO-2516-1', b'GB18030', b'rot13')]
        + [STROKES.replace(b'x="1073"', b'y="' + b'7' * 5000 + b'"')]
    ),
    'jsonl': [
        b'{"path": "a.png", "text": "\\ud800"}',
        b'{"path": "a.png", "text": "x", "writer": "\\udfff"}',
        b'{"path": "\\ud800", "text": "x"}',
        b'{"path": "a\\u0000.png", "text": "x"}',
        b'["a.png", "x"]',
        b'{"path": 1' + b'0' * 5000 + b', "text": ""}',
    ],
    'tsv': [b'a.png', b'a\0.png\tx', b'\xff'],
    'image': [b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n', IMAGES[0][:40]],
    'lmdb': [b'9' * 5000 + b'|x|', b'2||', b'x'],
}


@pytest.mark.parametrize('name', TARGETS)
def test_findings(name):
    if name == 'lmdb':
        pytest.importorskip('lmdb', reason='the package lmdb is not installed')
    for data in SEEDS[name] + FOUND.get(name, []):
        TARGETS[name](data)


@pytest.mark.parametrize('name', [name for name in TARGETS if name != 'lmdb'])
def test_spoilt_files(name):
    rng = np.random.default_rng(sorted(TARGETS).index(name))
    for seed in SEEDS[name]:
        for _ in range(SPOILT // len(SEEDS[name])):
            spoilt = bytearray(seed)
            for place in rng.integers(0, len(spoilt), rng.integers(1, 6)):
                spoilt[place] = rng.choice([0, 1, 127, 128, 255, rng.integers(0, 256)])
            TARGETS[name](bytes(spoilt[: rng.integers(1, len(spoilt) + 1) if rng.random() < 0.3 else None]))


def test_a_target_notices_what_is_lost():
    """The checks themselves: a reader that ends a page in silence does not pass for one that keeps its
    word.
    """
    silent = dict(READERS, **{'.gnt': lambda file, refuse=None: iter([])})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr('fuzz_targets.READERS', silent)
        for number in range(40):  # two of eight inputs are held against the good samples before them
            TARGETS['gnt'](WHOLE['.gnt'] + bytes([number]))
