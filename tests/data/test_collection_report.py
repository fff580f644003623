"""The reports beside prepared pictures, and what is told of them, from counts that are made by hand."""

import json
import re
import types

import numpy as np
import pytest

from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import collection_report
from hwgen.data.preparing.conversion import Tally
from hwgen.data.reading.records import decode_png


def tally():
    found = Tally(skip=True)
    found.classes.update({'玄': 3, '天': 7, '地': 3})
    found.outside.update({'Ж': 2, '\U0002a6a6': 5})
    found.codes.update({'ffff': 1, 'aa00': 4, 'ab00': 4})
    found.remarks.update({'inverted': 2, 'grey paper': 1})
    found.skipped['length'] = 4
    for message, reason in (
        ('b.png:\nno  ink\t(255)', 'blank'),
        ('a.png: \ud800', 'image'),
        ('c.png: none', 'image'),
    ):
        found.refuse(FormatError(message, reason=reason))
    return found


SPLITS = {
    'train': {'records': 30, 'shards': 1, 'writers': 2, 'characters': 70},
    'test': {'records': 5, 'shards': 1, 'writers': 1, 'characters': 9},
}


@pytest.fixture
def written(tmp_path):
    proposals = collection_report.write_report(
        tmp_path, tally(), files=['png', 'jpg', 'png'], writers_named=3, splits=SPLITS
    )
    return proposals, json.loads((tmp_path / 'report.json').read_text(encoding='utf-8')), tmp_path


def test_the_report(written):
    proposals, report, folder = written
    outside = report.pop('outside_the_dictionary')
    rows = report.pop('rows_that_add_them')
    assert report == {
        'files': {'jpg': 1, 'png': 2},
        'splits': SPLITS,
        'writers_named': 3,
        'classes': 3,
        'rejected': {'blank': 1, 'image': 2, 'length': 4},
        'remarks': {'grey paper': 1, 'inverted': 2},
        'codes_without_a_character': {'aa00': 4, 'ab00': 4, 'ffff': 1},
        'class_histogram': {'天': 7, '地': 3, '玄': 3},
    }
    assert [
        list(report[name])
        for name in ('files', 'rejected', 'remarks', 'codes_without_a_character', 'class_histogram')
    ] == [
        ['jpg', 'png'],
        ['blank', 'image', 'length'],
        ['grey paper', 'inverted'],
        ['aa00', 'ab00', 'ffff'],
        ['天', '地', '玄'],
    ]
    assert list(proposals) == list(outside) == ['\U0002a6a6', 'Ж'], 'the most frequent first'
    assert [(found['count'], found['code_point']) for found in outside.values()] == [
        (5, 'U+2A6A6'),
        (2, 'U+0416'),
    ]
    assert outside['Ж'] == {
        'count': 2,
        'code_point': 'U+0416',
        'sequence': None,
        'missing': ['Ж'],
        'nearest': '',
    }
    assert [row for row in rows if 'Ж' in row] == [
        'component\tЖ',
        'character\tЖ\tsym-wide\tЖ',
    ] and '\n' not in ''.join(rows)
    text = (folder / 'report.json').read_text(encoding='utf-8')
    assert '"天": 7' in text and text.startswith('{\n "files"') and text.endswith('}\n')


def test_the_list_of_what_cannot_be_used_has_a_row_for_each(written):
    assert (written[2] / 'rejected.tsv').read_text(
        encoding='utf-8'
    ) == 'blank\tb.png: no ink (255)\nimage\ta.png: \\ud800\nimage\tc.png: none\n'


def test_what_is_told(written):
    said = list(collection_report.told(tally(), proposals=written[0], splits=SPLITS, whitened=True))
    assert said[0] == '35 lines, 79 characters of 3 classes (report.json; sheet.png shows some)'
    assert said[1:3] == [
        '1 of 35 pictures with grey paper: made white (--keep_paper keeps it)',
        '2 of 35 pictures of ink on black: turned over',
    ]
    assert re.match(
        r'2 characters outside the dictionary: \U0002a6a6 U\+2A6A6 5.*, Ж U\+0416 2; of [12] the package'
        r' knows no decomposition$',
        said[3],
    )
    assert said[4].startswith(
        'to add them, append rows_that_add_them of report.json to hwgen/charset/tables/dictionary.tsv'
    )
    assert said[5] == '3 codes that decode to nothing: aa00 4, ab00 4, ffff 1'
    assert (
        said[6]
        == "left out 7 samples: {'blank': 1, 'image': 2, 'length': 4} (rejected.tsv has those that cannot be"
        ' used)'
        and len(said) == 7
    )


