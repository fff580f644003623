"""Texts to write: a function of (seed, step), inside the vocabulary, and as mixed as they are said to be."""

import numpy as np
import pytest

from hwgen.data.scribe import sentences
from hwgen.training.texts import TextSampler


def hanzi(charset):
    return [
        i
        for i in range(1, charset.num_characters)
        if not charset.structures[charset.character_structures[i]].startswith('sym-')
    ]


def test_texts_depend_on_seed_and_step_alone(charset):
    forward = [TextSampler(charset, seed=3).batch(step, 4, 5) for step in range(5)]
    again = TextSampler(charset, seed=3)
    for step in (4, 0, 2):
        for name, value in again.batch(step, 4, 5)._asdict().items():
            np.testing.assert_array_equal(value, getattr(forward[step], name))
    assert not np.array_equal(forward[0].character_ids, forward[1].character_ids)
    assert not np.array_equal(
        forward[0].character_ids, TextSampler(charset, seed=4).batch(0, 4, 5).character_ids
    )


def test_codes_are_those_of_the_characters(charset):
    batch = TextSampler(charset, seed=0).batch(0, 6, 7)
    assert {name: (value.dtype, value.shape) for name, value in batch._asdict().items()} == {
        'component_ids': (np.int32, (6, 7, 4)),
        'structure_ids': (np.int32, (6, 7)),
        'boxes': (np.float32, (6, 7, 4, 4)),
        'character_ids': (np.int32, (6, 7)),
        'lengths': (np.int32, (6,)),
    }
    assert (batch.character_ids > 0).all()
    np.testing.assert_array_equal(batch.component_ids, charset.character_components[batch.character_ids])
    np.testing.assert_array_equal(batch.structure_ids, charset.character_structures[batch.character_ids])


def test_dictionary_lines_come_evenly_from_all_hanzi(charset):
    drawn = TextSampler(charset, seed=0, texts=[], dictionary_fraction=1).batch(0, 3000, 20).character_ids
    counts = np.bincount(drawn.ravel(), minlength=charset.num_characters)
    every = np.zeros(charset.num_characters, bool)
    every[hanzi(charset)] = True
    assert not counts[~every].any()
    mean = drawn.size / every.sum()
    # Pearson's statistic of an even draw has mean k - 1 and standard deviation sqrt(2 (k - 1)).
    statistic, freedom = ((counts[every] - mean) ** 2 / mean).sum(), every.sum() - 1
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)


def test_running_text_is_kept_in_order(charset):
    text = '天地玄黄，宇宙洪荒。'
    sampler = TextSampler(charset, seed=0, texts=[text], dictionary_fraction=0)
    for row in sampler.batch(0, 20, 4).character_ids:
        assert ''.join(charset.characters[i] for i in row) in text * 2
    long = sampler.batch(1, 1, 35).character_ids[0]
    assert ''.join(charset.characters[i] for i in long) in text * 5


def test_share_of_the_dictionary(charset):
    ids = TextSampler(charset, seed=0, texts=['一'], dictionary_fraction=0.3).batch(0, 4000, 3).character_ids
    share = np.mean((ids != charset.character_id('一')).any(axis=1))
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 4000)


def test_vocabulary_confines_both_parts(charset):
    vocabulary = [charset.character_id(c) for c in '天地人，']
    ids = (
        TextSampler(charset, seed=0, texts=['天上人间，地下'], vocabulary=vocabulary)
        .batch(0, 200, 4)
        .character_ids
    )
    assert set(ids.ravel().tolist()) == set(vocabulary)
    letters = [charset.character_id(c) for c in 'ab']
    ids = TextSampler(charset, seed=0, vocabulary=letters, texts=['back']).batch(0, 50, 4).character_ids
    assert set(ids.ravel().tolist()) == set(letters)


