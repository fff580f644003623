"""What a plan makes of its arguments: who writes, what is held out, how long lines are, who is able to
write a given text.
"""

import hashlib

import numpy as np
import pytest

from hwgen.charset import symbols
from hwgen.data.scribe import corpus, sentences
from hwgen.data.scribe.corpus import plan_corpus
from hwgen.data.scribe.fonts import open_font
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.data.scribe.plan import _composer, _holds_pen

SMALL = dict(lines=20, validation_lines=4, test_lines=4, unseen_lines=4)


# SHA-256 of a plan and of the first texts of its splits, the first 16 digits: golden, for the same arguments
# are the same corpus.
@pytest.mark.parametrize(
    'options, plan_digest, text_digest',
    [
        ({}, '6bb089d8412bf622', '32de666b5755d4d0'),
        (dict(seed=2, pen_share=0.0, lines=60), '5b632200974a33b0', '57bd5c5b2f83e8d4'),
        (
            dict(seed=3, vocabulary_size=300, held_out=30, min_characters=1, max_characters=20),
            '867ac568b725dd42',
            '63e4cd443bb2ce6c',
        ),
        (dict(script='latin', seed=1, max_characters=30), '218c4b2043d63d95', 'e35b43f017d95000'),
        (
            dict(seed=4, lines=300, held_out=30, shots=(0, 2, 7), num_writers=33),
            'e43c7507e5f28814',
            'bbe5f4012f70ca5b',
        ),
        (
            dict(
                texts=('明天', '⿱山鱼', '3.14 ok'),
                lines=9,
                test_lines=2,
                unseen_lines=0,
                vertical=True,
                slips=0.2,
            ),
            'e6cae4145915dbb7',
            'a311a31cb506db64',
        ),
    ],
)
def test_version_2_plans_are_these(options, plan_digest, text_digest):
    plan = plan_corpus(**options)
    told = [plan.text(split, i) for split, count in plan.splits.items() for i in range(min(40, count))]
    assert (digest_of(repr(plan)), digest_of('\n'.join(told))) == (plan_digest, text_digest)


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_texts_of_version_1_1_are_these():
    plan = plan_corpus(version='1.1')
    assert digest_of('\n'.join(plan.text('train', i) for i in range(900))) == '8d66443b2e4ad4cd'


def test_writers_of_splits_follow_each_other():
    """A tenth as many as in training, at least four."""
    for count, others in ((400, 40), (49, 4), (50, 5), (59, 5), (1, 4)):
        writers = plan_corpus(script='latin', num_writers=count).writers
        starts = [0, count, count + others, count + 2 * others, count + 3 * others]
        assert list(writers) == ['train', 'validation', 'test', 'unseen'] and list(writers.values()) == [
            range(a, b) for a, b in zip(starts, starts[1:])
        ]


@pytest.mark.parametrize(
    'name, least',
    [
        ('seed', 0),
        ('lines', 0),
        ('validation_lines', 0),
        ('test_lines', 0),
        ('unseen_lines', 0),
        ('held_out', 0),
        ('vocabulary_size', 1),
        ('num_writers', 1),
        ('min_characters', 1),
        ('height_px', 16),
    ],
)
def test_the_least_of_an_argument(name, least):
    others = {'unseen_lines': 0} if name in ('held_out', 'vocabulary_size') else {}
    plan_corpus(**{**SMALL, **others, name: least})
    with pytest.raises(ValueError, match=f'{name}={least - 1}: expected at least {least}'):
        plan_corpus(**{**SMALL, **others, name: least - 1})


def test_who_writes_with_a_pen_unless_told():
    def share(**options):
        return plan_corpus(**SMALL, **options).pen_share

    assert share() == 0.5 and share(vertical=True) == share(slips=0.1) == share(pen_share=1, slips=1) == 1
    assert plan_corpus(script='latin').pen_share == 0 and plan_corpus(version='1.1').pen_share == 0
    assert share(pen_share=0) == 0 and share(pen_share=1) == 1 and type(share(pen_share=1)) is float
    for options in (
        {'slips': 1.01},
        {'pen_share': -0.01},
        {'vertical': True, 'pen_share': 0.99},
        {'vertical': True, 'script': 'latin'},
    ):
        with pytest.raises(ValueError, match='slips=|pen_share='):
            plan_corpus(**options)
    plan_corpus(min_characters=3, max_characters=3)


@pytest.mark.parametrize(
    'share, pens',
    [
        (0.0, []),
        (1.0, list(range(10))),
        (0.5, [1, 3, 5, 7, 9]),
        (0.3, [3, 6, 9]),
        (0.7, [1, 2, 4, 5, 7, 8, 9]),
    ],
)
def test_pens_are_spread_among_the_writers(share, pens):
    """By hand: the writer with whom the sum of shares reaches the next whole number."""
    assert [index for index in range(10) if _holds_pen(index, share)] == pens
    assert [index for index in range(1000) if _holds_pen(index, share)][-len(pens) or 1000 :] == [
        990 + index for index in pens
    ]


