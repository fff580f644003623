"""The independent reader reads plain print, one line not depending on the next, and says so when it is not installed."""

import importlib.util

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from hwgen.evaluation import independent_reader

needs_reader = pytest.mark.skipif(importlib.util.find_spec('rapidocr') is None or importlib.util.find_spec('onnxruntime') is None,
                                  reason='needs the extra `reader` (rapidocr, onnxruntime)')


def print_line(text, *, height_px=32):
    """uint8 [height, width]: the text in Pillow's own typeface, dark on paper."""
    font = ImageFont.load_default(height_px * .7)
    image = Image.new('L', (int(font.getlength(text)) + height_px // 2, height_px), 255)
    ImageDraw.Draw(image).text((height_px // 4, height_px // 2), text, font=font, fill=20, anchor='lm')
    return np.array(image)


@pytest.fixture(scope='module')
def reader():
    return independent_reader.IndependentReader()


@needs_reader
def test_reads_print_of_any_height(reader):
    texts = ['Handwriting 2026', '31415926', 'generated', 'A']
    assert reader.read([print_line(text) for text in texts]) == texts
    assert reader.read([print_line('generated', height_px=96)]) == ['generated']


@needs_reader
def test_a_line_is_read_alike_alone_and_in_company(reader):
    lines = [print_line(text) for text in ('some', 'other lines of text', 'words', 'and longer still, a whole sentence', '7')]
    together = reader.read(lines * 3)
    assert together == [reader.read([line])[0] for line in lines] * 3


@needs_reader
def test_paper_reads_as_nothing(reader):
    assert reader.read([np.full((32, 160), 255, np.uint8)]) == ['']
    assert reader.read([]) == []


@needs_reader
def test_knows_its_characters(reader):
    assert set('天地玄黄,abcXYZ0189') <= reader.characters
    assert '，' not in reader.characters  # folded into the plain comma
    assert 'PP-OCR' in reader.name


@needs_reader
@pytest.mark.parametrize('image', [np.zeros((0, 5), np.uint8), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)])
def test_refuses_what_is_no_line(reader, image):
    with pytest.raises(ValueError, match=r'expected uint8 \[H, W\]'):
        reader.read([image])


def test_folding():
    assert independent_reader.folded('“Ａ１，b！”　‘c’ 。') == '"A1,b!"\'c\'。'
    # Unlike NFKC: an ellipsis is one character, no ideograph becomes another; a radical is the ideograph of its shape.
    assert independent_reader.folded('…⼀\u200b\uf90a') == '…一金'


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(independent_reader.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(independent_reader.ReaderUnavailableError, match=r'pip install "hwgen\[reader\]"'):
        independent_reader.IndependentReader()
