"""The strokes of letters, digits, punctuation and signs: all there, in their boxes, and legible to a
reader that has never seen them.
"""

import importlib.util
import string

import cv2
import numpy as np
import pytest

from hwgen.charset.symbols import NARROW, SYMBOLS
from hwgen.data.scribe.symbol_strokes import symbol_strokes, written_symbols

LETTERS_AND_DIGITS = string.digits + string.ascii_letters
# Every letter and digit at least twice, in company that leaves no doubt whether it is a capital.
WORDS = (
    'quick brown jumps over lazy dog box five wizards juggle hexagonal quartz zigzag kitchen question vivid'
    ' texts enjoy water paper film Apple April Book Beijing Cat China David Dear English Every Friday France'
    ' Green Good Henry Hello Ice India June John King Kate London Lucy Monday Music Night Nancy October'
    ' Oxford Peter Paris Queen Quite Robert Room Sunday Sam Table Tom Uncle Under Victor Vivian Water Wang'
    ' Xiamen Xu Yellow York Zebra Zhang 20316 95847 80273 41596 36925 71084'
).split()


def all_shapes():
    return [(symbol, shape) for symbol in sorted(written_symbols()) for shape in symbol_strokes(symbol)]


def write_line(shapes, *, em_px=64, pen_em=0.055):
    """uint8 [H, W]: the shapes one beside the other, drawn with a round pen."""
    scale = 2 * em_px  # drawn twice as large, then shrunk
    image = np.full(
        (int(1.35 * scale), int((sum(shape.advance for shape in shapes) + 0.8) * scale)), 255, np.uint8
    )
    left = 0.4
    for shape in shapes:
        for stroke in shape.strokes:
            points = ((stroke + [left, 0.14]) * scale * 8).round().astype(np.int32)  # 3 fractional bits
            cv2.polylines(image, [points], False, 20, round(pen_em * scale), cv2.LINE_AA, 3)
        left += shape.advance
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def test_every_symbol_can_be_written():
    assert written_symbols() >= set(SYMBOLS)
    assert [len(symbol_strokes(symbol)) > 0 for symbol in SYMBOLS] == [True] * len(SYMBOLS)


def test_strokes_lie_in_their_box():
    for symbol, shape in all_shapes():
        place = symbol, shape.name
        assert shape.name and 0 < shape.advance <= 1, place
        assert bool(shape.strokes) == (symbol != ' '), place
        for stroke in shape.strokes:
            assert (
                stroke.dtype == np.float32
                and stroke.ndim == 2
                and len(stroke) >= 2
                and not stroke.flags.writeable
            ), place
            assert stroke[:, 0].min() >= -0.12 and stroke[:, 0].max() <= shape.advance + 0.12, place
            assert stroke[:, 1].min() >= 0 and stroke[:, 1].max() <= 1.15, place
            # a dot, too, is a stroke that can be seen
            assert np.linalg.norm(np.diff(stroke, axis=0), axis=1).sum() > 0.02, place


def test_people_differ():
    assert not [symbol for symbol in LETTERS_AND_DIGITS if len(symbol_strokes(symbol)) < 2]
    for symbol, shape in all_shapes():
        others = [other for other in symbol_strokes(symbol) if other is not shape]
        assert shape.name not in {other.name for other in others}
        for other in others:
            assert [s.tolist() for s in other.strokes] != [s.tolist() for s in shape.strokes], (
                symbol,
                shape.name,
                other.name,
            )


def test_marks_stand_where_chinese_handwriting_puts_them():
    def box(symbol):
        shape = symbol_strokes(symbol)[0]
        points = np.concatenate(shape.strokes)
        return shape.advance, *points.min(0), *points.max(0)

    assert all(
        symbol_strokes(symbol)[0].advance == (1 if symbol not in NARROW else pytest.approx(0.5, abs=0.4))
        for symbol in SYMBOLS
        if symbol != ' '
    )
    for mark in '，。、．':
        _, left, top, right, _ = box(mark)
        assert right < 0.5 and top > 0.5, mark
    for opening, closing in ('（）', '〔〕', '〈〉', '《》', '「」', '『』', '〖〗', '【】', '‘’', '“”'):
        assert box(opening)[1] >= 0.5 and box(closing)[3] <= 0.5, opening + closing
    _, left, top, right, bottom = box('—')
    assert left < 0.1 and right > 0.9 and top > 0.4 and bottom < 0.6
    for capital in string.ascii_uppercase + string.digits:
        _, _, top, _, bottom = box(capital)
        assert top == pytest.approx(0.18, abs=0.03) and (
            bottom == pytest.approx(0.84, abs=0.03) or capital == 'Q'
        ), capital


