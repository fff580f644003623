"""Punctuation, digits and Latin alone: what the lines hold, what counts as an error, with readers whose
errors are known.
"""

import collections
import re

import numpy as np
import pytest

from hwgen.charset.encoding import CharsetError
from hwgen.charset.reading_form import folded
from hwgen.evaluation.measuring import reading, symbol_reading
from hwgen.evaluation.measuring.symbol_reading import KINDS, count_errors, draw_texts

INFO = {'source': 'scribe', 'version': '1.1', 'seed': 0}


class Notebook:
    """Writes pictures that name their texts by their first pixel; reads them by heart, but for what it
    mistakes.
    """

    char_px = char_width_px = 32

    def __init__(self, mistakes=()):
        self.mistakes, self.written, self.drawn = dict(mistakes), [], []
        self.characters = frozenset(folded(''.join(KINDS.values())))

    def write(self, texts, *, style_seeds, truncation):
        assert len(style_seeds) == len(texts) and truncation == 0.5
        images = []
        for text in texts:
            self.written.append(text)
            images.append(np.full([32, 32 * len(text)], len(self.written), np.uint8))
        return images

    def read(self, images):
        texts = [
            self.written[image[0, 0] - 1] if (image == image[0, 0]).all() and image[0, 0] < 250 else ''
            for image in images
        ]
        return [''.join(self.mistakes.get(character, character) for character in text) for text in texts]


@pytest.mark.parametrize('kind', KINDS)
def test_lines_hold_their_symbols_about_equally_often(kind):
    texts = draw_texts(kind, 60, seed=3)
    assert texts == draw_texts(kind, 60, seed=3) != draw_texts(kind, 60, seed=4) and texts[:20] == draw_texts(
        kind, 20, seed=3
    )
    counts = collections.Counter(
        character for text in texts for character in text if character in KINDS[kind]
    )
    assert len(texts) == 60 and all(any(c in KINDS[kind] for c in text) for text in texts)
    if kind != 'latin':  # words have the letters that words have
        assert set(counts) == set(KINDS[kind]) and max(counts.values()) - min(counts.values()) <= (
            1 if kind == 'punctuation' else 2
        )
    others = ''.join(KINDS[other] for other in KINDS if other != kind)
    assert not any(character in others for text in texts for character in text)


def test_only_the_places_of_the_symbols_count():
    """By hand.

    One: of ， and 。 the second is read as a dash: 1 of 2. Two: the hanzi are wrong, the mark is right:
    0 of 1.
    Three: ： is not read: 1 of 1.
    Four: right, but a ， is read besides: 1 inserted."""
    texts, readings = ['天地，人。', '天地；', '天：地', '天！'], ['天地,人—', '夫池;', '天地', '天，!']
    counts, places = count_errors(texts, readings, KINDS['punctuation'])
    assert (
        counts.substitutions.tolist() == [1, 0, 1, 0]
        and counts.insertions.tolist() == [0, 0, 0, 1]
        and counts.deletions.tolist() == [0] * 4
    )
    assert counts.reference_lengths.tolist() == [2, 1, 1, 1] and counts.errors.tolist() == [1, 0, 1, 1]
    assert places == {',': [1, 0], '。': [1, 1], ';': [1, 0], ':': [1, 1], '!': [1, 0]}


def test_capitals_are_no_errors_in_cells_of_one_size():
    counts, places = count_errors(['Note', 'OK'], ['noTe', '0K'], KINDS['latin'])
    assert counts.errors.tolist() == [0, 1] and places['o'] == [2, 1]