@pytest.mark.parametrize('share', [0.29, 0.57, 0.58, 0.1])
def test_shares_that_binary_numbers_miss_by_a_hair_are_met(share):
    """100 * .29 is 28.999999999999996: of a hundred writers 29 have a pen all the same."""
    assert sum(_holds_pen(index, share) for index in range(100)) == round(100 * share)


def test_the_smallest_vocabulary_that_shows_all_components():
    charset = corpus.corpus_charset()
    cover, of_symbols = (
        set(charset.component_cover()),
        {charset.character_id(c) for c in symbols.SYMBOLS + symbols.FURTHER_SYMBOLS},
    )
    assert set(plan_corpus(vocabulary_size=len(cover)).vocabulary) - of_symbols == cover
    # the most frequent ones
    assert (
        len(set(plan_corpus(vocabulary_size=len(cover) - 1, held_out=5).vocabulary) - of_symbols - cover)
        > 100
    )


def test_short_lines_are_more_frequent():
    """By hand: 2 + int(7 u^1.4); u = .5: 7 * .379."""
    plan, rng = plan_corpus(script='latin'), type('', (), {})()
    for u, length in ((0.0, 2), (0.5, 4), (0.249, 2), (0.2491, 3), (0.8958, 8), (0.8956, 7), (0.99999, 8)):
        rng.random = lambda: u
        assert plan._length(rng) == length, u
    lengths = np.bincount([plan._length(np.random.default_rng(seed)) for seed in range(3000)], minlength=10)
    expected = np.diff((np.arange(8) / 7) ** (1 / 1.4))
    np.testing.assert_allclose(lengths[2:9] / 3000, expected, atol=0.03)


def test_the_outline_tells_lengths_and_writers_of_lines():
    plan = plan_corpus(seed=5, **SMALL)
    for split, count in plan.splits.items():
        lengths, writers = plan.outline(split)
        assert (
            lengths.dtype == np.int32 and writers.dtype == np.int64 and len(lengths) == len(writers) == count
        )
        for i in range(count):
            text, writer, _ = plan._begun(split, i)
            assert (
                len(text) == lengths[i]
                and writer.name.endswith(f'5-{writers[i]}')
                and writers[i] in plan.writers[split]
            )
    assert set(plan.outline('train')[1]) != set(range(400))


def test_characters_are_held_out_by_their_hash_among_the_common_ones():
    """Independently: of the 2500 most frequent, without those that show a component or structure, the 200
    of the smallest SHA-256.
    """
    plan, charset = plan_corpus(), corpus.corpus_charset()
    frequent = [charset.character_id(c) for c in sentences.character_counts()]
    cover = set(charset.component_cover())
    left = [i for i in frequent if i][:2500]
    expected = sorted(
        (i for i in left if i not in cover),
        key=lambda i: hashlib.sha256(charset.characters[i].encode()).hexdigest(),
    )[:200]
    assert plan.held_out == tuple(sorted(expected))
    hanzi = set(plan.vocabulary) - {
        charset.character_id(c) for c in symbols.SYMBOLS + symbols.FURTHER_SYMBOLS
    }
    assert len(hanzi) == 3500 and cover <= hanzi and not hanzi - cover - set(frequent)
    rest = [i for i in frequent if i and i not in cover and i not in set(expected)]
    assert hanzi - cover == set(rest[: 3500 - len(cover)])
    # too few for the components: the most frequent, and what they can be composed to
    small = plan_corpus(vocabulary_size=300, held_out=30)
    assert {i for i in small.vocabulary if charset.characters[i] in sentences.character_counts()} == set(
        [i for i in frequent if i][:300]
    )
    assert set(small.held_out) < set([i for i in frequent if i][300:2500]) and len(small.held_out) == 30


def test_without_pens_only_what_fonts_draw_is_shown():
    plan, charset = plan_corpus(pen_share=0.0), corpus.corpus_charset()
    drawn = set().union(
        *(
            open_font(name).characters
            for name in ('long-cang', 'zhi-mang-xing', 'ma-shan-zheng', 'lxgw-wenkai', 'kose')
        )
    )
    hanzi = {charset.characters[i] for i in plan.vocabulary} - set(symbols.SYMBOLS + symbols.FURTHER_SYMBOLS)
    assert hanzi <= drawn and {charset.characters[i] for i in plan.held_out} <= drawn
    frequent, covering = corpus._drawable('1.1', 0.0)
    assert (
        covering == open_font('lxgw-wenkai').characters
        and frequent
        == covering
        & open_font('long-cang').characters
        & open_font('zhi-mang-xing').characters
        & open_font('ma-shan-zheng').characters
    )
    assert corpus._drawable('2.0', 0.01) == (None, None) and corpus._drawable('2.0', 0.0) == (drawn, drawn)


