"""Folders of images whose rows, names or later changes would otherwise make wrong lines without a word."""

import hashlib
import json
import os
import pathlib
import shutil
import types

import numpy as np
import pytest
from PIL import Image
from preparing import prepare_folder

from hwgen.charset.encoding import Charset
from hwgen.data.formats.folder import LabelledImage
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import folder_lines
from hwgen.data.preparing.line_normalization import estimate_slant
from hwgen.data.preparing.prepare_folder import _by_writer
from hwgen.data.preparing.writer_splits import draw_writers
from hwgen.data.reading import shards


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 40)).astype(np.uint8)).save(path)


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Nine pictures and their table, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for i in range(9):
        picture(tmp_path / 'scans' / f'{i}.png', i)
    (tmp_path / 'scans' / 'labels.tsv').write_text(''.join(f'{i}.png\t明天\n' for i in range(9)))
    return tmp_path / 'scans'


def prepare(out='out', **settings):
    said = []
    return prepare_folder(out, **{'images': 'scans', 'report': said.append, **settings}), '\n'.join(said)


def counts(info):
    return {split: found['records'] for split, found in info['splits'].items()}


# ---- rows


@pytest.mark.parametrize('row', ['8.png\t', '8.png\t\t', '8.png\t\u200b', '8.png \t'])
def test_an_empty_label_is_a_row_that_cannot_be_used(scans, row):
    rows = (scans / 'labels.tsv').read_text().split('\n')
    (scans / 'labels.tsv').write_text('\n'.join([*rows[:8], row]) + '\n')
    with pytest.raises(
        FormatError, match=r'labels.tsv, row 9 \(8.png\): no text, expected at least one character'
    ):
        prepare()
    info, said = prepare(on_error='skip')
    assert info['skipped'] == {'text': 1} and 'skipped: scans/labels.tsv, row 9 (8.png): no text' in said


def test_rows_left_out_for_their_length_are_named(scans):
    (scans / 'labels.tsv').write_text('0.png\t明天\n1.png\t天地玄黄\n2.png\t地\n')
    info, said = prepare(min_characters=2, max_characters=3)
    assert info['skipped'] == {'length': 2}
    assert (
        'left out: scans/labels.tsv, row 2 (1.png): 4 characters, expected 2 to 3' in said
        and 'row 3 (2.png): 1 characters, expected 2 to 3' in said
    )


def test_of_many_rows_of_another_length_twenty_are_named(scans):
    (scans / 'labels.tsv').write_text('0.png\t明天\n' + '1.png\t地\n' * 20)
    info, said = prepare(min_characters=2)
    assert info['skipped'] == {'length': 20} and said.count('left out: scans/labels.tsv, row ') == 20
    assert 'row 21 (1.png): 1 characters, expected 2 or more' in said and ' more rows' not in said
    (scans / 'labels.tsv').write_text('0.png\t明天\n' + '1.png\t地\n' * 25)
    said = prepare('other', min_characters=2)[1]
    assert (
        said.count('left out: scans/labels.tsv, row ') == 20
        and 'left out: 5 more rows of another length' in said
    )


def test_what_info_and_report_say(scans, lines_of):
    """Lines of training stand in the order of their rows, whoever wrote them; writers that are named are
    counted.
    """
    (scans / 'labels.tsv').write_text(
        'path\ttext\twriter\n3.png\t明\tberta\n1.png\t地\tanna\n2.png\t明地\tberta\n0.png\tA\t\n'
    )
    (scans / 'labels.tsv').rename(scans / 'rows.tsv')
    info, said = prepare(
        labels='rows.tsv', height_px=10, validation_share=0, test_share=0, seed=8, max_characters=2
    )
    assert [
        (line.text, line.writer, line.source, line.image.shape) for _, line in lines_of(scans.parent / 'out')
    ] == [
        ('明', 'berta', 'folder', (10, 20)),
        ('地', 'anna', 'folder', (10, 20)),
        ('明地', 'berta', 'folder', (10, 20)),
        ('A', 'unknown 5', 'folder', (10, 20)),
    ]
    charset = Charset.load()
    assert (
        info['vocabulary'] == sorted(charset.encode('明地A').character_ids.tolist())
        and info['held_out'] == []
        and info['input']['files'] == 4
    )
    assert info['input']['tables'].keys() == {'rows.tsv'}
    assert info['settings'] == {
        'images': 'scans',
        'labels': 'rows.tsv',
        'height_px': 10,
        'min_characters': 1,
        'max_characters': 2,
        'validation_share': 0,
        'test_share': 0,
        'on_error': 'fail',
        'paper': 'flattened',
    }
    report = json.loads((scans.parent / 'out' / 'report.json').read_text())
    assert (
        report['writers_named'] == 2
        and report['files'] == {'png': 4}
        and report['class_histogram'] == {'地': 2, '明': 2, 'A': 1}
    )
    assert 'out: train 4 lines of 3 writers, 5 characters' in said and (
        info['source'],
        info['version'],
        info['seed'],
    ) == ('folder', 1, 8)


