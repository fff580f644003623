"""Which file a name of a table that is not there may have meant."""

import os
import pathlib

import pytest

from hwgen.data.formats.near_names import near_name


@pytest.fixture
def scans(tmp_path):
    for name in (
        'a.png',
        'Sub/B.png',
        'Sub/deep/c.tif',
        'Sub/B.txt',
        'both.PNG',
        'Both.jpg',
        'x.txt',
        'straße.png',
        'Amé.png',
        'dot.v2.png',
        'page.png/inner.png',
    ):
        path = tmp_path / 'scans' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / 'scans'


@pytest.mark.parametrize(
    'name, meant',
    [
        ('A.png', 'a.png'),
        ('a.tif', 'a.png'),
        ('a', 'a.png'),
        ("'a.png'", 'a.png'),
        ('"a.png";', 'a.png'),
        (' a.png , ', 'a.png'),
        ('./a.png', 'a.png'),
        ('sub/b.PNG', 'Sub/B.png'),
        ('sub\\b.png', 'Sub/B.png'),
        ('SUB//B.jpg', 'Sub/B.png'),
        ('sub/DEEP/C.png', 'Sub/deep/c.tif'),
        ('home/anna/sub/b.png', 'Sub/B.png'),
        ('home/a.png', 'a.png'),
        ('/home/a.png', 'a.png'),
        *((name, 'a.png') for name in ('a;', 'a,', "'a'", '"a', ' a ')),
        ('sub/a.png', 'a.png'),  # folders before it that are none
        ('STRASSE.png', 'straße.png'),  # as case folding has it
        ('Ame\u0301.jpg', 'Amé.png'),
        ('dot.v2', 'dot.v2.png'),
        ('dot.v2.tif', 'dot.v2.png'),
        ('sub/b.txt', 'Sub/B.txt'),  # a text file by its own name, ...
        ('x.png', None),  # ... but none in the place of a picture
        ('page.png', None),  # a folder is no picture
        ('deep/c.tif', None),
        ('b.png', None),
        ('other.png', None),
        ('', None),
        ('a.png/b', None),
        ('sub', None),
    ],
)
def test_what_is_meant(scans, name, meant):
    assert near_name(scans, scans / name) == meant


def test_of_names_that_are_alike_the_own_suffix_counts_then_the_first(scans):
    assert (
        near_name(scans, scans / 'BOTH.png') == 'both.PNG'
        and near_name(scans, scans / 'BOTH.jpg') == 'Both.jpg'
    )
    assert near_name(scans, scans / 'both.tif') == 'Both.jpg'  # in the order of names, B before b
    (scans / 'A.PNG').touch()
    (scans / 'aa.tif').touch()
    assert near_name(scans, scans / 'a.PNG') == 'A.PNG'


def test_a_name_from_elsewhere_and_a_folder_that_changed(scans):
    assert near_name(scans, pathlib.Path('/elsewhere/sub/b.png')) == 'Sub/B.png'
    assert near_name(scans, scans / 'new.png') is None
    (scans / 'New.png').touch()
    os.utime(scans, ns=(1, 1))  # whatever the clock's resolution
    assert near_name(scans, scans / 'new.png') == 'New.png'
    assert near_name(scans / 'none', scans / 'none' / 'a.png') is None