def test_the_figures_of_known_errors(monkeypatch):
    reader = Notebook({'。': '—', '：': '', '7': '1'})
    monkeypatch.setattr(
        symbol_reading,
        'simulated_lines',
        lambda texts, *, info, cells: reader.write(texts, style_seeds=texts, truncation=0.5),
    )
    careful = Notebook()
    said = []
    conditions, symbols = symbol_reading.read_symbols(
        reader, info=INFO, model=reader, num_lines=80, seed=1, truncation=0.5, report=said.append
    )
    assert [condition.name for condition in conditions] == [
        f'{side}_{kind}' for kind in KINDS for side in ('real', 'generated')
    ]
    assert (
        all(len(condition.texts) == 20 and condition.num_unreadable == 0 for condition in conditions)
        and len(said) == 6
    )
    figures = reading.reading_figures(conditions)
    assert set(figures) == {'cer_punctuation_20', 'cer_digits_20', 'cer_latin_20'} and figures[
        'cer_latin_20'
    ] == {'floor': 0.0, 'generated': 0.0}
    by_symbol = {row['symbol']: row for row in symbols}
    assert {symbol for symbol, row in by_symbol.items() if row['generated']} == {'。', ':', '7'}
    assert by_symbol['。']['generated'] == by_symbol['。']['num_places'] == by_symbol['。']['real'] >= 3
    wrong = sum(row['generated'] for row in symbols if row['kind'] == 'punctuation')
    total = sum(row['num_places'] for row in symbols if row['kind'] == 'punctuation')
    assert figures['cer_punctuation_20']['generated'] == pytest.approx(wrong / total)
    twice = symbol_reading.summed([symbols, symbols])
    assert [(row['symbol'], row['num_places'], row['real']) for row in twice] == [
        (row['symbol'], 2 * row['num_places'], 2 * row['real']) for row in symbols
    ]
    table = symbol_reading.format_markdown(twice)
    assert (
        '| punctuation | 。 | ' in table
        and '| 1.00 | 1.00 |' in table
        and len(table.splitlines()) == 2 + len(symbols)
    )
    alone, _ = symbol_reading.read_symbols(reader, info=INFO, num_lines=8, report=said.append)
    assert [condition.name for condition in alone] == [
        f'real_{kind}' for kind in KINDS
    ] and not careful.written


def test_every_line_of_every_kind_has_a_hand_of_its_own(monkeypatch):
    """And the same hands for the same seed; 3 kinds of 5 lines, 2 seeds."""

    class Hands(Notebook):
        drawn = ()

        def write(self, texts, *, style_seeds, **options):
            self.drawn += tuple(map(int, style_seeds))
            return super().write(texts, style_seeds=style_seeds, **options)

    monkeypatch.setattr(
        symbol_reading,
        'simulated_lines',
        lambda texts, *, info, cells: reader.write(texts, style_seeds=texts, truncation=0.5),
    )
    reader, writer = Notebook(), Hands()
    for seed in (0, 1, 0):
        symbol_reading.read_symbols(
            reader,
            info=INFO,
            model=writer,
            num_lines=20,
            seed=seed,
            truncation=0.5,
            report=lambda line: None,
        )
    assert len(writer.drawn) == 45 and len(set(writer.drawn)) == 30 and writer.drawn[:15] == writer.drawn[30:]


def test_a_kind_that_the_model_has_no_characters_for_is_left_out(monkeypatch):
    class Latin(Notebook):
        def write(self, texts, **options):
            if any(ord(character) > 255 for text in texts for character in text):
                raise CharsetError('U+5929 天 at position 0: has no filter', 0)
            return super().write(texts, **options)

    writer, reader, said = Latin(), Notebook(), []
    monkeypatch.setattr(
        symbol_reading,
        'simulated_lines',
        lambda texts, *, info, cells: reader.write(texts, style_seeds=texts, truncation=0.5),
    )
    conditions, symbols = symbol_reading.read_symbols(
        reader, info=INFO, model=writer, num_lines=8, truncation=0.5, report=said.append
    )
    assert [condition.name for condition in conditions] == ['real_latin', 'generated_latin'] and {
        row['kind'] for row in symbols
    } == {'latin'}
    assert said[0].startswith('punctuation: left out, the model cannot write it: U+5929')


@pytest.mark.parametrize('info', [INFO, {'source': 'print', 'version': 1}])
def test_the_real_side_is_written_by_the_corpus_own_hands(info):
    texts = ['天地，人。', '2024年', 'Note']
    images = symbol_reading.simulated_lines(texts, info=info, cells=dict(char_px=32, char_width_px=16))
    assert [image.shape for image in images] == [(32, 16 * len(text)) for text in texts] and all(
        image.min() < 160 for image in images
    )
    again = symbol_reading.simulated_lines(texts, info=info, cells=dict(char_px=32, char_width_px=16))
    assert all((one == other).all() for one, other in zip(images, again))


