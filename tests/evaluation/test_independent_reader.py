"""The independent reader reads plain print, one line not depending on the next, and says so when it is not
installed.
"""

import importlib.util

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from hwgen.evaluation.judges import independent_reader

needs_reader = pytest.mark.skipif(
    importlib.util.find_spec('rapidocr') is None or importlib.util.find_spec('onnxruntime') is None,
    reason='needs the extra `reader` (rapidocr, onnxruntime)',
)


def print_line(text, *, height_px=32):
    """uint8 [height, width]: the text in Pillow's own typeface, dark on paper."""
    font = ImageFont.load_default(height_px * 0.7)
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
    lines = [
        print_line(text)
        for text in ('some', 'other lines of text', 'words', 'and longer still, a whole sentence', '7')
    ]
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
@pytest.mark.parametrize(
    'image', [np.zeros((0, 5), np.uint8), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)]
)
def test_refuses_what_is_no_line(reader, image):
    with pytest.raises(ValueError, match=r'expected uint8 \[H, W\]'):
        reader.read([image])


def test_lines_as_the_reader_wants_them():
    """48 px high, paper +1; to the right of the line mid-grey up to 320 px."""
    for shape, width in (
        ((48, 100), 100),
        ((96, 101), 50),
        ((24, 75), 150),
        ((96, 999), 500),
        ((480, 3), 1),
        ((32, 213), 320),
        ((32, 215), 322),
    ):
        found = independent_reader._to_input(np.full(shape, 255, np.uint8))
        assert (
            found.shape == (48, max(320, width))
            and found.dtype == np.float32
            and (found[:, :width] == 1.0).all()
            and (found[:, width:] == 0.0).all()
        )
    assert (independent_reader._to_input(np.zeros([48, 400], np.uint8)) == -1.0).all()
    # of 2 x 2 px each point is the mean, where lines are made smaller; else it lies between two
    fine = np.tile(np.uint8([[0, 200], [100, 60]]), [48, 40])
    np.testing.assert_allclose(independent_reader._to_input(fine)[:, :40], 90 / 127.5 - 1, atol=0.005)
    np.testing.assert_allclose(
        independent_reader._to_input(np.repeat(np.uint8([[0], [100]]), 160, axis=1).repeat(12, axis=0))[
            22:26, 0
        ]
        * 127.5
        + 127.5,
        [0, 25, 75, 100],
        atol=2,
    )


class Session:
    """Reads the mean of a line's first 48 columns as a class, from frame to frame the same; keeps the
    batches.
    """

    def __init__(self):
        self.batches = []

    def run(self, outputs, inputs):
        ((name, batch),) = inputs.items()
        assert outputs is None and name == 'x'
        self.batches.append(batch.shape)
        classes = np.rint((batch[:, 1, :, :48].mean((1, 2)) + 1.0) * 127.5).astype(int)
        return [np.eye(256)[classes][:, np.newaxis].repeat(3, axis=1)]


def test_lines_come_back_in_their_order_and_are_read_eight_at_a_time():
    reader = independent_reader.IndependentReader.__new__(independent_reader.IndependentReader)
    reader._session, reader._input, reader._classes = (
        Session(),
        'x',
        [chr(0x4E00 + number) for number in range(256)],
    )
    greys = list(range(40, 60))
    read = reader.read([np.full([48, 350 if grey % 2 else 60], grey, np.uint8) for grey in greys])
    assert read == [chr(0x4E00 + grey) for grey in greys]
    assert reader._session.batches == [(8, 3, 48, 320), (2, 3, 48, 320), (8, 3, 48, 350), (2, 3, 48, 350)]


def test_repeats_fall_together_and_blanks_go():
    reader = independent_reader.IndependentReader.__new__(independent_reader.IndependentReader)
    reader._classes = ['', *'abc', ' ']
    for best, text in (
        ([1, 1, 0, 1, 2, 2], 'aab'),
        ([0, 0, 3], 'c'),
        ([1, 2, 1], 'aba'),
        ([0], ''),
        ([2, 4, 4, 2], 'b b'),
        ([3, 3, 3], 'c'),
    ):
        assert reader._decode(np.array(best)) == text


def test_folding():
    assert independent_reader.folded('“Ａ１，b！”　‘c’ 。') == '"A1,b!"\'c\'。'
    # Unlike NFKC: an ellipsis is one character, no ideograph becomes another; a radical is the ideograph of
    # its shape.
    # from the first to the last of the full-width forms, and no further
    assert independent_reader.folded('！～０Ｚ\uff00｟') == '!~0Z\uff00｟'
    assert independent_reader.folded('„“”‘’«») \t\n\u2003') == '"""\'\'«»)'
    assert independent_reader.folded('…⼀\u200b\uf90a') == '…一金'


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(independent_reader.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(independent_reader.ReaderUnavailableError, match=r'pip install "hwgen\[reader\]"'):
        independent_reader.IndependentReader()
    for missing in ('rapidocr', 'onnxruntime'):
        monkeypatch.setattr(
            independent_reader.importlib.util,
            'find_spec',
            lambda name, missing=missing: None if name == missing else object(),
        )
        with pytest.raises(independent_reader.ReaderUnavailableError, match='needs rapidocr and onnxruntime'):
            independent_reader.IndependentReader()


@needs_reader
def test_another_release_without_the_model_is_named(monkeypatch):
    monkeypatch.setattr(independent_reader, 'MODEL_FILE', 'another.onnx')
    with pytest.raises(
        independent_reader.ReaderUnavailableError,
        match=r'another.onnx: no such file; expected the model of rapidocr 3.10: pip install',
    ):
        independent_reader.IndependentReader()
