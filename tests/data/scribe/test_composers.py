"""Texts as the composers make them: which characters they take, what they put together, and that a version
stands for the same texts.
"""

import functools
import hashlib
import re

import numpy as np
import pytest

from hwgen.charset import symbols
from hwgen.data.scribe import composers, sentences
from hwgen.data.scribe.composers import SYMBOLS, ChineseComposer, EverydayComposer, LatinComposer

COMMON = tuple(sentences.character_counts())[:1500]
EVERY_SYMBOL = symbols.SYMBOLS + symbols.FURTHER_SYMBOLS
COMPOSERS = {
    'chinese': lambda: ChineseComposer(COMMON, uniform=False),
    'with symbols of its own': lambda: ChineseComposer((*COMMON[:900], *SYMBOLS['chinese']), uniform=False),
    'uniform': lambda: ChineseComposer(COMMON, uniform=True),
    'no words': lambda: ChineseComposer('龘靐齉', uniform=False),
    'everyday': lambda: EverydayComposer((*COMMON, *EVERY_SYMBOL)),
    'few characters': lambda: EverydayComposer('山水木中国，。12年%:abcdet'),
    'no hanzi': lambda: EverydayComposer(EVERY_SYMBOL),
    'latin': lambda: LatinComposer(SYMBOLS['latin']),
    'few letters': lambda: LatinComposer(' abcdehilnorst'),
}


@functools.cache
def texts(name):
    rng, composer = np.random.default_rng(5), COMPOSERS[name]()
    return [composer.compose(1 + n % 17, rng) for n in range(1500)]


# SHA-256 of 1500 texts, the first 16 digits: golden, for texts are seeded draws and a version of the corpus
# stands for them.
@pytest.mark.parametrize(
    'name, digest',
    [
        ('chinese', '686f442f5c8bc817'),
        ('with symbols of its own', 'be722f6844abb4bf'),
        ('uniform', '16b2c9437d78eb90'),
        ('no words', 'c18ba6457ee63291'),
        ('everyday', 'a50c39d577fff094'),
        ('few characters', '5803020954e198c3'),
        ('no hanzi', '8c7868862dff867c'),
        ('latin', '74abb386ccff5947'),
        ('few letters', '271e6cae7cf7529f'),
    ],
)
def test_texts_are_these(name, digest):
    assert hashlib.sha256('\n'.join(texts(name)).encode()).hexdigest()[:16] == digest


def test_parts_follow_each_other_until_the_text_is_full():
    told = []

    def part(**state):
        told.append(state)
        return 'abc'

    assert composers._filled(7, part) == 'abcabca'
    assert told == [
        {'first': True, 'missing': 7},
        {'first': False, 'missing': 4},
        {'first': False, 'missing': 1},
    ]
    assert composers._filled(3, lambda **state: 'xyz') == 'xyz'


def test_words_are_taken_by_the_root_of_their_counts():
    composer, counts = ChineseComposer(COMMON, uniform=False), dict(sentences.words())
    rng, drawn = np.random.default_rng(0), 40000
    found = [composer.word(rng) for _ in range(drawn)]
    total = sum(counts[word] ** 0.5 for word in composer.words)
    for word in composer.words[:3]:
        expected = drawn * counts[word] ** 0.5 / total
        assert abs(found.count(word) - expected) < 5 * expected**0.5
    # The first word goes up to its own sum, the last one up to 1.
    rng = type('', (), {'random': lambda self: self.value})()
    for value, place in (
        (0.0, 0),
        (composer.cumulative[0] - 1e-9, 0),
        (composer.cumulative[0] + 1e-9, 1),
        (1.0, -1),
    ):
        rng.value = value
        assert composer.word(rng) == composer.words[place]


def test_half_of_the_lines_are_words_and_half_are_even():
    """In lines of words two neighbours are mostly a word of the list, in even ones hardly ever."""
    known = {word for word, _ in sentences.words()}
    for name in ('chinese', 'everyday'):
        long = [text for text in texts(name) if len(text) > 11]
        pairs = [np.mean([text[k : k + 2] in known for k in range(len(text) - 1)]) for text in long]
        assert 0.45 < np.mean(np.array(pairs) > 0.1) < 0.6


def test_numbers_and_marks_of_everyday_keep_their_form():
    long = ' '.join(text for text in texts('everyday') if len(text) > 9)
    for pattern in (
        r'\d+\.\d\D',
        r'\d\.\d\d\D',
        r'\d%',
        r'\d:[0-5]\d',
        r'(19|20)\d\d年',
        r'([1-9]|1[0-2])月([1-9]|1\d|2[0-8])日',
        r'¥\d',
        '……',
        r'《\w{2}',
        r'[A-Z]{2}',
        r'[A-Z][a-z]+',
    ):
        assert re.search(pattern, long), pattern
    assert not re.search(r'(?<!\d)\d?\d:[6-9]\d', re.sub(r'\d{3,}', '', long)) and not re.search(
        r'(1[3-9]|[2-9]\d)月', long
    )
    assert not [
        text
        for text in texts('everyday')
        if text[0] in '，。、；：？！' and len(text) > 2 and text[1] in '，。、；：？！'
    ][30:]


def test_no_word_is_longer_than_there_is_room_for():
    composer = EverydayComposer((*COMMON, *EVERY_SYMBOL))
    assert max(map(len, composer._latin)) == 8 and ' ' not in composer._symbols
    for room in (1, 2, 5):
        rng = np.random.default_rng(room)
        found = [composer._fitting(room, rng) for _ in range(400)]
        assert max(map(len, found)) == room
    assert (
        EverydayComposer('山水木，。')._latin_alone is False
        and EverydayComposer('山ab ').compose(1, np.random.default_rng(0)) != ' '
    )


def test_latin_words_of_a_length_are_found_or_made():
    composer, rng = LatinComposer(SYMBOLS['latin']), np.random.default_rng(0)
    for length in (2, 7, 10):
        found = [composer._of_length(length, rng) for _ in range(600)]
        assert {len(word) for word in found} == {length} and {word.lower() for word in found} <= set(
            sentences.english_words()
        ) | {word.lower() for word in composer.by_length[length]}
        assert 0.06 < np.mean([word[0].isupper() for word in found]) < 0.16
    composer.by_length.clear()
    made = composer._of_length(9, rng)
    assert len(made) == 9 and ' ' not in made
