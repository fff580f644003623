"""The embedded corpus over texts of the user's: what is read of a file, who writes it, and what is
refused.
"""

import hashlib
import io
import json
import sys

import numpy as np
import pytest
from test_prepare_data import command, contents

from hwgen.data.preparing import prepare
from hwgen.data.reading import shards
from hwgen.data.scribe import given_texts
from hwgen.data.scribe.corpus import plan_corpus
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.fonts import default_fonts, open_font
from hwgen.data.scribe.given_texts import read_texts

ADDRESSES = (
    '\ufeff北京市海淀区中关村大街27号\r\n   \r\n　上海市黄浦区人民路1号 \r\nＡ座3层，'
    '电话：010-62345678\n\n\u3000\n南京路 5号，请进！'
)
TEXTS = (
    '北京市海淀区中关村大街27号',
    '上海市黄浦区人民路1号',
    'Ａ座3层，电话：010-62345678',
    '南京路 5号，请进！',
)
SETTINGS = dict(seed=3, height_px=32, workers=1, report=print)


@pytest.fixture
def addresses(tmp_path):
    path = tmp_path / 'addresses.txt'
    path.write_bytes(ADDRESSES.encode())
    return path


# ---- the file


def test_every_line_that_is_not_blank_is_a_text(addresses):
    found = read_texts(addresses)
    assert found.texts == TEXTS and (found.refused, found.skipped) == ([], {})
    data = addresses.read_bytes()
    assert (found.name, found.num_bytes, found.sha256) == (
        'addresses.txt',
        len(data),
        hashlib.sha256(data).hexdigest(),
    )


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(ADDRESSES.encode())))
    found = read_texts('-')
    assert found.texts == TEXTS and found.name == 'standard input'
    monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(b'a\n\xff')))
    with pytest.raises(ValueError, match='standard input, line 2, byte 2: 0xFF is no UTF-8'):
        read_texts('-')


@pytest.mark.parametrize(
    'data, message',
    [
        (b'', 'f.txt: no text in it, expected a line of text a row'),
        (b'\xef\xbb\xbf', 'f.txt: no text in it'),
        ('  \r\n\t\n\u3000'.encode(), 'f.txt: no text in it'),
        (
            '好\n天地\n'.encode() + b'ab\xff',
            r'f.txt, line 3, byte 13: 0xFF is no UTF-8, expected a UTF-8 text file',
        ),
        ('天地'.encode('utf-16'), 'f.txt, line 1, byte 0: 0xFF is no UTF-8'),
        ('天地'.encode('gb18030'), 'f.txt, line 1, byte 0: 0xCC is no UTF-8'),
        ('天地'.encode()[:-1], 'f.txt, line 1, byte 3: 0xE5 is no UTF-8'),
        (
            '天地\n\n天😀地\n'.encode(),
            r'f.txt, line 3: U\+1F600 😀 at position 1.*; --on_error=skip leaves such lines out$',
        ),
        (
            '天\ue000\n地\n\ue001'.encode(),
            r'f.txt, line 1: U\+E000 .* at position 1.* \(and 1 more such lines\); --on_error=skip',
        ),
        ('\ue000\n'.encode(), r'f.txt, line 1: U\+E000 .* at position 0.*; no other line has a text$'),
        ('天\t地\n好'.encode(), r'f.txt, line 1: U\+0009 \t at position 1'),
        ('天\r地\n好'.encode(), r'f.txt, line 1: U\+000D \r at position 1'),
        ('天\0地\n好'.encode(), r'f.txt, line 1: U\+0000 \0 at position 1'),
        (
            '好\n'.encode() + '天'.encode() * 10_000,
            (
                'f.txt, line 2: 10000 characters make a picture that is larger than readers take, expected at'
                ' most 3276 at --height_px=64; break the line, or lower --height_px; --on_error=skip'
            ),
        ),
    ],
)
def test_hostile_files(tmp_path, data, message):
    (tmp_path / 'f.txt').write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_texts(tmp_path / 'f.txt')


def test_what_is_skipped_is_named_and_counted(tmp_path):
    path = tmp_path / 'f.txt'
    path.write_text('天地\n好\n天😀\n天地玄黄\n' + '天' * 10_000 + '\n人' * 2, encoding='utf-8')
    found = read_texts(path, on_error='skip', min_characters=2, max_characters=3)
    assert found.texts == ('天地',) and found.skipped == {'length': 5, 'text': 1}
    assert (
        found.refused[0] == f'{path}, line 2: 1 characters, expected at least 2'
        and f'{path}, line 4: 4 characters, expected at most 3' in found.refused
    )
    assert [line.split(':')[0].rsplit(' ', 1)[1] for line in found.refused] == ['2', '3', '4', '5', '6', '7']
    found = read_texts(path, on_error='skip')
    assert found.texts == ('天地', '好', '天地玄黄', '人', '人') and found.skipped == {'text': 1, 'size': 1}
    assert len(read_texts(path, on_error='skip', height_px=32).texts) == 6
    with pytest.raises(ValueError, match="on_error='stop': expected fail or skip"):
        read_texts(path, on_error='stop')