def test_nothing_is_told_of_what_was_not_found():
    assert list(collection_report.told(Tally(skip=True), proposals={}, splits={}, whitened=True)) == [
        '0 lines, 0 characters of 0 classes (report.json; sheet.png shows some)'
    ]
    short = Tally(skip=True)
    short.skipped['length'] = 2
    assert list(collection_report.told(short, proposals={}, splits={}, whitened=True))[1:] == [
        "left out 2 samples: {'length': 2}"
    ]


def test_a_folder_is_completed_with_its_sheet_before_it_is_published(tmp_path, monkeypatch):
    """The sheet has the first lines of sixty writers; what is told comes with the name of the folder."""
    asked, said = [], []

    def sheet(folder, firsts, *, most):
        asked.append((folder, list(firsts), most, (folder / 'info.json').exists()))
        return np.full((3, 5), 9, np.uint8)

    def publish(work, out_dir, info, *, report):
        asked.append((out_dir, info, sorted(path.name for path in work.path.iterdir())))
        return 'info'

    monkeypatch.setattr(collection_report, 'sheet_of_writers', sheet)
    monkeypatch.setattr(collection_report.record_folder, 'publish', publish)
    work = types.SimpleNamespace(path=tmp_path, first_records=lambda: iter([('train', 3)]))
    info = {'splits': SPLITS, 'charset': {'row_count': 1, 'hash': ''}}
    assert (
        collection_report.publish(
            work, 'out', info, tally(), files=['png'], writers_named=1, whitened=False, report=said.append
        )
        == 'info'
    )
    assert asked == [
        (tmp_path, [('train', 3)], 60, True),
        ('out', info, ['info.json', 'rejected.tsv', 'report.json', 'sheet.png']),
    ]
    assert said[0] == 'out: 35 lines, 79 characters of 3 classes (report.json; sheet.png shows some)'
    assert said[1] == 'out: 1 of 35 pictures with grey paper: kept, look at the sheet'
    np.testing.assert_array_equal(decode_png((tmp_path / 'sheet.png').read_bytes()), np.full((3, 5), 9))


def test_of_many_codes_and_characters_twenty_are_shown(tmp_path):
    many = Tally(skip=True)
    many.codes.update({f'{i:04x}': 30 - i for i in range(25)})
    many.outside.update({chr(0x400 + i): 30 - i for i in range(25)})
    proposals = collection_report.write_report(tmp_path, many, files=(), writers_named=0, splits={})
    said = list(collection_report.told(many, proposals=proposals, splits={}, whitened=False))
    assert (
        said[1].startswith('25 characters outside the dictionary: Ѐ U+0400 30, Ё U+0401 29, ')
        and 'U+0413 11; of 25 the package' in said[1]
    )
    assert 'U+0414' not in said[1]
    assert said[3].startswith('25 codes that decode to nothing: 0000 30, 0001 29, ') and said[3].endswith(
        ', 0013 11'
    )


def test_a_character_with_a_decomposition_is_told_with_it(tmp_path, charset):
    """One of the package's sequences that its dictionary does not hold; all of its components are there,
    or what is missing is named.
    """
    known = next(
        character
        for character in map(chr, range(0x3400, 0x4DB5))
        if charset.sequence(character) and character not in charset.characters
    )
    found = Tally(skip=True)
    found.outside[known] = 4
    proposals = collection_report.write_report(tmp_path, found, files=(), writers_named=0, splits={})
    line = list(collection_report.told(found, proposals=proposals, splits={}, whitened=False))[1]
    lacks = ''.join(proposals[known].missing) or 'nothing'
    assert (
        line
        == f'1 characters outside the dictionary: {known} U+{ord(known):04X} 4 ({charset.sequence(known)}'
        f' lacks {lacks})'
    )
