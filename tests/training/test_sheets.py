"""Sample sheets: the same texts and styles every time, and pictures of the right pixels."""

import types

import numpy as np
import pytest
import tensorflow as tf

from hwgen.charset.encoding import Charset
from hwgen.inference.styles import character_noise, styles_from_seeds
from hwgen.training import sheets

CONFIG = types.SimpleNamespace(style_dim=6, character_noise_dim=2)
GENERATOR = types.SimpleNamespace(
    config=CONFIG,
    style_space=lambda normal: 3.0 + 2.0 * normal,
    # each character's noise is told by what it is and by the hand
    drawn_noise=lambda characters, style, normal: (
        characters.character_ids[..., None] + style[:, None, :1] + 2.0 * normal
    ),
)


@pytest.fixture(scope='module')
def charset():
    return Charset.load()


@pytest.fixture(scope='module')
def parts(charset):
    """Characters with images (200 hanzi, letters and punctuation), and 40 held out."""
    hanzi = charset.character_set('gb2312-1')
    return dict(vocabulary=charset.character_set('ascii') + hanzi[:200], held_out=hanzi[300:340])


def test_texts_are_of_their_pools_and_fixed(charset, parts):
    one = sheets.SampleSheets(charset, seed=3, num_characters=5, rows=6, **parts)
    two = sheets.SampleSheets(charset, seed=3, num_characters=5, rows=6, **parts)
    assert (
        one.texts
        == two.texts
        != sheets.SampleSheets(charset, seed=4, num_characters=5, rows=6, **parts).texts
    )
    assert all(len(lines) == 6 and all(len(line) == 5 for line in lines) for lines in one.texts.values())
    seen, unseen = (
        {charset.character_id(c) for line in one.texts[name] for c in line} for name in ('seen', 'unseen')
    )
    assert seen <= set(charset.character_set('gb2312-1')[:200]) and unseen <= set(parts['held_out'])
    assert one.texts['one_style'] == one.texts['seen'][:3] + one.texts['unseen'][:3]
    assert set(one.texts['one_text']) == {one.texts['seen'][0]}


def test_styles_are_what_the_names_say(charset, parts):
    drawn = sheets.SampleSheets(charset, num_characters=3, rows=4, **parts)
    inputs = {name: drawn.inputs(name, GENERATOR) for name in drawn.texts}
    assert inputs['seen']['characters'].component_ids.shape == (4, 3, 4) and inputs['seen'][
        'character_noise'
    ].shape == (
        4,
        3,
        2,
    )
    equal = {name: len(np.unique(one['style'], axis=0)) for name, one in inputs.items()}
    assert equal == dict(seen=4, unseen=4, one_style=1, one_text=4)
    np.testing.assert_array_equal(inputs['seen']['style'], inputs['unseen']['style'])
    np.testing.assert_array_equal(inputs['seen']['style'], 3.0 + 2.0 * styles_from_seeds(range(4), 6))
    np.testing.assert_array_equal(
        inputs['one_text']['characters'].structure_ids,
        inputs['one_text']['characters'].structure_ids[:1].repeat(4, 0),
    )


def test_nothing_held_out_takes_hanzi_without_images(charset, parts):
    drawn = sheets.SampleSheets(charset, vocabulary=parts['vocabulary'], held_out=(), num_characters=4)
    ids = {charset.character_id(c) for line in drawn.texts['unseen'] for c in line}
    assert ids <= set(charset.character_set('gb2312-1')) - set(parts['vocabulary'])


def test_latin_has_no_sheet_of_unseen_hanzi(charset):
    letters = charset.character_set('ascii')
    drawn = sheets.SampleSheets(charset, vocabulary=letters, held_out=(), num_characters=4)
    assert sorted(drawn.texts) == ['one_style', 'one_text', 'seen']
    assert all(character.isascii() for lines in drawn.texts.values() for line in lines for character in line)


def test_draw_puts_line_below_line(charset, parts):
    drawn = sheets.SampleSheets(charset, num_characters=2, rows=3, **parts)

    class Shades:
        config, style_space = CONFIG, staticmethod(GENERATOR.style_space)
        drawn_noise = staticmethod(GENERATOR.drawn_noise)

        def __call__(self, training, **inputs):
            assert training is False
            return tf.broadcast_to(tf.reshape(tf.constant([-1.0, 0.0, 1.0]), [3, 1, 1, 1]), [3, 8, 2 * 8, 1])

    for picture in drawn.draw(Shades()).values():
        assert picture.dtype == np.uint8 and picture.shape == (3 * (8 + sheets.GAP_PX), 16)
        assert [int(picture[row, 0]) for row in (0, 8, 14, 28)] == [0, 255, 128, 255]


def test_lines_of_other_widths_are_padded_with_paper():
    picture = sheets.stack_lines([np.zeros([2, 3], np.uint8), np.zeros([2, 5], np.uint8)])
    assert picture.shape == (2 * (2 + sheets.GAP_PX), 5)
    assert (
        (picture[:2, :3] == 0).all()
        and (picture[:2, 3:] == 255).all()
        and (picture[2:8] == 255).all()
        and (picture[8:10] == 0).all()
    )


