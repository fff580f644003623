"""What a report holds: the figures as they were given, all lines, a picture large enough for its rows."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from hwgen.evaluation.measuring import reading, reading_report
from hwgen.metrics import text as text_metrics


def condition(name, texts, readings, *, width_px=96):
    images = [np.full((32, width_px), 40, np.uint8) for _ in texts]
    return reading.Condition(name, images, texts, readings, text_metrics.edit_counts(texts, readings), 0)


@pytest.fixture
def conditions():
    texts = ['abc', 'def']
    return [
        condition('real_seen', texts, ['abc', 'def']),
        condition('generated_seen', texts, ['abd', '']),
        condition('real_unseen', ['xyz'], ['xyz']),
    ]


def write(tmp_path, conditions):
    summaries = [one.summary(seed=0) for one in conditions]
    facts = {'protocol': 'reader', 'reader': 'somebody', 'seed': 0, 'data': {'folder': 'lines', 'version': 2}}
    return (
        reading_report.write_report(
            tmp_path / 'out',
            conditions,
            summaries,
            title='Figures',
            facts=facts,
            font=ImageFont.load_default(22),
        ),
        summaries,
    )


def test_files_hold_the_figures(tmp_path, conditions):
    paths, summaries = write(tmp_path, conditions)
    # generated: c -> d is one error, the empty line three; 4 of 6.
    assert summaries[1]['cer'] == pytest.approx(4 / 6, abs=1e-12)
    page = paths['md'].read_text(encoding='utf-8')
    assert (
        page.startswith('# Figures\n')
        and '| generated seen | 2 | 6 | 0.667 |' in page
        and '- data: {"folder": "lines", "version": 2}' in page
    )
    assert paths['tsv'].read_text(encoding='utf-8').splitlines() == [
        'kind\ttext\treading\terrors',
        'real_seen\tabc\tabc\t0',
        'real_seen\tdef\tdef\t0',
        'generated_seen\tabc\tabd\t1',
        'generated_seen\tdef\t\t3',
        'real_unseen\txyz\txyz\t0',
    ]
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'reader.md',
        'reader.png',
        'reader.tsv',
    ]


def test_a_tab_that_was_read_is_no_column(tmp_path):
    paths, _ = write(tmp_path, [condition('real_seen', ['abc'], ['a\tc'])])
    assert paths['tsv'].read_text(encoding='utf-8').splitlines()[1:] == ['real_seen\tabc\ta c\t1']


def test_a_second_report_replaces_the_first_and_equals_it(tmp_path, conditions):
    first = {kind: path.read_bytes() for kind, path in write(tmp_path, conditions)[0].items()}
    second = {kind: path.read_bytes() for kind, path in write(tmp_path, conditions)[0].items()}
    assert first == second


def test_the_sheet_sets_equal_texts_side_by_side(tmp_path, conditions):
    with Image.open(write(tmp_path, conditions)[0]['png']) as sheet:
        pixels = np.asarray(sheet.convert('L'))
    # Ink of the two pictures of the first row, at twice their size: 192 px each, in one row of the sheet.
    assert max((row == 40).sum() for row in pixels) == 2 * 192
    alone = np.asarray(
        reading_report.draw_sheet(conditions[2:], font=ImageFont.load_default(22)).convert('L')
    )
    assert max((row == 40).sum() for row in alone) == 192


def test_long_lines_are_cut_on_the_sheet(conditions):
    sheet = reading_report.draw_sheet(
        [condition('real_seen', ['a'], ['b'], width_px=5000)], font=ImageFont.load_default(22)
    )
    assert sheet.width < 1700


def colours(image):
    return {tuple(colour) for _, colour in image.getcolors(1 << 24)}


RIGHT, WRONG, TEXT, FRAME = (20, 110, 40), (180, 30, 30), (110, 110, 110), (220, 220, 220)


def test_what_was_misread_is_red_with_what_was_written_beside_it():
    def draw(*readings):
        return reading_report.draw_sheet(
            [condition('x', ['abc'] * len(readings), list(readings))], font=ImageFont.load_default(22)
        )

    assert {RIGHT, TEXT, FRAME} <= colours(draw('abc')) and WRONG not in colours(draw('abc'))
    # (nothing)
    assert (
        {WRONG, TEXT, FRAME} <= colours(draw('abd'))
        and RIGHT not in colours(draw('abd'))
        and WRONG in colours(draw(''))
    )
    pixels = np.asarray(draw('abc', 'abd', 'abc'))

    def is_of(colour):
        return np.flatnonzero((pixels == colour).all(-1).any(1))

    # A row is 64 px of picture and 42 px of words, below a head of 44 px.
    assert is_of(WRONG).min() > 44 + 106 + 64 and is_of(WRONG).max() < 44 + 2 * 106
    assert (
        is_of(RIGHT).min() > 44 + 64
        and is_of(RIGHT).max() > 44 + 2 * 106 + 64
        and not set(is_of(RIGHT)) & set(is_of(WRONG))
    )
    assert (
        pixels.shape[0] == 44 + 3 * 106 + 10
        and (pixels[44:108, 10:202] == 40).all()
        and (pixels[43, 9:203] == 220).all()
    )
    # what was written, behind what was read
    beside = (pixels[44 + 106 + 64 : 44 + 2 * 106] == TEXT).all(-1).any(0).nonzero()[0]
    assert beside.min() > (pixels == WRONG).all(-1).any(0).nonzero()[0].max()


def test_the_sheet_is_as_large_as_what_is_on_it():
    font = ImageFont.load_default(22)

    def rows(number, **options):
        return reading_report.draw_sheet(
            [condition('x', ['abc'] * number, ['abc'] * number)], font=font, **options
        )

    assert [rows(number).height for number in (1, 12, 13, 40)] == [
        44 + 106 + 10,
        44 + 12 * 106 + 10,
        44 + 12 * 106 + 10,
        44 + 12 * 106 + 10,
    ]
    assert rows(9, lines_on_sheet=2).height == 44 + 2 * 106 + 10 and rows(1).width == 192 + 20
    two = reading_report.draw_sheet(
        [condition('x', ['abc'], ['abc']), condition('y', ['abd'], ['abd'], width_px=200)], font=font
    )
    # other texts stand below
    assert (
        two.size == (400 + 20, 2 * (44 + 106 + 10))
        and (np.asarray(two)[44 + 160 : 108 + 160, 10:410] == 40).all()
    )
    narrow, wide = (
        reading_report.draw_sheet([condition('x', ['abc'], ['abc'], width_px=width)], font=font).width
        for width in (8, 900)
    )
    assert (narrow, wide) == (22 * 8 + 20, 1600 + 20)
    mixed = [condition('x', ['abc'], ['abc']), condition('y', ['abc'], ['abc'])]
    mixed[1].images[0] = np.full([48, 20], 7, np.uint8)
    # as high as the highest of a row; columns of their own widths
    pixels = np.asarray(reading_report.draw_sheet(mixed, font=font))
    assert (
        pixels.shape[:2] == (44 + 96 + 42 + 10, 192 + 20 + 176 + 20)
        and (pixels[44:140, 222:262] == 7).all()
        and (pixels[44:108, 10:202] == 40).all()
    )


def test_the_page_word_by_word(tmp_path):
    row = {
        'name': 'generated_seen',
        'num_lines': 20,
        'num_characters': 110,
        'num_unreadable_characters': 3,
        'cer': 0.12345,
        'cer_95_low': 0.1,
        'cer_95_high': 0.2,
        'accurate_rate': 0.87655,
        'correct_rate': 0.9,
        'normalized_edit_distance': 0.0625,
    }
    facts = {'protocol': 'reader', 'num_lines': 5, 'data': {'folder': '手'}}
    page = reading_report.format_markdown(
        [row, {**row, 'name': 'real_seen_true_aspect'}], title='T', facts=facts
    )
    lines = page.splitlines()
    assert (
        lines[0] == '# T'
        and lines[2]
        == '| lines | N lines | N characters | CER | 95 % interval | CR | AR | NED | unknown to the reader |'
    )
    assert lines[
        4
    ] == '| generated seen | 20 | 110 | 0.123 | 0.100 to 0.200 | 0.900 | 0.877 | 0.062 | 3 |' and lines[
        5
    ].startswith('| real seen true aspect | 20')
    assert (
        lines[-3:] == ['- protocol: reader', '- num lines: 5', '- data: {"folder": "手"}']
        and 'Symbol by symbol' not in page
    )
    more = reading_report.format_markdown([row], title='T', facts=facts, further='| a |')
    assert '\nSymbol by symbol, over all seeds:\n\n| a |\n- protocol: reader\n' in more
    assert reading_report.write_report.__kwdefaults__ == {'lines_on_sheet': 12, 'further': ''}
    one = condition('real_seen', ['abc'], ['abc'])
    paths = reading_report.write_report(
        tmp_path / 'x' / 'y',
        [one],
        [one.summary(seed=0)],
        title='T',
        facts=facts,
        font=ImageFont.load_default(22),
        lines_on_sheet=1,
        further='| b |',
    )
    assert '| b |' in paths['md'].read_text(encoding='utf-8') and paths == {
        kind: tmp_path / 'x' / 'y' / f'reader.{kind}' for kind in ('md', 'tsv', 'png')
    }
