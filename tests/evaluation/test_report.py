"""What a report holds: the figures as they were given, all lines, a picture large enough for its rows."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from hwgen.evaluation import protocols, report
from hwgen.metrics import text as text_metrics


def condition(name, texts, readings, *, width_px=96):
    images = [np.full((32, width_px), 40, np.uint8) for _ in texts]
    return protocols.Condition(name, images, texts, readings, text_metrics.edit_counts(texts, readings), 0)


@pytest.fixture
def conditions():
    texts = ['abc', 'def']
    return [condition('real_seen', texts, ['abc', 'def']), condition('generated_seen', texts, ['abd', '']),
            condition('real_unseen', ['xyz'], ['xyz'])]


def write(tmp_path, conditions):
    summaries = [one.summary(seed=0) for one in conditions]
    facts = {'protocol': 'reader', 'reader': 'somebody', 'seed': 0, 'data': {'folder': 'lines', 'version': 2}}
    return report.write_report(tmp_path / 'out', conditions, summaries, title='Figures', facts=facts, font=ImageFont.load_default(22)), summaries


def test_files_hold_the_figures(tmp_path, conditions):
    paths, summaries = write(tmp_path, conditions)
    # generated: c -> d is one error, the empty line three; 4 of 6.
    assert summaries[1]['cer'] == pytest.approx(4 / 6, abs=1e-12)
    page = paths['md'].read_text(encoding='utf-8')
    assert page.startswith('# Figures\n') and '| generated seen | 2 | 6 | 0.667 |' in page and '- data: {"folder": "lines", "version": 2}' in page
    assert paths['tsv'].read_text(encoding='utf-8').splitlines() == [
        'kind\ttext\treading\terrors', 'real_seen\tabc\tabc\t0', 'real_seen\tdef\tdef\t0', 'generated_seen\tabc\tabd\t1', 'generated_seen\tdef\t\t3',
        'real_unseen\txyz\txyz\t0']
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['reader.md', 'reader.png', 'reader.tsv']


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
    alone = np.asarray(report.draw_sheet(conditions[2:], font=ImageFont.load_default(22)).convert('L'))
    assert max((row == 40).sum() for row in alone) == 192


def test_long_lines_are_cut_on_the_sheet(conditions):
    sheet = report.draw_sheet([condition('real_seen', ['a'], ['b'], width_px=5000)], font=ImageFont.load_default(22))
    assert sheet.width < 1700
