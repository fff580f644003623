"""Slant and size are made equal only where the flags say so, and info.json tells it."""

import numpy as np
import pytest
from foreign_files import dgr_bytes, dgrl_bytes, glyph, gnt_bytes, wptt_bytes
from PIL import Image
from preparing import prepare_collection, prepare_folder
from test_line_normalization import slanted, strokes
from test_prepare_collection import command, write

from hwgen.data.preparing import line_normalization as norm

QUIET = {'report': lambda line: None, 'validation_share': 0, 'test_share': 0}
SLANTS = {'001': -25, '002': 20}


def lines(writer):
    return [slanted(strokes(seed), SLANTS[writer]) for seed in range(3)]


def test_a_folder_and_pages(lines_of):
    """Each writer's slant is taken away, and the core takes half of the height."""
    table = []
    for writer in SLANTS:
        for i, image in enumerate(lines(writer)):
            write('scans', {f'{writer}/{i}.png': b''})
            Image.fromarray(image).save(f'scans/{writer}/{i}.png')
            table.append(f'{writer}/{i}.png\t天地玄黄')
    write('scans', {'labels.tsv': '\n'.join(table).encode()})
    write(
        'pages',
        {
            f'{writer}-P16.dgrl': dgrl_bytes([('天地玄黄', image) for image in lines(writer)])
            for writer in SLANTS
        },
    )
    for out, settings in (
        ('plain', {}),
        ('upright', {'deslant': True}),
        ('both', {'deslant': True, 'normalize_size': 0.5}),
    ):
        for kind in ('folder', 'pages'):
            if kind == 'folder':
                info = prepare_folder(f'{out}-folder', images='scans', **settings, **QUIET)
            else:
                info = prepare_collection(f'{out}-pages', path='pages', **settings, **QUIET)
            assert {
                name: value
                for name, value in info['settings'].items()
                if name in ('deslant', 'normalize_size')
            } == settings
            for _, line in lines_of(f'{out}-{kind}'):
                expected = 0 if settings else SLANTS[line.writer]
                assert abs(norm.estimate_slant([line.image]) - expected) <= 3
                if 'normalize_size' in settings:
                    top, bottom = norm.core_rows(norm.ink_mask(line.image))
                    rows = np.flatnonzero(norm.ink_mask(line.image).any(1))
                    assert (
                        abs((bottom - top) / len(line.image) - 0.5) < 0.05
                        or rows[0] <= 1
                        or rows[-1] >= len(line.image) - 2
                    )
    with pytest.raises(FileExistsError, match='deslant None, now True'):
        prepare_folder('plain-folder', images='scans', deslant=True, **QUIET)
    with pytest.raises(FileExistsError, match='deslant True, now None'):
        prepare_folder('upright-folder', images='scans', **QUIET)


def test_lines_of_unknown_writers_are_taken_one_by_one(lines_of):
    write(
        'pages',
        {
            'page.dgrl': dgrl_bytes(
                [('天地', lines(writer)[0]) for writer in SLANTS] + [('玄', np.full((40, 50), 255, np.uint8))]
            )
        },
    )
    settings = dict(path='pages', deslant=True, normalize_size=0.5, partition='train', **QUIET)
    with pytest.raises(ValueError, match=r'page.dgrl, line 3, byte \d+: no ink \(grey levels 255 to 255\)'):
        prepare_collection('out', **settings)
    info = prepare_collection('out', on_error='skip', **settings)
    first, second = [line for _, line in lines_of('out')]
    assert (
        info['skipped'] == {'blank': 1}
        and 'paper' not in info['settings']
        and all(abs(norm.estimate_slant([line.image])) <= 2 for line in (first, second))
    )


def test_boxes_and_ink_and_characters(lines_of):
    bar = np.zeros((40, 6), np.uint8)
    # 22 degrees to the right
    slope = [[(100 + 4 * i + x, 500 - 10 * i) for i in range(40)] for x in (0, 300, 600)]
    rng = np.random.default_rng(0)
    write(
        'mixed',
        {
            '006-P16.dgr': dgr_bytes([[('天', 10, 20, bar), ('地', 10, 60, bar)]]),
            '501-P14.wptt': wptt_bytes(slope, [('川', [0, 1, 2])]),
            '1001-c.gnt': gnt_bytes([('一', np.zeros((4, 60), np.uint8)), ('天', glyph(rng, 80, 70))]),
        },
    )
    prepare_collection('out', path='mixed', deslant=True, normalize_size=0.5, **QUIET)
    found = {line.text: line for _, line in lines_of('out')}
    page = found['天地']
    assert page.image.shape[0] == 64 and page.boxes is not None
    for x0, y0, x1, y1 in page.boxes:
        assert (page.image[y0:y1, x0:x1] < 128).mean() > 0.9
    assert abs(norm.estimate_slant([found['川'].image])) <= 2
    # flat, as among the others
    assert found['一'].image.shape == (64, 64) and (found['一'].image < 128).any(1).sum() <= 6


def test_not_for_the_embedded_corpus():
    for flag in ('--deslant', '--normalize_size=.5', '--keep_paper', '--dark=invert'):
        failed = command('--out=x', flag)
        assert failed.returncode == 2 and '--keep_paper and --dark are for writing of others' in failed.stderr