def test_what_lines_of_each_kind_are_made_of():
    """Words of two hanzi among the commonest with a mark behind each or a pair around the next; five ways
    of numbers in turn; three of words.
    """
    words = [word for word, _ in symbol_reading.sentences.words() if len(word) == 2]
    common, spread = set(words[:2000]), set()
    assert symbol_reading.SINGLE_MARKS == '，。、；：？！' and symbol_reading.PAIRS == ('“”', '（）', '《》')
    for text in draw_texts('punctuation', 200, seed=7):
        parts = re.fullmatch('(..)(?:([，。、；：？！])|“(..)”|（(..)）|《(..)》)' * 2, text).groups()
        found = [part for part in parts if part and len(part) == 2]
        assert set(found) <= common
        spread.update(found)
    assert len(spread) > 300 and len(spread - set(words[:1000])) > 100  # of all two thousand
    ways = [r'\d{4}年\d{1,2}月\d{1,2}日', r'第\d{1,3}页', r'\d{2,5}元', r'\d{4,8}', r'\d{11}']
    texts = draw_texts('digits', 300, seed=7)
    assert all(re.fullmatch(ways[line % 5], text) for line, text in enumerate(texts))

    def lengths(way, pattern):
        return {len(re.findall(pattern, text)[0]) for text in texts[way::5]}

    assert (
        lengths(0, r'年(\d+)月') == lengths(0, r'月(\d+)日') == {1, 2}
        and lengths(1, r'\d+') == {1, 2, 3}
        and lengths(2, r'\d+') == {2, 3, 4, 5}
        and lengths(3, r'\d+') == {4, 5, 6, 7, 8}
    )
    texts, english = draw_texts('latin', 300, seed=7), set(symbol_reading.sentences.english_words())
    assert {text.lower() for text in texts} <= {word.lower() for word in english} and {
        len(text) for text in texts
    } == set(range(3, 9))
    for way, change in enumerate((str, str.capitalize, str.upper)):
        own = texts[way::3]
        assert own == [change(next(word for word in (text, text.lower()) if word in english)) for text in own]
    assert len(set(texts)) > 200


def test_a_deck_is_dealt_out_before_it_is_shuffled_again():
    deck = symbol_reading._shuffled('abcd', np.random.default_rng(3))
    hands = [[next(deck) for _ in range(4)] for _ in range(6)]
    assert [sorted(hand) for hand in hands] == [list('abcd')] * 6 and len(set(map(tuple, hands))) > 2


def test_the_lines_and_hands_of_a_seed(monkeypatch):
    """A quarter of the lines for each kind, rounded up; streams of the seed that no other protocol has.

    In cells of the model; unknown symbols are told.
    """
    asked, cut = [], []

    class Model(Notebook):
        char_px, char_width_px = 24, 20

        def write(self, texts, *, style_seeds, truncation):
            asked.append((list(texts), list(style_seeds), truncation))
            return [np.full([24, 20 * len(text)], 9, np.uint8) for text in texts]

    class Reader:
        characters = frozenset(folded(''.join(KINDS.values()))) - set(',z7')

        def read(self, images):
            return [''] * len(images)

    monkeypatch.setattr(
        symbol_reading,
        'simulated_lines',
        lambda texts, *, info, cells: (
            cut.append((info, cells)) or [np.full([24, 20], 9, np.uint8)] * len(texts)
        ),
    )
    monkeypatch.setattr(symbol_reading, 'crop_to_ink', lambda image: image[:5])
    said = []
    conditions, rows = symbol_reading.read_symbols(
        Reader(),
        info=INFO,
        model=Model(),
        num_lines=13,
        seed=8,
        truncation=0.6,
        crop=True,
        report=said.append,
    )
    texts = [draw_texts(kind, 4, seed=[8, 3, number]) for number, kind in enumerate(KINDS)]
    assert asked == [
        (texts[number], np.random.default_rng([8, 4, number]).integers(2**63, size=4).tolist(), 0.6)
        for number in range(3)
    ]
    assert cut == [(INFO, {'char_px': 24, 'char_width_px': 20})] * 3 and {
        image.shape[0] for condition in conditions for image in condition.images
    } == {5}
    for condition, (number, kind) in zip(
        conditions, [pair for pair in enumerate(KINDS) for _ in range(2)], strict=True
    ):
        assert condition.texts == texts[number] and condition.readings == [''] * 4
        written = [c for text in texts[number] for c in folded(text) if c in folded(KINDS[kind])]
        assert condition.num_unreadable == sum(c in ',z7' for c in written)
        assert condition.counts.errors.sum() == condition.counts.reference_lengths.sum() == len(written)
        assert f'{condition.name}: 4 lines read, 1.000 of {len(written)} symbols misread' in said
    assert rows == sorted(rows, key=lambda row: (row['kind'], row['symbol'])) and all(
        row['real'] == row['generated'] == row['num_places'] for row in rows
    )
    assert symbol_reading.read_symbols.__kwdefaults__ == {
        'model': None,
        'num_lines': 200,
        'seed': 0,
        'char_px': 32,
        'char_width_px': 32,
        'crop': False,
        'truncation': 0.8,
        'report': print,
    }


