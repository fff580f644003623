"""Results: figures over seeds against NumPy, files that are equal byte for byte, comparisons that say what differs, pages that hold what was measured."""

import json
import pathlib
import statistics
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from hwgen.evaluation import result_page, results

FIGURES = [{'fid_recognizer_25': {'floor': 2., 'generated': 3.}, 'copying_z_recognizer_25': {'floor': 0., 'generated': -1.}},
           {'fid_recognizer_25': {'floor': 4., 'generated': 3.5}, 'copying_z_recognizer_25': {'floor': .5, 'generated': -2.}},
           {'fid_recognizer_25': {'floor': 3., 'generated': 4.}, 'copying_z_recognizer_25': {'floor': -.5, 'generated': 0.}}]


def result(figures=None, **under):
    return {'protocol': 'hct', 'seeds': [0, 1, 2], 'measured_under': {'protocol': 'hct', 'lines_sha256': ['a', 'b', 'c'], **under},
            'figures': results.gather(figures or FIGURES)}


def test_mean_and_spread():
    fid, copying = results.gather(FIGURES)
    assert (fid['name'], fid['better'], copying['better']) == ('fid_recognizer_25', 'lower', None)
    assert fid['generated'] == {'values': [3., 3.5, 4.], 'mean': 3.5, 'spread': pytest.approx(statistics.stdev([3., 3.5, 4.]))}
    assert results.kinds(fid) == ['generated', 'floor'] and results.describe(fid['generated']) == '3.5 ± 0.5'
    single, _ = results.gather(FIGURES[:1])
    assert single['floor']['spread'] is None and results.describe(single['floor']) == '2'


def test_files_are_read_back_and_equal():
    for path in ('a.json', 'b.json'):
        results.write_result(path, result())
    assert pathlib.Path('a.json').read_bytes() == pathlib.Path('b.json').read_bytes()
    assert {name: value for name, value in results.read_result('a.json').items() if name != 'format'} == json.loads(json.dumps(result()))
    for content, message in ((None, 'no such file'), ('{', 'no JSON'), ('[]', 'not a result'), ('{"format": 2, "measured_under": {}}', 'of format 1')):
        if content is not None:
            pathlib.Path('c.json').write_text(content)
        with pytest.raises(results.ResultError, match=message):
            results.read_result('c.json')
    with pytest.raises(results.ResultError, match='no such file'):
        results.read_result('.')


def test_against_another():
    moved = [{name: {kind: value + shift for kind, value in values.items()} for name, values in figures.items()} for figures, shift in zip(FIGURES, (1., 1., 1.))]
    far = [{name: {kind: value + 9. for kind, value in values.items()} for name, values in figures.items()} for figures in FIGURES]
    rows = results.differences(result(), result(moved))
    assert rows[0] == {'name': 'fid_recognizer_25', 'kind': 'generated', 'here': 3.5, 'there': 4.5, 'difference': -1., 'within': True}
    assert len(rows) == 4 and not any(row['within'] for row in results.differences(result(), result(far)))
    assert results.differences(result(FIGURES[:1]), result())[0]['within'] is None
    assert results.differences(result(), {'figures': []}) == []
    here = result()['measured_under']
    results.check_comparable(here, result()['measured_under'], place='x.json')
    results.check_comparable({'protocol': 'hct'}, here, place='x.json')  # what is not known yet is not compared
    with pytest.raises(results.ResultError, match=r'x.json: measured under other conditions: lines_sha256 \["z"\] there, \["a", "b", "c"\] here'):
        results.check_comparable(here, {**here, 'lines_sha256': ['z']}, place='x.json')


def test_the_page():
    compared = results.differences(result(), result())
    page = result_page.format_page({**result(), 'model': '<b> & co'}, title='Figures', pictures=[('hct.png', 'Lines')], differences=compared, against='old.json')
    tree = ElementTree.fromstring(page.removeprefix('<!DOCTYPE html>\n'))  # well formed, so a browser shows it as it is meant
    text = ''.join(tree.itertext())
    assert '3.5 ± 0.5' in text and '<b> & co' in text and 'Against old.json' in text and 'within the spreads' in text and 'like the floor' in text
    assert [image.get('src') for image in tree.iter('img')] == ['hct.png']
    plots = list(tree.iter('svg'))
    assert len(plots) == 2 and [len(list(plot.iter('circle'))) for plot in plots] == [6, 6]
    # 0 to 4 over the plot's width: the seeds 3, 3.5, 4 lie at three quarters, seven eighths and the end.
    places = [float(dot.get('cx')) for dot in list(plots[0].iter('circle'))[:3]]
    np.testing.assert_allclose(places, [result_page._LABEL_PX + share * result_page._PLOT_PX for share in (.75, .875, 1.)])
    assert 'Against' not in result_page.format_page(result(), title='Figures')


def test_the_sheet():
    rows = [[np.zeros([48, 100], np.uint8), np.zeros([24, 30], np.uint8)], [np.zeros([96, 96], np.uint8), np.zeros([48, 20], np.uint8)]]
    result_page.write_sheet('sheet.png', rows)
    with Image.open('sheet.png') as sheet:
        pixels = np.asarray(sheet)
    # Columns of 100 + 48 and 60 + 48 px; rows of 48 px with a quarter between them.
    assert pixels.shape == (108, 256) and (pixels[:48, :100] == 0).all() and (pixels[60:, 148:168] == 0).all()
    assert (pixels[:48] == 0).sum() == 48 * (100 + 60) and (pixels[60:] == 0).sum() == 48 * (48 + 20)
