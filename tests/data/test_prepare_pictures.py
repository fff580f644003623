"""Pictures that are no lines, and grey paper, through `prepare --source=folder` and `--inspect`."""

import json

import numpy as np
import pytest
from PIL import Image
from preparing import prepare_folder

from hwgen.data.formats import registry
from hwgen.data.formats.format import Part
from hwgen.data.formats.samples import Picture
from hwgen.data.preparing import inspection
from hwgen.data.preparing.conversion import Converter, Tally
from hwgen.data.reading import shards
from hwgen.data.reading.records import decode_png
from tests.data.test_paper import LINE, photograph

ODD = {
    'inverted.png': (255 - LINE, 'dark'),
    'black.png': (LINE * 0, 'black'),
    'blank.png': (LINE * 0 + 255, 'blank'),
    'one.png': (LINE[:1, :1], 'tiny'),
}


@pytest.fixture
def odd(tmp_path):
    """20 lines, 8 of them on grey paper, one with 12 bits in 16; and four pictures that are none."""
    folder = tmp_path / 'odd'
    folder.mkdir()
    for i in range(20):
        Image.fromarray(photograph(LINE, paper=190 + i, gradient=0.2, noise=3) if i < 8 else LINE).save(
            folder / f'{i}.png'
        )
    Image.fromarray((LINE * 16.0).astype(np.uint16)).save(folder / '19.png')
    rows = [f'{i}.png\t{"天地玄黄"[i % 4]}' for i in range(20)]
    (folder / 'labels.tsv').write_text('\n'.join(rows), encoding='utf-8')
    return folder


def spoil(folder):
    for name, (picture, _) in ODD.items():
        Image.fromarray(picture).save(folder / name)
    with open(folder / 'labels.tsv', 'a', encoding='utf-8') as file:
        file.write(''.join(f'\n{name}\t天' for name in ODD))


ALONE = dict(validation_share=0, test_share=0)


def images_of(folder):
    index = shards.RecordIndex(folder, split='train')
    return [index.read_record(i).image for i in range(len(index))]


def test_grey_paper_becomes_white_and_is_counted(odd, tmp_path):
    said = []
    info = prepare_folder(tmp_path / 'out', images=odd, height_px=80, report=said.append, **ALONE)
    assert info['settings']['paper'] == 'flattened' and any(
        '8 of 20 pictures with grey paper: made white (--keep_paper keeps it)' in line for line in said
    )
    images = images_of(tmp_path / 'out')
    assert all(np.median(image) >= 254 and image.min() < 70 for image in images)
    assert (
        sum(np.array_equal(image, LINE) for image in images) >= 11
        and np.abs(images[19].astype(int) - LINE).max() <= 1
    )
    report = json.loads((tmp_path / 'out' / 'report.json').read_text(encoding='utf-8'))
    assert (
        report['remarks'] == {'grey paper': 8}
        and report['files'] == {'png': 20}
        and report['class_histogram'] == dict.fromkeys('地天玄黄', 5)
    )
    assert (tmp_path / 'out' / 'rejected.tsv').read_text() == '' and np.asarray(
        Image.open(tmp_path / 'out' / 'sheet.png')
    ).shape[1] == 1200
    with pytest.raises(FileExistsError, match="paper 'flattened', now None"):
        prepare_folder(
            tmp_path / 'out', images=odd, height_px=80, keep_paper=True, report=said.append, **ALONE
        )
    said.clear()
    info = prepare_folder(
        tmp_path / 'kept', images=odd, height_px=80, keep_paper=True, report=said.append, **ALONE
    )
    assert 'paper' not in info['settings'] and any(
        '8 of 20 pictures with grey paper: kept' in line for line in said
    )
    np.testing.assert_array_equal(images_of(tmp_path / 'kept')[0], np.asarray(Image.open(odd / '0.png')))


