"""Punctuation, digits and Latin alone: what the lines hold, what counts as an error, with readers whose errors are known."""

import collections

import numpy as np
import pytest

from hwgen.charset.encoding import CharsetError
from hwgen.evaluation import protocols, symbol_reading
from hwgen.evaluation.independent_reader import folded
from hwgen.evaluation.symbol_reading import KINDS, count_errors, draw_texts

INFO = {'source': 'scribe', 'version': '1.1', 'seed': 0}


class Notebook:
    """Writes pictures that name their texts by their first pixel; reads them by heart, but for what it mistakes."""

    char_px = char_width_px = 32

    def __init__(self, mistakes=()):
        self.mistakes, self.written, self.drawn = dict(mistakes), [], []
        self.characters = frozenset(folded(''.join(KINDS.values())))

    def write(self, texts, *, style_seeds, truncation):
        assert len(style_seeds) == len(texts) and truncation == .5
        images = []
        for text in texts:
            self.written.append(text)
            images.append(np.full([32, 32 * len(text)], len(self.written), np.uint8))
        return images

    def read(self, images):
        texts = [self.written[image[0, 0] - 1] if (image == image[0, 0]).all() and image[0, 0] < 250 else '' for image in images]
        return [''.join(self.mistakes.get(character, character) for character in text) for text in texts]


@pytest.mark.parametrize('kind', KINDS)
def test_lines_hold_their_symbols_about_equally_often(kind):
    texts = draw_texts(kind, 60, seed=3)
    assert texts == draw_texts(kind, 60, seed=3) != draw_texts(kind, 60, seed=4) and texts[:20] == draw_texts(kind, 20, seed=3)
    counts = collections.Counter(character for text in texts for character in text if character in KINDS[kind])
    assert len(texts) == 60 and all(any(c in KINDS[kind] for c in text) for text in texts)
    if kind != 'latin':  # words have the letters that words have
        assert set(counts) == set(KINDS[kind]) and max(counts.values()) - min(counts.values()) <= (1 if kind == 'punctuation' else 2)
    others = ''.join(KINDS[other] for other in KINDS if other != kind)
    assert not any(character in others for text in texts for character in text)


def test_only_the_places_of_the_symbols_count():
    """By hand. One: of ， and 。 the second is read as a dash: 1 of 2. Two: the hanzi are wrong, the mark is right: 0 of 1. Three: ： is not read: 1 of 1.
    Four: right, but a ， is read besides: 1 inserted."""
    texts, readings = ['天地，人。', '天地；', '天：地', '天！'], ['天地,人—', '夫池;', '天地', '天，!']
    counts, places = count_errors(texts, readings, KINDS['punctuation'])
    assert counts.substitutions.tolist() == [1, 0, 1, 0] and counts.insertions.tolist() == [0, 0, 0, 1] and counts.deletions.tolist() == [0] * 4
    assert counts.reference_lengths.tolist() == [2, 1, 1, 1] and counts.errors.tolist() == [1, 0, 1, 1]
    assert places == {',': [1, 0], '。': [1, 1], ';': [1, 0], ':': [1, 1], '!': [1, 0]}


def test_capitals_are_no_errors_in_cells_of_one_size():
    counts, places = count_errors(['Note', 'OK'], ['noTe', '0K'], KINDS['latin'])
    assert counts.errors.tolist() == [0, 1] and places['o'] == [2, 1]


