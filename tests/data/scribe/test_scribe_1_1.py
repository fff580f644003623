"""Version 1.1 of the corpus stays what it was, whatever later versions add: figures of models that were
trained on it stay comparable.
"""

import hashlib

import pytest

from hwgen.data.scribe import fonts
from hwgen.data.scribe.corpus import plan_corpus

# SHA-256 of the packaged fonts, the first 16 digits.
FONTS = {
    'long-cang': 'cb5086848b18fc13',
    'zhi-mang-xing': '06116d632e58ba95',
    'ma-shan-zheng': '5bf75e14d142ab12',
    'lxgw-wenkai': 'e428855a8020aed4',
    'caveat': 'f22c5456e3a7d3b8',
    'patrick-hand': '6a62f1deaa024074',
    'kalam': '50eb64bdfb399a59',
    'shadows-into-light': '7fd9ee4eb7ab43cd',
    'indie-flower': '14d297ec7f449db3',
    'gochi-hand': 'c13a2c4e3fe7bd7e',
    'reenie-beanie': '52be0e32966541e6',
}
# The first lines of seed 1: text, writer, width in px, mean grey level.
LINES = {
    'train': [
        ('尾文化局程灵素？', 'chinese 1-189', 356, 227.226),
        ('奇宙', 'chinese 1-390', 112, 230.482),
        ('地主看待夏商周小', 'chinese 1-209', 354, 220.243),
        ('辩解独奏；、', 'chinese 1-387', 322, 237.556),
        ('玲就公', 'chinese 1-71', 153, 240.632),
    ],
    'unseen': [
        ('道欺', 'chinese 1-497', 122, 240.102),
        ('族株履番拨呢峡爬', 'chinese 1-486', 415, 201.443),
        ('搞折息棺骗宪', 'chinese 1-481', 357, 237.71),
        ('置限歇闲嚷颗', 'chinese 1-497', 365, 238.523),
        ('哥宪苦', 'chinese 1-512', 187, 228.34),
    ],
}


def test_fonts_are_those_of_1_1():
    assert {name for name, source in fonts.SOURCES.items() if source.since == '1.1'} == set(FONTS)
    assert {
        name: hashlib.sha256(fonts.open_font(name).path.read_bytes()).hexdigest()[:16] for name in FONTS
    } == FONTS


@pytest.mark.parametrize('split', LINES)
def test_lines_are_those_of_1_1(split):
    plan = plan_corpus(version='1.1', lines=50, seed=1)
    for i, (text, writer, width, grey) in enumerate(LINES[split]):
        record = plan.line(split, i)
        assert (record.text, record.writer, record.source) == (text, writer, 'scribe 1.1')
        # Not the bytes: OpenCV and FreeType round differently from one processor or release to another.
        assert abs(record.image.shape[1] - width) <= 1 and record.image.mean() == pytest.approx(grey, abs=0.1)