@pytest.mark.parametrize('labels', ['labels.tsv', None])
def test_pictures_that_are_no_lines_are_named(odd, tmp_path, labels):
    spoil(odd)
    with pytest.raises(
        ValueError, match=r'row 21 \(inverted.png\): ink on black' if labels else 'black.png: a black picture'
    ):
        prepare_folder(tmp_path / 'out', images=odd, labels=labels, report=print, **ALONE)
    said = []
    info = prepare_folder(
        tmp_path / 'out', images=odd, labels=labels, on_error='skip', report=said.append, **ALONE
    )
    assert (
        info['skipped'] == {'dark': 1, 'black': 1, 'blank': 1, 'tiny': 1}
        and info['splits']['train']['records'] == 20
    )
    rejected = (tmp_path / 'out' / 'rejected.tsv').read_text()
    for name, (_, reason) in ODD.items():
        assert sum(name in line and line.startswith('skipped: ') for line in said) == 1
        assert any(row.startswith(f'{reason}\t') and name in row for row in rejected.splitlines())
    assert (tmp_path / 'out' / 'sheet.png').exists()
    info = prepare_folder(
        tmp_path / 'turned',
        images=odd,
        labels=labels,
        on_error='skip',
        dark='invert',
        height_px=80,
        report=said.append,
        **ALONE,
    )
    assert info['skipped'] == {'black': 1, 'blank': 1, 'tiny': 1} and info['settings']['dark'] == 'invert'
    assert '1 of 21 pictures of ink on black: turned over' in '\n'.join(said)
    assert all(np.median(image) >= 254 for image in images_of(tmp_path / 'turned'))


def test_inspection_counts_them(odd):
    spoil(odd)
    said = []
    inspection.inspect(odd, report=said.append)
    for line in (
        '8 of 24 with grey paper',
        '1 of 24 dark (ink on black?',
        '1 of 24 nearly black',
        '1 of 24 without ink',
        '1 of 24 lower or narrower than 4 px',
    ):
        assert any(found.startswith(line) for found in said), line
    (odd / 'labels.tsv').unlink()
    (odd / 'IMG_7.HEIC').write_bytes(b'?')
    said.clear()
    inspection.inspect(odd, report=said.append)
    assert (
        said[0].endswith('pictures without a table')
        and 'IMG_7.HEIC' in said[1]
        and any(line.startswith('8 of 24 with grey paper') for line in said)
    )
    said.clear()
    inspection.inspect(odd / 'inverted.png', report=said.append)
    assert ', dark' in said[1] and said[-1].startswith('1 of 1 dark')


def test_pictures_of_collections():
    """A data base has pictures as they were taken; CASIA's and IAM's lines have white paper when they are
    read, and stay.
    """
    grey = photograph(LINE, paper=200, noise=3)
    pictures = [grey, LINE, 255 - LINE, LINE * 0 + 255, LINE * 0]

    def convert(kind, **settings):
        samples = [
            Picture(image=picture, text='天', writer='', record=i, offset=0)
            for i, picture in enumerate(pictures, 1)
        ]
        part, tally = (
            Part(
                name='x',
                kind=kind,
                writer='',
                partition='',
                num_bytes=1,
                read=lambda refuse: iter(samples),
                format=registry.find_formats()[kind],
            ),
            Tally(skip=True),
        )
        found = [
            decode_png(record.image)
            for record in Converter(tally, height_px=80, pen_px=2, shortest=1, longest=9, **settings).records(
                part, None
            )
            if record
        ]
        return found, dict(tally.skipped), dict(tally.remarks), list(tally.rejected)

    faults = {'dark': 1, 'blank': 1, 'black': 1}
    found, skipped, remarks, rejected = convert('lmdb')
    assert (
        (skipped, remarks) == (faults, {'grey paper': 1})
        and np.median(found[0]) == 255
        and np.array_equal(found[1], LINE)
    )
    assert rejected[0].startswith('x, sample 3, byte 0: ink on black?')
    for kind, settings in (('iam', {}), ('dgrl', {}), ('lmdb', {'keep_paper': True})):
        found, skipped, remarks, _ = convert(kind, **settings)
        assert (skipped, remarks) == (faults, {'grey paper': 1}) and np.array_equal(found[0], grey)
    assert convert('dgrl', dark='invert')[1:3] == ({'blank': 1, 'black': 1}, {'grey paper': 1, 'inverted': 1})
    assert convert('gnt')[1:3] == ({'blank': 1}, {})  # characters are cut so closely that a dash is all ink