def test_the_figures_of_known_errors(monkeypatch):
    reader = Notebook({'。': '—', '：': '', '7': '1'})
    monkeypatch.setattr(symbol_reading, 'simulated_lines', lambda texts, *, info, cells: reader.write(texts, style_seeds=texts, truncation=.5))
    careful = Notebook()
    said = []
    conditions, symbols = symbol_reading.read_symbols(reader, info=INFO, writer=reader, num_lines=80, seed=1, truncation=.5, report=said.append)
    assert [condition.name for condition in conditions] == [f'{side}_{kind}' for kind in KINDS for side in ('real', 'generated')]
    assert all(len(condition.texts) == 20 and condition.num_unreadable == 0 for condition in conditions) and len(said) == 6
    figures = protocols.reading_figures(conditions)
    assert set(figures) == {'cer_punctuation_20', 'cer_digits_20', 'cer_latin_20'} and figures['cer_latin_20'] == {'floor': 0., 'generated': 0.}
    by_symbol = {row['symbol']: row for row in symbols}
    assert {symbol for symbol, row in by_symbol.items() if row['generated']} == {'。', ':', '7'}
    assert by_symbol['。']['generated'] == by_symbol['。']['num_places'] == by_symbol['。']['real'] >= 3
    wrong = sum(row['generated'] for row in symbols if row['kind'] == 'punctuation')
    total = sum(row['num_places'] for row in symbols if row['kind'] == 'punctuation')
    assert figures['cer_punctuation_20']['generated'] == pytest.approx(wrong / total)
    twice = symbol_reading.summed([symbols, symbols])
    assert [(row['symbol'], row['num_places'], row['real']) for row in twice] == [(row['symbol'], 2 * row['num_places'], 2 * row['real']) for row in symbols]
    table = symbol_reading.format_markdown(twice)
    assert '| punctuation | 。 | ' in table and '| 1.00 | 1.00 |' in table and len(table.splitlines()) == 2 + len(symbols)
    alone, _ = symbol_reading.read_symbols(reader, info=INFO, num_lines=8, report=said.append)
    assert [condition.name for condition in alone] == [f'real_{kind}' for kind in KINDS] and not careful.written


def test_every_line_of_every_kind_has_a_hand_of_its_own(monkeypatch):
    """And the same hands for the same seed; 3 kinds of 5 lines, 2 seeds."""
    class Hands(Notebook):
        drawn = ()

        def write(self, texts, *, style_seeds, **options):
            self.drawn += tuple(map(int, style_seeds))
            return super().write(texts, style_seeds=style_seeds, **options)

    monkeypatch.setattr(symbol_reading, 'simulated_lines', lambda texts, *, info, cells: reader.write(texts, style_seeds=texts, truncation=.5))
    reader, writer = Notebook(), Hands()
    for seed in (0, 1, 0):
        symbol_reading.read_symbols(reader, info=INFO, writer=writer, num_lines=20, seed=seed, truncation=.5, report=lambda line: None)
    assert len(writer.drawn) == 45 and len(set(writer.drawn)) == 30 and writer.drawn[:15] == writer.drawn[30:]


def test_a_kind_that_the_model_has_no_characters_for_is_left_out(monkeypatch):
    class Latin(Notebook):
        def write(self, texts, **options):
            if any(ord(character) > 255 for text in texts for character in text):
                raise CharsetError('U+5929 天 at position 0: has no filter', 0)
            return super().write(texts, **options)

    writer, reader, said = Latin(), Notebook(), []
    monkeypatch.setattr(symbol_reading, 'simulated_lines', lambda texts, *, info, cells: reader.write(texts, style_seeds=texts, truncation=.5))
    conditions, symbols = symbol_reading.read_symbols(reader, info=INFO, writer=writer, num_lines=8, truncation=.5, report=said.append)
    assert [condition.name for condition in conditions] == ['real_latin', 'generated_latin'] and {row['kind'] for row in symbols} == {'latin'}
    assert said[0].startswith('punctuation: left out, the model cannot write it: U+5929')


@pytest.mark.parametrize('info', [INFO, {'source': 'print', 'version': 1}])
def test_the_real_side_is_written_by_the_corpus_own_hands(info):
    texts = ['天地，人。', '2024年', 'Note']
    images = symbol_reading.simulated_lines(texts, info=info, cells=dict(char_px=32, char_width_px=16))
    assert [image.shape for image in images] == [(32, 16 * len(text)) for text in texts] and all(image.min() < 160 for image in images)
    again = symbol_reading.simulated_lines(texts, info=info, cells=dict(char_px=32, char_width_px=16))
    assert all((one == other).all() for one, other in zip(images, again))