def test_no_row_to_train_on(scans):
    (scans / 'labels.tsv').write_text('none.png\t明\nalso.png\t地\n')
    with pytest.raises(ValueError, match=r"labels.tsv: no usable row to train on, skipped {'image': 2}"):
        prepare(on_error='skip')
    assert not (scans.parent / 'out.partial').exists()


@pytest.mark.parametrize(
    'name, meant',
    [
        ('A.PNG', 'a.png'),
        ('a.png,', 'a.png'),
        ('"a.png"', 'a.png'),
        ('a.jpg', 'a.png'),
        ('a', 'a.png'),
        ('scans/a.png', 'a.png'),
        ('Sub\\B.png', 'sub/b.png'),
        ('Ame\u0301.png', 'Amé.png'),
        ('other.png', None),
    ],
)
def test_did_you_mean(scans, name, meant):
    for there in ('a.png', 'sub/b.png', 'Amé.png'):
        picture(scans / there, 0)
    (scans / 'labels.tsv').write_text(f'{name}\t明天\n')
    with pytest.raises(FormatError, match='no such image') as refused:
        prepare()
    assert ('did you mean' in str(refused.value)) == bool(meant) and (
        not meant or f'did you mean {meant}?' in str(refused.value)
    )


# ---- splits


def test_three_hands_do_not_give_a_third_to_each_split(scans):
    """At a share of 5 % a hand of 10 lines in 30 is too much; at .33 it is not."""
    shutil.rmtree(scans)
    for number, hand in enumerate('王李张'):
        for i in range(10):
            picture(scans / hand / f'{i}.png', 100 * number + i)
    info, said = prepare(labels=None)
    assert counts(info) == {'train': 30}
    assert (
        'no lines for validation: no writer is so small that it stays below 10% of the lines, 2 x'
        ' --validation_share; --validation_share=0.33 takes' in said
    )
    info, said = prepare('other', labels=None, validation_share=0.33, test_share=0)
    assert counts(info) == {'train': 20, 'validation': 10} and 'no lines for' not in said


def test_many_writers_are_drawn_as_ever():
    """The order by hash, taken from its end until the share is reached; who is too large for what is left
    is passed over.
    """
    shares, weights = {'validation': 0.05, 'test': 0.05}, {f'w{i}': 5 for i in range(40)}
    order = sorted(weights, key=lambda writer: hashlib.sha256(f'0 {writer}'.encode()).digest())
    assert list(draw_writers(weights, seed=0, shares=shares).items()) == [
        (order[-1], 'validation'),
        (order[-2], 'validation'),
        (order[-3], 'test'),
        (order[-4], 'test'),
    ]
    weights[order[-2]] = 41  # of 236: a share is 11.8
    assert draw_writers(weights, seed=0, shares=shares) == dict.fromkeys(
        (order[-1], order[-3], order[-4]), 'validation'
    ) | dict.fromkeys(order[-7:-4], 'test')
    assert draw_writers({'a': 1}, seed=0, shares={'test': 0.5}) == {}
    assert draw_writers({'a': 1, 'b': 1}, seed=0, shares={'test': 0.5}, keep={'a', 'b'}, report=str) == {}


def test_rows_of_one_picture_stay_in_one_split(scans, lines_of):
    """By its path however that is written, and by its bytes; writers that share a picture go together."""
    shutil.copy(scans / '0.png', scans / 'copy.png')
    (scans / 'labels.tsv').write_text(
        ''.join(
            f'{name}\t明天\n'
            for name in ['0.png'] * 20 + ['./0.png', 'copy.png'] * 10 + [f'{i}.png' for i in range(1, 9)] * 5
        )
    )
    for seed in range(3):
        info, said = prepare(f'out{seed}', validation_share=0.2, test_share=0.2, seed=seed)
        assert (
            '71 rows have the picture of another row (row 2 that of row 1, 0.png): they stay in one split'
            in said
        )
        places = {}
        for split, line in lines_of(scans.parent / f'out{seed}'):
            places.setdefault(line.image.tobytes(), set()).add(split)
        assert (
            len(places) == 9
            and all(len(found) == 1 for found in places.values())
            and counts(info).keys() == {'train', 'validation', 'test'}
        )
    (scans / 'labels.tsv').write_text(
        '0.png\t明天\tanna\n1.png\t明天\tanna\n1.png\t明天\tberta\n2.png\t明天\tberta\n3.png\t天\tcarl\n4.png\t天\tcarl\n'
    )
    assert counts(prepare('hands', validation_share=0.33, test_share=0)[0]) == {'train': 4, 'validation': 2}


