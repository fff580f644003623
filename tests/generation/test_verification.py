"""Lines that are read back, with a writer whose noise decides what can be read and a reader that knows it."""

import os
import pathlib
import types

import numpy as np
import pytest

from hwgen.charset.reading_form import alike
from hwgen.data.formats.label_table import read_table
from hwgen.data.reading.shards import RecordIndex
from hwgen.generation import session
from hwgen.generation.verification import Verifier, noise_seed
from hwgen.inference.line_layout import WrittenLine, even_boxes
from hwgen.settings.generate import (
    GenerateSettings,
    HandSettings,
    LabelSettings,
    PageSettings,
    WritingSettings,
)
from hwgen.settings.setting import SettingError

READ_AS = '明天去钓鱼山水'  # grey level 10 (k + 1): character k


class Reader:
    """Knows a few characters, each a grey cell of 16 x 16 px."""

    name = 'greys'
    characters = frozenset(READ_AS)

    def __init__(self):
        self.read = 0

    def readings(self, images):
        self.read += len(images)
        found = []
        for image in images:
            greys = image[8, 8::16].astype(int)
            text = ''.join(READ_AS[grey // 10 - 1] if 10 <= grey <= 70 else '?' for grey in greys)
            found.append((text, 0.5 if '?' in text else 0.9))
        return found


@pytest.fixture(scope='module')
def writer(repertoire):
    """A writer that spoils the first character of a line where the noise seed is odd, and all of 水."""

    def write_lines(texts, *, style_seeds, styles, **_):
        lines = []
        for text, seed, style in zip(texts, style_seeds, styles, strict=True):
            units = repertoire.encode(text).units
            greys = [10 * (READ_AS.find(unit) + 1) or 200 for unit in units]
            greys = [200 if unit == '水' else grey for unit, grey in zip(units, greys, strict=True)]
            if int(seed) % 2:
                greys[0] = 200
            image = np.repeat(np.uint8(greys), 16)[np.newaxis].repeat(16, 0)
            image[0] = np.uint8(style[0])  # the hand
            lines.append(WrittenLine(image, even_boxes(len(units), char_px=16, char_width_px=16)))
        return lines

    return types.SimpleNamespace(
        repertoire=repertoire,
        charset=repertoire.charset,
        char_px=16,
        char_width_px=16,
        encode=repertoire.encode,
        write_lines=write_lines,
        layout='cells',
        styles=lambda seeds, truncation: np.float32([[seed % 251, 0] for seed in seeds]),
    )


def generate(writer, *, verify=0.0, hands=None, pages=None, labels=None, reader=None, **writing):
    reader = reader or Reader()
    settings = GenerateSettings(
        WritingSettings(**writing),
        HandSettings(**(hands or {})),
        PageSettings(**(pages or {})),
        LabelSettings(verify=verify, **(labels or {})),
    )
    return session.generate(settings, writer=writer, open_reader=lambda: reader, report=str)


def write(writer, texts, *, share=0.0, seeds=0, **options):
    return Verifier(Reader(), share, **options).write_lines(writer, texts, style_seeds=seeds, truncation=0.8)


def test_a_line_is_written_anew_in_its_hand_until_it_reads_as_asked(writer):
    for seed in (1, 3, 5, 7):
        (line,) = write(writer, ['明天'], seeds=[seed])
        # by hand: the first attempt whose seed is even
        tries = next(n for n in range(99) if noise_seed(seed, n) % 2 == 0) + 1
        assert tries > 1
        assert line.verified == ('verified', '明天', 0.9, 0.0, tries, noise_seed(seed, tries - 1), ())
        assert (line.image[0] == seed).all()
        # and it is written again by what the table says
        (again,) = writer.write_lines(['明天'], style_seeds=[line.verified.noise_seed], styles=[[seed]])
        np.testing.assert_array_equal(again.image, line.image)
    (line,) = write(writer, ['明天'], seeds=[2])
    assert line.verified.tries == 1 and line.verified.noise_seed == 2


def test_a_line_hangs_on_nothing_but_itself(writer):
    texts, seeds = ['明天', '水', '去', '鱼山天', '天⿱山鱼'], [1, 2, 3, 5, 9]
    together = write(writer, texts, seeds=seeds)
    for text, seed, line in zip(texts, seeds, together, strict=True):
        (alone,) = write(writer, [text], seeds=[seed])
        assert alone.verified == line.verified
        np.testing.assert_array_equal(alone.image, line.image)


def test_what_never_reads_is_given_up_after_its_tries(writer):
    (line,) = write(writer, ['山水'], seeds=[1], tries=5)
    best = min(range(5), key=lambda n: (noise_seed(1, n) % 2, n))  # the fewest errors, then the first
    assert line.verified == ('given up', '山?', 0.5, 0.5, 5, noise_seed(1, best), ())
    # half of its characters wrong is good enough where that is asked for
    (line,) = write(writer, ['山水'], share=0.5, seeds=[2])
    assert (line.verified.verdict, line.verified.tries, line.verified.error) == ('verified', 1, 0.5)


def test_what_the_reader_does_not_know_is_no_error_and_no_reason_to_try_again(writer):
    (whole, part, rest) = write(writer, ['龘⿱山鱼', '龘天', '龘水'], seeds=[2, 2, 2], tries=3)
    assert whole.verified._replace(reading='', confidence=0) == (
        'unverifiable', '', 0, 0.0, 1, 2, ('龘', '⿱山鱼')
    )  # fmt: skip
    assert (part.verified.verdict, part.verified.tries, part.verified.unread) == ('partly', 1, ('龘',))
    # one character can be read, and is not: 1 of 1
    assert (rest.verified.verdict, rest.verified.error, rest.verified.tries) == ('given up', 1.0, 3)


def test_without_noise_a_line_is_not_written_twice(writer):
    (line,) = Verifier(Reader(), 0.0).write_lines(writer, ['水'], style_seeds=1, truncation=0.0)
    assert (line.verified.verdict, line.verified.tries) == ('given up', 1)


def rows(path):
    return [row.split('\t') for row in pathlib.Path(path).read_text(encoding='utf-8').splitlines()]


def test_a_folder_has_a_table_of_what_was_read(writer, capsys):
    pathlib.Path('rows.txt').write_text('明天\n山水\n龘\n', encoding='utf-8')
    said = generate(writer, text_file='rows.txt', out='lines', hands={'style_seed': 2}).told
    assert said == (
        '3 pictures, labels.tsv, readings.tsv; 1 verified, 1 that the reader cannot verify, 1 given up and'
        ' kept, 3.33 tries a line'
    )
    assert rows('lines/labels.tsv') == [['000001.png', '明天'], ['000002.png', '山水'], ['000003.png', '龘']]
    head, *table = rows('lines/readings.tsv')
    assert head == ('path line text verdict error confidence tries noise_seed unread reading'.split())
    assert table[0] == ['000001.png', '1', '明天', 'verified', '0.0000', '0.9000', '1', '2', '', '明天']
    assert table[1][3:7] == ['given up', '0.5000', '0.5000', '8'] and table[1][-1] == '山?'
    assert table[2][3] == 'unverifiable' and table[2][8] == '龘'
    told = capsys.readouterr().err
    assert "000002.png: 山水: given up after 8 tries, the best is kept: read '山?'" in told
    assert '000003.png: 龘: read' in told and 'the reader does not know 龘' in told and '000001' not in told
    # the table is one of labels
    labels = [(row.name, row.text) for row in read_table(pathlib.Path('lines/readings.tsv'))]
    assert labels == [('000001.png', '明天'), ('000002.png', '山水'), ('000003.png', '龘')]


def test_what_is_given_up_may_be_left_out(writer):
    pathlib.Path('rows.txt').write_text('山水\n明天\n', encoding='utf-8')
    left_out = {'given_up': 'leave_out'}
    said = generate(writer, text_file='rows.txt', out='lines', labels=left_out).told
    assert '1 picture, labels.tsv, readings.tsv; 1 verified, 1 given up and left out' in said
    assert sorted(os.listdir('lines')) == [
        '000001.png', 'given_up.tsv', 'labels.tsv', 'readings.tsv', 'styles.tsv'
    ]  # fmt: skip
    assert rows('lines/labels.tsv') == [['000001.png', '明天']]
    assert rows('lines/given_up.tsv')[1][:3] == ['0', '山水', 'given up']
    # in records likewise
    said = generate(writer, text_file='rows.txt', out='records', format='tfrecord', labels=left_out).told
    assert said.startswith('1 record in 1 shard; 1 verified')
    assert RecordIndex('records', split='train').read_record(0).text == '明天'
    assert rows('records/readings.tsv')[1][:3] == ['1', '1', '明天']
    with pytest.raises(ValueError, match='nothing was written|no line reads'):
        generate(writer, text='水', out='none/', labels=left_out)
    with pytest.raises(ValueError, match='no line reads as asked: expected a larger --verify'):
        generate(writer, text='水', out='none', format='tfrecord', labels=left_out)
    assert not os.path.exists('none')


def test_pictures_and_pages_tell_each_line(writer, capsys):
    said = generate(writer, text='明天', out='a.png', hands={'num_styles': 2}).told
    assert '; 2 verified, ' in said
    told = capsys.readouterr().err
    assert "hand 0: 明天: read '明天' (error 0.000, sure 0.90)" in told and 'hand 1' in told
    pages = {'page_width': '2', 'indent': 0, 'page_lines': 2}
    generate(writer, text='明天去钓山水', out='pages', pages=pages)
    table = rows('pages/readings.tsv')[1:]
    assert [row[:3] for row in table] == [
        ['000001.png', '1', '明天'], ['000001.png', '2', '去钓'], ['000002.png', '1', '山水']
    ]  # fmt: skip
    assert '000002.png: 山水: given up after 8 tries' in capsys.readouterr().err
    generate(writer, text='明天去钓', out='page.png', pages=pages)
    assert 'page 1, line 2: 去钓: read' in capsys.readouterr().err


def test_lines_are_read_as_large_as_they_are_kept(writer):
    class Sized(Reader):
        def readings(self, images):
            assert {image.shape[0] for image in images} == {32}
            return [('明天', 1.0)]

    generate(writer, text='明天', out='a.png', pages={'height_px': 32}, reader=Sized())


@pytest.mark.parametrize(
    'asked, message',
    [
        (dict(verify=None, labels={'given_up': 'leave_out'}), '--given_up=leave_out goes with --verify'),
        (dict(labels={'given_up': 'leave_out'}), 'a picture has all its lines; expected keep, or a folder'),
        (dict(labels={'given_up': 'leave_out'}, pages={'page_width': '3'}, out='b'), 'a page has all its'),
        (dict(verify=1.5), 'verify=1.5: expected 0 to 1'),
    ],
)  # fmt: skip
def test_refused(writer, asked, message):
    with pytest.raises(ValueError, match=message):
        generate(writer, **{'text': '明', 'out': 'a.png', **asked})


def test_a_reader_is_needed(writer):
    settings = GenerateSettings(WritingSettings(text='明', out='a.png'), labels=LabelSettings(verify=0.1))
    with pytest.raises(SettingError, match=r'--verify=0.1: expected a reader'):
        session.generate(settings, writer=writer, report=str)


def test_forms_that_handwriting_does_not_tell_apart_are_one():
    assert alike('（〇×∶′Ⅰ“”') == alike('(Ox:\'I""')
    assert alike('○') == alike('〇') == alike('O') and alike(' 　') == ''
    assert len({alike(character) for character in 'Oo01lIc一—CS-'}) == 12