def test_latin_writers_write_no_hanzi(tmp_path):
    (tmp_path / 'f.txt').write_text('Hello, world!\nmy 天地\n', encoding='utf-8')
    with pytest.raises(
        ValueError,
        match=(
            r'line 2: U\+5929 天 at position 3: writers of script latin cannot write it; --script=chinese'
            r' can; --on_error'
        ),
    ):
        read_texts(tmp_path / 'f.txt', script='latin')
    assert len(read_texts(tmp_path / 'f.txt').texts) == 2


def test_what_passes_for_latin_is_written_by_every_font():
    """A line of all of it, drawn in each font, raises nothing."""
    characters = sorted(given_texts.latin_characters())
    assert ' ' in characters and len(characters) > 90
    for font in default_fonts('latin'):
        line = FontWriter(0, 1, script='latin', fonts=[font]).write_line(
            ''.join(characters), np.random.default_rng(0), height_px=16
        )
        assert line.image.shape[0] == 16 and len(line.boxes) == len(characters)
        assert set(characters) <= open_font(font).characters


# ---- who writes what


def test_each_text_once_and_then_by_others():
    texts = [f'第{i}行' for i in range(50)]
    plan = plan_corpus(
        seed=1, lines=150, validation_lines=20, test_lines=0, unseen_lines=0, texts=texts, num_writers=7
    )
    lines = [plan.line('train', i) for i in range(150)]
    assert [line.text for line in lines] == texts * 3
    for i in range(50):
        assert len({lines[i + 50 * k].writer for k in range(3)}) == 3
    assert len({line.writer for line in lines[:50]}) == 7
    assert not np.array_equal(lines[0].image, lines[50].image)
    held_out = [plan.line('validation', i) for i in range(20)]
    assert not {line.writer for line in held_out} & {line.writer for line in lines}
    numbers = [texts.index(line.text) for line in held_out]
    # from all parts of the file, none twice
    assert numbers == sorted(set(numbers)) and numbers[0] < 3 and numbers[-1] > 46
    assert plan.line('train', 60).image.tobytes() == lines[60].image.tobytes()
    assert plan.held_out == () and {i for line in lines for i in line.character_ids.tolist()} == set(
        plan.vocabulary
    )


def test_texts_do_not_go_with_characters_that_are_held_out():
    for settings in ({'unseen_lines': 5}, {'unseen_lines': 0, 'shots': (0, 1)}):
        with pytest.raises(ValueError, match='with texts: expected none'):
            plan_corpus(texts=('天地',), **settings)


# ---- records


def test_records_of_a_text_file(addresses, tmp_path, lines_of, charset):
    info = prepare.prepare_scribe(tmp_path / 'out', text_file=addresses, **SETTINGS)
    assert info['splits'].keys() == {'train'} and info['splits']['train']['records'] == 4
    lines = [line for _, line in lines_of(tmp_path / 'out')]
    assert tuple(line.text for line in lines) == TEXTS
    for line in lines:
        np.testing.assert_array_equal(charset.encode(line.text).character_ids, line.character_ids)
        assert line.boxes.shape == (len(line.text), 4) and line.image.shape[0] == 32
    assert (
        info['vocabulary'] == sorted({charset.character_id(c) for c in ''.join(TEXTS)})
        and info['held_out'] == []
        and info['skipped'] == {}
    )
    data = addresses.read_bytes()
    settings = info['settings']
    assert (settings['text_file'], settings['text_file_bytes'], settings['text_file_sha256']) == (
        'addresses.txt',
        len(data),
        hashlib.sha256(data).hexdigest(),
    )
    assert not {'texts', 'num_writers', 'shots', 'format', 'trajectory', 'vocabulary_size'} & settings.keys()

    said = []
    prepare.prepare_scribe(tmp_path / 'out', text_file=addresses, **{**SETTINGS, 'report': said.append})
    assert said == [f'{tmp_path / "out"}: already there, train 4 lines']
    addresses.write_bytes(data.replace(b'27', b'28'))
    with pytest.raises(FileExistsError, match='text_file_sha256'):
        prepare.prepare_scribe(tmp_path / 'out', text_file=addresses, **SETTINGS)