def test_copies_of_a_text_go_from_writer_to_writer():
    texts = tuple(f'第{i}行' for i in range(3))
    plan = plan_corpus(
        seed=1,
        lines=12,
        validation_lines=2,
        test_lines=3,
        unseen_lines=0,
        texts=texts,
        num_writers=5,
        pen_share=1.0,
    )
    writers = [int(plan._begun('train', i)[1].name.split('-')[1]) for i in range(12)]
    for place in range(3):
        own = writers[place::3]
        assert [(index - own[0]) % 5 for index in own] == [0, 1, 2, 3]
    assert len(set(writers[:3])) > 1
    # As many lines as texts: each once.
    assert [plan.text('test', i) for i in range(3)] == list(texts)
    # Fewer lines: out of equal parts, [0, 1) and [1, 3) here.
    first, second = plan.text('validation', 0), plan.text('validation', 1)
    assert first == texts[0] and second in texts[1:]
    plans = [
        plan_corpus(seed=seed, lines=0, validation_lines=2, test_lines=0, unseen_lines=0, texts=texts)
        for seed in range(12)
    ]
    assert {plan.text('validation', 0) for plan in plans} == {texts[0]} and {
        plan.text('validation', 1) for plan in plans
    } == set(texts[1:])


def test_a_text_that_a_font_lacks_goes_to_the_next_pen():
    """Writers 0 to 9, pens are 3, 6 and 9."""
    plan = plan_corpus(
        seed=0,
        lines=1,
        validation_lines=0,
        test_lines=0,
        unseen_lines=0,
        texts=('⿱山鱼', '明'),
        num_writers=10,
        pen_share=0.3,
    )
    writers = plan.writers['train']
    assert [plan._able(writers, chosen, '⿱山鱼').name for chosen in range(10)] == [
        f'pen 0-{index}' for index in (3, 3, 3, 3, 6, 6, 6, 9, 9, 9)
    ]
    for chosen in range(10):
        writer = plan._able(writers, chosen, '明')
        assert writer.name == plan.writer(chosen).name
    without = plan._replace(pen_share=0.0)
    assert (
        without._able(writers, 4, '⿱山鱼').name == 'pen 0-4'
    )  # nobody has one: the chosen one takes one up
    assert without._replace(script='latin')._able(writers, 4, '明').name == 'latin 0-4'
    assert isinstance(plan._able(writers, 9, '明'), PenWriter)


def test_lines_run_down_and_hold_slips_where_the_plan_says_so():
    options = dict(seed=3, lines=6, validation_lines=0, test_lines=0, unseen_lines=0)
    plain, down, slipped = (
        plan_corpus(pen_share=1.0, **options, **ways).line('train', 2)
        for ways in ({}, {'vertical': True, 'height_px': 48}, {'slips': 1.0})
    )
    assert (
        plain.text == down.text == slipped.text
        and plain.writer == down.writer == slipped.writer
        and len(plain.text) > 1
    )
    assert plain.image.shape[0] == 64 and down.image.shape[1] == 48 and down.image.shape[0] > 48
    assert slipped.image.shape[1] > 1.3 * plain.image.shape[1] and len(slipped.boxes) == len(plain.boxes)
    for record in (plain, down, slipped):
        assert (
            record.component_boxes.shape == (len(record.text), 4, 4)
            and len(record.trajectory) == len(record.trajectory_slots) > 50
        )
        encoded = corpus.corpus_charset().encode(record.text)
        np.testing.assert_array_equal(record.structure_ids, encoded.structure_ids)
        np.testing.assert_array_equal(record.character_ids, encoded.character_ids)


def test_wide_letters_are_written_as_letters():
    """The text stays as it was given, the picture is that of its normal form."""
    plan = plan_corpus(
        lines=2,
        validation_lines=0,
        test_lines=0,
        unseen_lines=0,
        texts=('Ａ山',),
        num_writers=1,
        pen_share=0.0,
    )
    record, (_, writer, rng) = plan.line('train', 1), plan._begun('train', 1)
    np.testing.assert_array_equal(record.image, writer.write_line('A山', rng).image)
    assert record.text == 'Ａ山' and len(record.boxes) == 2


def test_shots_fill_all_lines_if_need_be():
    options = dict(validation_lines=0, test_lines=0, unseen_lines=0, held_out=20, shots=(0, 5))
    plan = plan_corpus(lines=50, **options)
    assert sorted(plan.shown) == list(range(50)) == list(plan.shown) and all(
        list(plan.shown.values()).count(i) == 5 for i in plan.shots[5]
    )
    with pytest.raises(ValueError, match='50 training lines .* lines=49'):
        plan_corpus(lines=49, **options)
    with pytest.raises(ValueError, match='shots=0,-1: expected different numbers of at least 0'):
        plan_corpus(lines=50, **{**options, 'shots': (0, -1)})
    assert len(plan_corpus(lines=50, **{**options, 'held_out': 2}).shots[5]) == 1


def test_a_font_with_none_of_the_characters_leaves_them_to_another():
    charset = corpus.corpus_charset()
    ids = tuple(charset.character_id(c) for c in '说龙书')
    assert _composer(ids, 'chinese', '2.0', True, 'kiloji').hanzi == list('说龙书')
    assert _composer(ids, 'chinese', '2.0', True, 'lxgw-wenkai').hanzi == list('说龙书')
    ids = tuple(charset.character_id(c) for c in '说山')
    assert _composer(ids, 'chinese', '2.0', True, 'kiloji').hanzi == ['山'] and _composer(
        ids, 'chinese', '2.0', True, None
    ).hanzi == ['说', '山']