def test_pairs_alternate():
    picture = sheets.pairs(np.full([2, 4, 4, 1], -1.0), np.full([2, 4, 4, 1], 1.0))
    assert picture[:: 4 + sheets.GAP_PX, 0].tolist() == [0, 255, 0, 255]


def test_heat_maps_show_the_lines_own_labels():
    """SPM is sure of label 2 in the left character's first cell and of label 3, which the line has not, in
    the second's.
    """
    logits = np.zeros([1, 4, 8, 5], np.float32)
    logits[..., 0] = 50.0
    logits[0, 0, 0] = [0.0, 0.0, 50.0, 0.0, 0.0]
    logits[0, 0, 4] = [0.0, 0.0, 0.0, 50.0, 0.0]
    picture = sheets.heat_maps(
        np.ones([1, 16, 32, 1], np.float32), tf.constant(logits), np.array([[[2, 0, 0, 0], [1, 4, 0, 0]]])
    )
    assert picture.shape == (16, 32, 3)
    np.testing.assert_array_equal(picture[1, 1], [255, 157, 157])  # 255 / 2 + 60 / 2
    np.testing.assert_array_equal(picture[1, 17], [255, 255, 255])
    assert (picture[4:] == 255).all()


def test_sheets_have_eight_rows_of_eight_where_nothing_is_said(charset, parts):
    drawn = sheets.SampleSheets(charset, **parts)
    assert drawn.rows == 8 and {(len(lines), *map(len, lines)) for lines in drawn.texts.values()} == {
        (8,) * 9
    }
    assert (
        drawn.texts
        == sheets.SampleSheets(charset, seed=0, **parts).texts
        != sheets.SampleSheets(charset, seed=1, **parts).texts
    )


def test_hands_and_characters_of_each_sheet(charset, parts):
    """Hands 0, 1, ... and from 100 on; one hand is the second; the noise is that of the hand and of each
    character's place. Five rows: two seen, three unseen.
    """
    drawn = sheets.SampleSheets(charset, num_characters=3, rows=5, **parts)
    assert drawn.texts['one_style'] == drawn.texts['seen'][:2] + drawn.texts['unseen'][:3]
    for name, hands in (
        ('seen', range(5)),
        ('unseen', range(5)),
        ('one_style', [1] * 5),
        ('one_text', range(100, 105)),
    ):
        inputs = drawn.inputs(name, GENERATOR)
        np.testing.assert_array_equal(inputs['style'], 3.0 + 2.0 * styles_from_seeds(hands, 6))
        normal = np.stack([character_noise(hand, 0, 3, character_noise_dim=2) for hand in hands])
        ids = inputs['characters'].character_ids[..., None]
        np.testing.assert_allclose(
            inputs['character_noise'], ids + inputs['style'][:, None, :1] + 2.0 * normal, rtol=1e-6
        )
        for row, text in enumerate(drawn.texts[name]):
            ids = np.array([charset.character_id(c) for c in text])
            np.testing.assert_array_equal(inputs['characters'].character_ids[row], ids)
            np.testing.assert_array_equal(
                inputs['characters'].component_ids[row], charset.character_components[ids]
            )
            np.testing.assert_array_equal(
                inputs['characters'].structure_ids[row], charset.character_structures[ids]
            )
            np.testing.assert_array_equal(
                inputs['characters'].boxes[row], charset.template_boxes[charset.character_structures[ids]]
            )


def test_too_few_that_were_held_out_are_not_enough_for_a_line(charset, parts):
    """As many as a line has characters are."""

    def ids(held_out):
        return {
            charset.character_id(c)
            for line in sheets.SampleSheets(
                charset, vocabulary=parts['vocabulary'], held_out=held_out, num_characters=4
            ).texts['unseen']
            for c in line
        }

    assert ids(parts['held_out'][:4]) <= set(parts['held_out'][:4]) and not ids(parts['held_out'][:3]) <= set(
        parts['held_out'][:3]
    )
    assert not ids(parts['held_out'][:3]) & set(parts['vocabulary'])


def test_letters_are_no_hanzi_where_there_are_any(charset):
    """The sheet `seen` then shows these alone; 一 and 龥, the first and near the last of the block, are
    among them.
    """
    for character in '一龥':
        vocabulary = np.array([charset.character_id(c) for c in 'abc，1' + character])
        drawn = sheets.SampleSheets(charset, vocabulary=vocabulary, held_out=(), num_characters=4)
        assert set(''.join(drawn.texts['seen'])) == {character} and 'unseen' in drawn.texts


def test_a_run_of_today_shows_the_same_texts_tomorrow(charset, parts):
    """Drawn one after the other from a stream of the seed, which is kept for good: so steps of a run that
    was resumed can be compared.
    """
    rng, hanzi = np.random.Generator(np.random.Philox(key=10)), parts['vocabulary'][-200:]
    drawn = sheets.SampleSheets(charset, seed=3, num_characters=5, rows=2, **parts)
    for name, pool in (('seen', hanzi), ('unseen', parts['held_out'])):
        assert drawn.texts[name] == [
            ''.join(charset.characters[i] for i in rng.choice(pool, 5)) for _ in range(2)
        ]