@pytest.mark.slow
def test_splits_and_workers(addresses, tmp_path, lines_of):
    settings = {
        **SETTINGS,
        'text_file': addresses,
        'lines': 70,
        'validation_lines': 3,
        'test_lines': 9,
        'num_writers': 5,
    }
    info = prepare.prepare_scribe(tmp_path / 'one', **settings)
    prepare.prepare_scribe(tmp_path / 'two', **{**settings, 'workers': 2})
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')
    assert {name: counts['records'] for name, counts in info['splits'].items()} == {
        'train': 70,
        'validation': 3,
        'test': 9,
    }
    assert info['settings']['num_writers'] == 5 and info['splits']['train']['writers'] == 5
    writers = {}
    for split, line in lines_of(tmp_path / 'one'):
        assert line.text in TEXTS
        writers.setdefault(line.writer, set()).add(split)
    assert all(len(found) == 1 for found in writers.values())


def test_fewer_lines_than_the_file_has(tmp_path, lines_of):
    texts = [f'第{i}行' for i in range(40)]
    (tmp_path / 'f.txt').write_text('\n'.join(texts), encoding='utf-8')
    prepare.prepare_scribe(tmp_path / 'out', text_file=tmp_path / 'f.txt', lines=10, **SETTINGS)
    found = [texts.index(line.text) for _, line in lines_of(tmp_path / 'out')]
    assert [number // 4 for number in found] == list(range(10)) and found != list(range(0, 40, 4))


def test_other_corpora_are_what_they_were(tmp_path):
    """info.json of a corpus without texts has the settings it had, so that folders of before are found."""
    info = prepare.prepare_scribe(
        tmp_path / 'out',
        lines=2,
        validation_lines=1,
        test_lines=1,
        unseen_lines=1,
        vocabulary_size=700,
        version='1.1',
        **SETTINGS,
    )
    assert info['version'] == '1.1' and info['settings'] == {
        'lines': 2,
        'validation_lines': 1,
        'test_lines': 1,
        'unseen_lines': 1,
        'vocabulary_size': 700,
        'seed': 3,
        'min_characters': 2,
        'max_characters': 8,
        'height_px': 32,
        'script': 'chinese',
    }
    assert 'skipped' not in info


@pytest.mark.slow
def test_command(addresses):
    addresses.write_text(ADDRESSES + '\n天😀\n', encoding='utf-8')
    done = command(
        f'--text_file={addresses}',
        '--out=out',
        '--on_error=skip',
        '--lines=6',
        '--writers=3',
        '--heldout_lines=2',
        '--height_px=32',
        '--workers=1',
    )
    assert done.returncode == 0, done.stderr
    assert (
        f'skipped: {addresses}, line 8: U+1F600' in done.stdout
        and 'out: skipped 1 lines of' in done.stdout
        and 'out: complete, train 6' in done.stdout
    )
    info = shards.read_info('out')
    assert {name: counts['records'] for name, counts in info['splits'].items()} == {
        'train': 6,
        'validation': 2,
        'test': 2,
    }
    assert (
        info['skipped'] == {'text': 1}
        and json.loads(open('out/info.json', encoding='utf-8').read())['settings']['on_error'] == 'skip'
    )
    for arguments, message in [
        ([f'--text_file={addresses}'], f'{addresses}, line 8: U+1F600'),
        (['--text_file=none.txt'], 'none.txt: no such file'),
        (['--text_file='], '--text_file= is empty: expected a value'),
        ([f'--text_file={addresses}', '--vocabulary=700'], '--vocabulary is for composed texts'),
        ([f'--text_file={addresses}', '--shots=0,1'], '--shots is for composed texts'),
        (
            [f'--text_file={addresses}', '--source=casia', '--input=y'],
            '--text_file goes with --source=scribe, not with --source=casia',
        ),
        (
            ['--writers=7', '--source=folder', '--input=y'],
            '--writers goes with --source=scribe, not with --source=folder',
        ),
        (
            ['--format=folder', '--source=folder', '--input=y'],
            '--format goes with --source=scribe, not with --source=folder',
        ),
        (
            ['--trajectory', '--source=iam', '--input=y'],
            '--trajectory goes with --source=scribe, not with --source=iam',
        ),
    ]:
        failed = command('--out=x', *arguments)
        assert (
            failed.returncode == 2
            and message in failed.stderr
            and len(failed.stderr.strip().split('\n')) == 1
        ), failed.stderr


def test_rows_of_tables_are_no_texts(tmp_path):
    """A label file of OCR given for a list of texts: neither paths nor JSON are written."""
    for row, message in (
        ('a.png\t明天', 'line 1: a row of a table of labels'),
        ('a.png\\t明天', 'line 1: a row of a table of labels'),
        ('w_1.png, "hi"', 'a row of a table'),
        ('[{"transcription": "明天", "points": [[1, 1]]}]', 'line 1: the text is JSON with a transcription'),
        ('["明天"]', 'the text is JSON'),
    ):
        (tmp_path / 'f.txt').write_text(f'{row}\n', encoding='utf-8')
        with pytest.raises(ValueError, match=message):
            read_texts(tmp_path / 'f.txt')
    (tmp_path / 'f.txt').write_text('[1]明天\nimages.png\n', encoding='utf-8')
    assert read_texts(tmp_path / 'f.txt').texts == ('[1]明天', 'images.png')


def test_lines_that_end_by_cr(tmp_path):
    (tmp_path / 'f.txt').write_bytes('明天\r后天\r'.encode())
    assert read_texts(tmp_path / 'f.txt').texts == ('明天', '后天')
    (tmp_path / 'f.txt').write_bytes('明天\r'.encode() + b'\xff')
    with pytest.raises(ValueError, match='line 2, byte 7: 0xFF is no UTF-8'):
        read_texts(tmp_path / 'f.txt')


def test_the_limits_of_a_text(tmp_path):
    """Its own ends are allowed; the largest picture has 2^24 pixels, at 1.25 widths a character: 3276 of
    64 px, 13107 of 32 px.
    """
    path = tmp_path / 'f.txt'
    path.write_text('天\n天地\n天地玄\n天地玄黄\n', encoding='utf-8')
    assert read_texts(path, on_error='skip', min_characters=2, max_characters=3).texts == ('天地', '天地玄')
    for length, height, told in ((3276, 64, True), (3277, 64, False), (13107, 32, True), (13108, 32, False)):
        path.write_text('天' * length + '\n好\n', encoding='utf-8')
        found = read_texts(path, on_error='skip', height_px=height)
        assert (len(found.texts) == 2) == told and found.skipped == ({} if told else {'size': 1})


def test_what_the_dictionary_of_an_older_version_lacks_is_told(tmp_path):
    path = tmp_path / 'f.txt'
    newer = next(
        c
        for c in given_texts.Charset.load().characters[given_texts.corpus_charset('1.1').num_characters :]
        if given_texts.Charset.load().character_id(c)
        and len(c) == 1
        and not given_texts.corpus_charset('1.1').character_id(c)
    )
    path.write_text(f'明天{newer}\n', encoding='utf-8')
    with pytest.raises(
        ValueError,
        match=(
            rf'line 1: U\+{ord(newer):04X} .* at position 2: not in the dictionary of this version of the'
            r' corpus; the present one has it; no other'
        ),
    ):
        read_texts(path, version='1.1')
    assert read_texts(path, version='2.0').texts == read_texts(path).texts == (f'明天{newer}',)
    path.write_text('明😀\n', encoding='utf-8')  # no version has it
    with pytest.raises(ValueError, match='position 1') as caught:
        read_texts(path, version='1.1')
    assert 'the present one has it' not in str(caught.value)


def test_positions_count_characters_of_sequences_too(tmp_path):
    path = tmp_path / 'f.txt'
    path.write_text('ab⿱山鱼cd\n', encoding='utf-8')
    with pytest.raises(
        ValueError,
        match=r'⿱山鱼 at position 2: writers of script latin cannot write it; --script=chinese can',
    ) as caught:
        read_texts(path, script='latin')
    path.write_text('ＡＢ天\n', encoding='utf-8')  # wide letters are letters
    with pytest.raises(ValueError, match=r'天 at position 2: writers of script latin'):
        read_texts(path, script='latin')
    path.write_text('⿰日月天\n', encoding='utf-8')
    with pytest.raises(ValueError, match='position 0: writers of script latin'):
        read_texts(path, script='latin')
    assert 'line 1' in str(caught.value)


def test_where_every_line_is_left_out_the_first_is_named(tmp_path):
    path = tmp_path / 'f.txt'
    path.write_text('\ue000\n\n\ue001\n', encoding='utf-8')
    with pytest.raises(
        ValueError, match=r'f.txt, line 1: U\+E000 .* \(and 1 more such lines\); no other line has a text$'
    ):
        read_texts(path, on_error='skip')


def test_what_no_pen_writes_is_named_by_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(given_texts, 'pen_problem', lambda unit: 'no strokes' if unit == '天' else None)
    path = tmp_path / 'f.txt'
    path.write_text('a⿰日月天\n', encoding='utf-8')
    with pytest.raises(ValueError, match='line 1: 天 at position 4: no strokes'):
        read_texts(path)
    path.write_text('ab天\n', encoding='utf-8')
    # nor can those of Chinese
    with pytest.raises(
        ValueError, match='天 at position 2: writers of script latin cannot write it; no other line'
    ):
        read_texts(path, script='latin')