def test_tables_of_several_seeds():
    """A symbol that one seed does not have; a model that could not write a kind."""

    def row(symbol, places, **sides):
        return {'kind': 'digits', 'symbol': symbol, 'num_places': places, **sides}

    total = symbol_reading.summed(
        [
            [row('7', 4, real=1, generated=2), row('1', 2, real=0, generated=0)],
            [row('7', 6, real=0, generated=4), row('0', 5, real=5, generated=1)],
        ]
    )
    assert total == [
        row('0', 5, real=5, generated=1),
        row('1', 2, real=0, generated=0),
        row('7', 10, real=1, generated=6),
    ]
    assert (
        symbol_reading.format_markdown(total)
        == """\
| kind | symbol | N | real misread | generated misread |
|---|---|---|---|---|
| digits | 0 | 5 | 1.00 | 0.20 |
| digits | 1 | 2 | 0.00 | 0.00 |
| digits | 7 | 10 | 0.10 | 0.60 |
"""
    )
    alone = symbol_reading.format_markdown([row('1', 4, real=1)])
    assert alone.splitlines() == [
        '| kind | symbol | N | real misread |',
        '|---|---|---|---|',
        '| digits | 1 | 4 | 0.25 |',
    ]


def test_whose_hands_the_real_side_is_written_by(monkeypatch):
    """By test writers of the corpus that is measured, if it is an embedded one of a known version; else of
    the present one, seed 0.
    """
    asked = []

    class Plan:
        def line(self, split, number):
            assert split == 'test'
            return type(
                'Record',
                (),
                {'image': np.full([64, 30], 10 * number, np.uint8), 'character_ids': np.ones(number + 1)},
            )

    monkeypatch.setattr(
        symbol_reading.corpus, 'plan_corpus', lambda **options: asked.append(options) or Plan()
    )
    texts, present = ['天', '天地'], symbol_reading.corpus.SCRIBE_VERSION
    older = next(version for version in symbol_reading.corpus.VERSIONS if version != present)
    for info, seed, version in (
        ({'source': 'scribe', 'version': older, 'seed': 9}, 9, older),
        ({'source': 'scribe', 'version': 'unheard of', 'seed': 9}, 0, present),
        ({'source': 'casia', 'version': older, 'seed': 9}, 0, present),
        ({}, 0, present),
    ):
        images = symbol_reading.simulated_lines(texts, info=info, cells=dict(char_px=16, char_width_px=8))
        assert asked.pop() == dict(
            seed=seed, version=version, texts=texts, lines=0, validation_lines=0, test_lines=2, unseen_lines=0
        )
        assert [(image.shape, image[0, 0]) for image in images] == [((16, 8), 0), ((16, 16), 10)]


def test_more_is_read_than_was_written_only_beyond_the_number_of_symbols():
    """A mark that was taken for another is one error, not two; what is read besides counts from the first
    that is too many.
    """
    counts, places = count_errors(
        ['天，地', '天，', '天'], ['天。地', '，，天，', '！天'], KINDS['punctuation']
    )
    assert (
        counts.substitutions.tolist() == [1, 0, 0]
        and counts.insertions.tolist() == [0, 2, 1]
        and counts.hypothesis_lengths.tolist() == [1, 3, 1]
    )
    assert counts.reference_lengths.tolist() == [1, 1, 0] and places == {',': [2, 1]}
    nothing, none = count_errors([], [], 'a')
    assert nothing.errors.shape == (0,) and none == {}