def test_hands_that_are_joined_by_a_third_go_together():
    """Carl has a picture of anna's and one of berta's: all three are one hand, whatever the order of the
    draw; so are those that a fourth joins to them.
    """
    rows = [
        ('anna', 'a'),
        ('berta', 'b'),
        ('dora', 'd'),
        ('carl', 'a'),
        ('carl', 'b'),
        ('erik', 'b'),
        ('erik', 'd'),
        *((f'w{i}', f'{i}') for i in range(6)),
    ]
    rows = [
        folder_lines.Line(LabelledImage(path=pathlib.Path(name), text='天', writer=writer, row=i), None)
        for i, (writer, name) in enumerate(rows, 1)
    ]
    state, seen = types.SimpleNamespace(content=str), set()
    for seed in range(20):
        found = _by_writer(rows, seed=seed, shares={'validation': 0.4, 'test': 0.2}, state=state, report=str)
        places = {row.row: split for split, members in found.items() for row, _ in members}
        assert sorted(places) == list(range(1, 14)) and len({places[row] for row in range(1, 8)}) == 1
        seen.add(places[1])
    assert len(seen) > 1


# ---- slant


def test_a_slant_is_that_of_all_lines_of_a_hand(scans, lines_of):
    """Four slanted lines after an upright one: all five are sheared as one hand, so that the four stand
    upright. Of an unknown hand each is by itself.
    """
    upright = np.full((60, 400), 255, np.uint8)
    for x in range(60, 340, 40):
        upright[8:52, x : x + 4] = 0
    rows = np.arange(60)[:, np.newaxis]
    slanted = upright[
        rows, np.clip(np.arange(400) - np.rint(np.tan(np.radians(20)) * (30 - rows)).astype(int), 0, 399)
    ]
    for i in range(5):
        Image.fromarray(np.roll(slanted if i else upright, i, axis=1)).save(scans / f'{i}.png')
    for out, writer, expected in (('hand', '\tanna', [-20, 0, 0, 0, 0]), ('unknown', '', [0] * 5)):
        (scans / 'labels.tsv').write_text(''.join(f'{i}.png\t明天{writer}\n' for i in range(5)))
        prepare(out, deslant=True, validation_share=0, test_share=0)
        left = [estimate_slant([line.image]) for _, line in lines_of(scans.parent / out)]
        assert np.abs(np.subtract(left, expected)).max() <= 2, left


def test_a_hand_is_estimated_once_from_its_first_forty_pictures(monkeypatch):
    rows = [
        LabelledImage(path=pathlib.Path(f'{i}'), text='', writer='anna' if i % 2 else 'berta', row=i)
        for i in range(100)
    ]
    read, asked = [], []
    monkeypatch.setattr(folder_lines, 'read_image', lambda path: read.append(int(path.name)) or path)
    monkeypatch.setattr(
        folder_lines, 'estimate_slant', lambda images: asked.append(len(list(images))) or len(asked)
    )
    slants = folder_lines.Slants(rows, types.SimpleNamespace(take=lambda image: (image, ())))
    assert (
        [slants.of(rows[i], None) for i in (1, 3, 2, 99, 0)] == [1, 1, 2, 1, 2]
        and asked == [40, 40]
        and read == [*range(1, 80, 2), *range(0, 80, 2)]
    )
    assert slants.of(rows[0]._replace(writer=''), None) == 3 and asked == [40, 40, 1]


# ---- done means done with this input


def test_shards_that_are_gone_or_cut_are_no_folder_that_is_there(scans):
    prepare()
    shard = scans.parent / 'out' / 'train-00000-of-00001.tfrecord'
    whole = shard.read_bytes()
    for content, said in ((None, 'no such file'), (whole[:100], 'the file ends at byte 100')):
        shard.unlink()
        if content is not None:
            shard.write_bytes(content)
        with pytest.raises(
            FileExistsError,
            match=f'^out exists and is damaged .*{said}.*remove it to have it written anew: rm -r out$',
        ):
            prepare()
        shard.write_bytes(whole)
    assert prepare()[1] == 'out: already there, train 9 lines'