def test_running_text_of_the_embedded_corpus(charset):
    """By default: frequent characters are frequent, and Latin text comes where the vocabulary is Latin."""
    ids = TextSampler(charset, seed=0, dictionary_fraction=0).batch(0, 500, 20).character_ids
    counts = np.bincount(ids.ravel(), minlength=charset.num_characters)
    frequent = [charset.character_id(c) for c in list(sentences.character_counts())[:100]]
    assert counts[frequent].mean() > 5 * counts[hanzi(charset)].mean()
    letters = [charset.character_id(chr(c)) for c in range(ord('a'), ord('z') + 1)]
    ids = (
        TextSampler(charset, seed=0, dictionary_fraction=0, vocabulary=letters)
        .batch(0, 500, 20)
        .character_ids
    )
    counts = np.bincount(ids.ravel(), minlength=charset.num_characters)
    assert counts[charset.character_id('e')] > 5 * counts[charset.character_id('q')]


def test_impossible_arguments(charset):
    with pytest.raises(ValueError, match='texts of 2 characters: none of them is in the vocabulary'):
        TextSampler(charset, seed=0, texts=['天地'], vocabulary=[charset.character_id('人')])
    with pytest.raises(ValueError, match='dictionary_fraction=1.5: expected a share, 0 to 1'):
        TextSampler(charset, seed=0, dictionary_fraction=1.5)


def philox(*key):
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@pytest.mark.parametrize('fraction', [0, 0.4, 1])
def test_texts_by_the_numbers_of_their_streams(charset, fraction):
    """By numpy's Philox for (seed, 4), the order of the paragraphs, and (seed, 3, step): a run that goes
    on must write the same ones. Characters outside are passed over.
    """
    texts = ['天地Ж玄黄', '宇宙', '洪荒日月', '盈昃']
    allowed = [charset.character_id(c) for c in '天地玄黄宇洪荒日月盈昃，']
    dictionary = np.sort(allowed[:-1])
    running = [
        charset.character_id(c)
        for k in philox(9, 4).permutation(4)
        for c in texts[k]
        if c in '天地玄黄宇洪荒日月盈昃'
    ]
    sampler = TextSampler(
        charset, seed=9, texts=iter(texts), dictionary_fraction=fraction, vocabulary=[*allowed, *allowed]
    )
    for step in (0, 5):
        rng = philox(9, 3, step)
        from_dictionary = rng.random(8) < fraction
        drawn = rng.choice(dictionary, (8, 6)) if fraction else None
        starts = rng.integers(len(running), size=(8, 1)) if fraction < 1 else None
        expected = [
            (
                drawn[row].tolist()
                if from_dictionary[row]
                else [running[(int(starts[row, 0]) + i) % len(running)] for i in range(6)]
            )
            for row in range(8)
        ]
        assert sampler.batch(step, 8, 6).character_ids.tolist() == expected
    assert fraction != 0.4 or len({*from_dictionary.tolist()}) == 2


def test_a_vocabulary_of_symbols_alone_is_its_own_dictionary(charset):
    ids = [charset.character_id(c) for c in '，ab']
    found = (
        TextSampler(charset, seed=0, texts=['a'], dictionary_fraction=1, vocabulary=ids)
        .batch(0, 60, 3)
        .character_ids
    )
    assert {*found.ravel().tolist()} == {*ids}
    assert TextSampler(charset, seed=0, texts=['Ж'], dictionary_fraction=1, vocabulary=ids).batch(
        1, 2, 3
    ).character_ids.shape == (2, 3)
    with pytest.raises(
        ValueError,
        match=(
            'texts of 1 characters: none of them is in the vocabulary; expected running text, or'
            ' dictionary_fraction=1'
        ),
    ):
        TextSampler(charset, seed=0, texts=['Ж'], dictionary_fraction=0.99, vocabulary=ids)
    with pytest.raises(ValueError, match='dictionary_fraction=-0.1: expected a share'):
        TextSampler(charset, seed=0, dictionary_fraction=-0.1)