def test_a_space_is_no_stroke_and_what_is_missing_is_named():
    (blank,) = symbol_strokes(' ')
    assert blank.strokes == () and blank.advance == 0.45
    with pytest.raises(LookupError, match="'字': no strokes in symbols.txt"):
        symbol_strokes('字')


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / 'mine.txt'
    path.write_text(
        '# A comment.\n\nU+0023\t.5\tplain\t10,10 40,80\n;\t.3\tplain\t10,10 20,20; 10,60 10,90\n',
        encoding='utf-8',
    )
    assert written_symbols(path=path) == {'#', ';', ' '}
    (shape,) = symbol_strokes(';', path=path)
    assert (shape.name, shape.advance, len(shape.strokes)) == ('plain', 0.3, 2)
    np.testing.assert_allclose(shape.strokes[0], [[0.1, 0.1], [0.2, 0.2]])
    np.testing.assert_allclose(symbol_strokes('#', path=path)[0].strokes[0], [[0.1, 0.1], [0.4, 0.8]])


@pytest.mark.parametrize(
    'row, told',
    [
        ('a\t.5\tplain', '3 fields'),
        ('ab\t.5\tplain\t1,1 2,2', "symbol 'ab'"),
        ('\t.5\tplain\t1,1 2,2', "symbol ''"),
        ('U+XY\t.5\tplain\t1,1 2,2', "symbol 'U\\+XY'"),
        ('U+110000\t.5\tplain\t1,1 2,2', "symbol 'U\\+110000'"),
        ('a\twide\tplain\t1,1 2,2', 'wide'),
        ('a\t0\tplain\t1,1 2,2', 'advance 0'),
        ('a\tnan\tplain\t1,1 2,2', 'advance nan'),
        ('a\t.5\tplain\t1,1 2,x', "stroke 1, '2,x'"),
        ('a\t.5\tplain\t1,1 2,2\na\t.5\tplain\t1,1 3,3', 'another name'),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, row, told):
    path = tmp_path / 'symbols.txt'
    path.write_text(f'# A comment.\n{row}\n', encoding='utf-8')
    with pytest.raises(ValueError, match=f'symbols.txt, row [23]: .*{told}'):
        symbol_strokes('a', path=path)


def test_the_table_of_symbols_is_this_one():
    """Golden: number of ways, strokes, and sum of all coordinates by their number; a version of the corpus
    stands for these shapes.
    """
    shapes = [shape for _, shape in all_shapes()]
    points = np.concatenate([stroke for shape in shapes for stroke in shape.strokes]).astype(float)
    total = (points * np.cos(np.arange(points.size)).reshape(points.shape)).sum()
    np.testing.assert_allclose(
        (
            len(shapes),
            sum(len(shape.strokes) for shape in shapes),
            len(points),
            sum(shape.advance for shape in shapes),
            total,
        ),
        TABLE,
        atol=1e-4,
    )


TABLE = (553, 1052, 18535, 385.91, 13.93043)


def test_the_widest_advance(tmp_path):
    path = tmp_path / 'wide.txt'
    path.write_text(
        'a\t2\tplain\t1,1 2,2\nb\t2.01\tplain\t1,1 2,2\nc\t-.1\tplain\t1,1 2,2\n', encoding='utf-8'
    )
    assert symbol_strokes('a', path=path)[0].advance == 2
    for wrong in 'bc':
        with pytest.raises(ValueError, match='expected em between 0 and 2'):
            symbol_strokes(wrong, path=path)
    assert symbol_strokes(' ', path=path)[0].name == 'blank'


@pytest.mark.skipif(
    importlib.util.find_spec('rapidocr') is None or importlib.util.find_spec('onnxruntime') is None,
    reason='needs the extra `reader` (rapidocr, onnxruntime)',
)
@pytest.mark.slow
def test_an_independent_reader_reads_every_way_of_writing_letters_and_digits():
    from hwgen.charset.reading_form import folded
    from hwgen.evaluation.judges.independent_reader import IndependentReader

    reader = IndependentReader()
    # One word for each shape, all other letters in their plainest shape; what is misread may try with another
    # word.
    left = [(symbol, shape) for symbol in LETTERS_AND_DIGITS for shape in symbol_strokes(symbol)]
    for attempt in range(2):
        words = [[word for word in WORDS if symbol in word][attempt] for symbol, _ in left]
        lines = [
            write_line([shape if c == symbol else symbol_strokes(c)[0] for c in word])
            for (symbol, shape), word in zip(left, words)
        ]
        texts = reader.read(lines)
        left = [item for item, word, text in zip(left, words, texts) if folded(text) != word]
    assert not left, [(symbol, shape.name) for symbol, shape in left]