def test_a_folder_of_other_input_is_refused(scans):
    prepare()
    before = (scans.parent / 'out' / 'info.json').read_bytes()
    assert prepare()[1] == 'out: already there, train 9 lines'
    table = scans / 'labels.tsv'
    kept = table.read_text(), table.stat()
    table.write_text(kept[0].replace('明', '后', 1))  # of the same size, and of the same time
    os.utime(table, ns=(kept[1].st_atime_ns, kept[1].st_mtime_ns))
    with pytest.raises(
        FileExistsError,
        match=(
            r'out exists and was written from other input \(labels.tsv has changed\); choose another folder,'
            r' or remove it .*: rm -r out'
        ),
    ):
        prepare()
    table.write_text(kept[0])
    assert prepare()[1].startswith('out: already there')
    picture(scans / '3.png', 77)
    with pytest.raises(FileExistsError, match=r'other input \(.*\(newer: 3.png\)\)'):
        prepare()
    picture(scans / '3.png', 3)
    assert (
        prepare()[1]
        == 'out: already there, train 9 lines; files of the input were touched or copied since, with the same'
        ' contents'
    )
    (scans / '3.png').unlink()
    with pytest.raises(FileExistsError, match=r'other input \(9 files of \d+ bytes then, now 9 of \d+\)'):
        prepare()
    shutil.rmtree(scans)
    assert 'already there, train 9 lines; not compared with its input (scans: no such folder' in prepare()[1]
    assert (scans.parent / 'out' / 'info.json').read_bytes() == before


def test_other_kinds_of_folders_see_changes_as_well(scans):
    prepare('pictures', labels=None)
    prepare('named', name_pattern='(?P<text>.+)')
    (scans / 'texts').mkdir()
    for i in range(9):
        (scans / 'texts' / f'{i}.txt').write_text('明天')
    prepare('texts', labels='texts')
    (scans / 'texts' / '4.txt').write_text('后天')
    with pytest.raises(FileExistsError, match=r'texts exists .*other input \(a text file has changed\)'):
        prepare('texts', labels='texts')
    assert 'already there' in prepare('pictures', labels=None)[1]
    picture(scans / '9.png', 9)
    for out, settings in (('pictures', {'labels': None}), ('named', {'name_pattern': '(?P<text>.+)'})):
        with pytest.raises(
            FileExistsError,
            match=r'other input \(9 files of \d+ bytes then, now 10 of \d+ \(newer: 9.png\)\)',
        ):
            prepare(out, **settings)


def test_a_folder_of_an_earlier_version(scans):
    prepare()
    path = scans.parent / 'out' / 'info.json'
    info = json.loads(path.read_text())
    del info['input']
    path.write_text(json.dumps(info))
    assert (
        prepare()[1]
        == 'out: already there, train 9 lines; an earlier version wrote it and kept no account of its input:'
        ' whether that has changed since is not known'
    )


# ---- names that are no UTF-8


def test_names_that_are_no_text(scans, tmp_path):
    """A folder from a GBK archive: 张 in GBK is D5 C5.

    As a path it is kept, as a writer or text it is a row error with help.
    """
    name = os.fsdecode(b'\xd5\xc5')
    try:
        picture(scans / name / '0.png', 0)
    except OSError:
        pytest.skip('this file system has UTF-8 names alone')
    with pytest.raises(
        FormatError,
        match=(
            r'scans/\\xd5\\xc5/0.png: the writer would be \\xd5\\xc5, which is no UTF-8 .*unzip -O'
            r' GBK.*convmv -f gbk'
        ),
    ):
        prepare(labels=None)
    info, said = prepare(labels=None, on_error='skip')
    assert info['skipped'] == {'name': 1} and counts(info) == {'train': 9} and '\\xd5\\xc5' in said
    with pytest.raises(FormatError, match=r'\\xd5\\xc5/0.png: the writer'):
        prepare('third', name_pattern='(?P<text>.+)')
    info, _ = prepare(os.path.join('out2', name), images=os.path.join('scans', name), labels=None)
    assert info['settings']['images'] == 'scans/\\xd5\\xc5' and counts(
        shards.read_info(os.path.join('out2', name))
    ) == {'train': 1}
    assert (
        'already there'
        in prepare(os.path.join('out2', name), images=os.path.join('scans', name), labels=None)[1]
    )


def test_a_picture_with_two_texts_is_told(scans):
    (scans / 'labels.tsv').write_text('0.png\t明天\n1.png\t天\n0.png\t明天\n1.png\t地\n')
    said = prepare()[1]
    assert '2 rows have the picture of another row (row 3 that of row 1, 0.png)' in said
    assert "1 of them have another text: row 4 '地', row 2 '天'; one of the two is wrong" in said


def test_the_sheet_of_a_folder_within_the_pictures_is_no_line(scans):
    assert counts(prepare('scans/out', labels=None)[0])['train'] + 2 >= 9
    assert 'already there' in prepare('scans/out', labels=None)[1]
    assert sum(counts(prepare('scans/again', labels=None)[0]).values()) == 9


def test_a_pipe_in_the_place_of_a_picture_is_not_waited_for(scans):
    os.mkfifo(scans / 'pipe.png')
    (scans / 'labels.tsv').write_text('0.png\t明天\npipe.png\t天\n')
    with pytest.raises(
        FormatError, match=r'row 2 \(pipe.png\): scans/pipe.png: no readable image \(no regular file\)'
    ):
        prepare()
