"""Samples become records: what is counted and where it is said to lie, the pieces in which they come,
whose slant is taken away.
"""

import json
import math

import numpy as np
import pytest
from test_line_normalization import slanted, strokes

from hwgen.data.formats import registry
from hwgen.data.formats.format import Part
from hwgen.data.formats.samples import FormatError, Ink, Picture
from hwgen.data.preparing import conversion
from hwgen.data.preparing.conversion import Converter, Tally, converted
from hwgen.data.reading.records import decode_png

SETTINGS = dict(height_px=64, pen_px=2, shortest=1, longest=math.inf)


def picture(number, text='天', *, writer='', image=None, **fields):
    """A line with a bar whose place says its number."""
    if image is None:
        image = np.full((20, 30), 255, np.uint8)
        image[4:16, number : number + 3] = 0
    return Picture(image=image, text=text, writer=writer, record=number, offset=100 * number, **fields)


def part(samples, *, kind='dgrl', writer='', name='x.dgrl', num_bytes=1):
    def read(refuse):
        for sample in samples:
            if isinstance(sample, Exception):
                if refuse is None or not isinstance(sample, FormatError):
                    raise sample
                refuse(sample)
            else:
                yield sample

    return Part(
        name=name,
        kind=kind,
        writer=writer,
        partition='',
        num_bytes=num_bytes,
        read=read,
        format=registry.find_formats()[kind],
    )


def convert(samples, *, skip=True, chosen=None, after=0, kind='dgrl', writer='', **settings):
    tally = Tally(skip=skip)
    return (
        list(
            Converter(tally, **{**SETTINGS, **settings}).records(
                part(samples, kind=kind, writer=writer), chosen, after=after
            )
        ),
        tally,
    )


# ---- records and counts


def test_fields_of_a_record(charset):
    found, tally = convert([picture(1, ' 明A '), picture(2, '天天', writer='anna')], writer='007')
    record = found[0]
    assert (record.text, record.writer, record.source, record.boxes) == ('明A', '007', 'dgrl', None)
    np.testing.assert_array_equal(record.character_ids, charset.encode('明A').character_ids)
    np.testing.assert_array_equal(record.component_ids, charset.encode('明A').component_ids)
    np.testing.assert_array_equal(record.structure_ids, charset.encode('明A').structure_ids)
    np.testing.assert_array_equal(decode_png(record.image), picture(1).image)
    assert (
        found[1].writer == 'anna'
        and dict(tally.classes) == {'明': 1, 'A': 1, '天': 2}
        and not tally.skipped
        and not tally.rejected
    )
    assert tally.present == {*charset.encode('明A天').character_ids.tolist()}
    assert convert([picture(5)])[0][0].writer == 'unknown x.dgrl 5'


@pytest.mark.parametrize(
    'sample, reason, message',
    [
        (
            picture(3, '天\ufffd\ufffd', codes=(b'\xcc\xec', b'\xff\xff', b'\x80\x01')),
            'code',
            'x.dgrl, line 3, byte 300: code ffff 8001 decodes to nothing, expected GBK or ASCII',
        ),
        (picture(3, '\ufffd'), 'code', 'x.dgrl, line 3, byte 300: a code decodes to nothing'),
        (picture(3, '天Ж'), 'text', 'x.dgrl, line 3, byte 300: '),
        (picture(3, ' '), 'text', 'x.dgrl, line 3, byte 300: no text, expected at least one character'),
        (
            picture(3, image=np.full((9, 9), 255, np.uint8)),
            'blank',
            r'x.dgrl, line 3, byte 300: no ink \(grey levels 255 to 255\)',
        ),
        (
            picture(3, boxes=np.zeros((1, 4), np.int32), image=np.full((9, 9), 200, np.uint8)),
            'blank',
            'byte 300: no ink .all of grey level 200.',
        ),
    ],
)
def test_what_cannot_be_used_is_named_and_counted_or_raised(sample, reason, message):
    found, tally = convert([picture(1), sample, picture(2)])
    assert (
        [record and record.text for record in found] == ['天', None, '天']
        and dict(tally.skipped) == {reason: 1}
        and list(tally.rejected.values()) == [reason]
    )
    assert dict(tally.classes) == {'天': 2}
    with pytest.raises(FormatError, match=message) as raised:
        convert([picture(1), sample], skip=False)
    assert raised.value.reason == reason and list(tally.rejected) == [str(raised.value)]


def test_codes_and_characters_outside_are_counted():
    _, tally = convert(
        [
            picture(1, '\ufffd天\ufffd', codes=(b'\xff', b'\xcc', b'\x81')),
            picture(2, '\ufffd', codes=(b'\xff',)),
            picture(3, 'Ж天ЖЯ'),
        ]
    )
    assert dict(tally.codes) == {'ff': 2, '81': 1} and dict(tally.outside) == {'Ж': 2, 'Я': 1}
    _, tally = convert([picture(1, '\ufffd' * 25, codes=tuple(bytes([i]) for i in range(25)))])
    assert (
        ' 13 decodes' in list(tally.rejected)[0] and ' 14' not in list(tally.rejected)[0].partition('byte')[2]
    ), 'twenty of them'


def test_a_composed_character_is_none_of_the_table(charset):
    """As an IDS: it has no id of its own, and counts by its sequence."""
    (record,), tally = convert([picture(1, '天⿰木火')])
    assert record.character_ids.tolist() == [charset.character_id('天'), 0] and tally.present == {
        charset.character_id('天')
    }
    assert dict(tally.classes) == {'天': 1, '⿰木火': 1} and record.text == '天⿰木火'


def test_lengths_notes_and_what_was_not_chosen():
    samples = [picture(i, '天' * i) for i in (1, 2, 3, 4)] + [picture(5, '天', note='segmentation')]
    found, tally = convert(samples, shortest=2, longest=3)
    assert [record and len(record.text) for record in found] == [None, 2, 3, None, None] and dict(
        tally.skipped
    ) == {'length': 2, 'segmentation': 1}
    assert not tally.rejected
    found, tally = convert(samples, chosen=lambda number: number in (2, 4))
    assert [record and len(record.text) for record in found] == [None, 2, None, 4, None] and not tally.skipped
    assert [len(record.text) for record in convert(samples[:4], after=3)[0]] == [4]
    assert [
        record and len(record.text)
        for record in convert(samples[:4], after=2, chosen=lambda number: number != 3)[0]
    ] == [None, 4]


def test_a_file_that_ends_early_or_cannot_be_read():
    for error, reason, message in (
        (FormatError('x.dgrl: short', reason='truncated'), 'truncated', 'x.dgrl: short'),
        (OSError(5, 'Input/output error'), 'file', 'x.dgrl, byte 0: Input/output error'),
        (OSError('odd'), 'file', 'x.dgrl, byte 0: odd'),
    ):
        found, tally = convert([picture(1), error, picture(2)])
        assert (
            tally.rejected == {message: reason}
            and dict(tally.skipped) == {reason: 1}
            and len(found) == (2 if reason == 'truncated' else 1)
        )
        with pytest.raises(FormatError, match=message) as raised:
            convert([picture(1), error], skip=False)
        assert raised.value.reason == reason


def test_the_same_message_counts_once():
    tally = Tally(skip=True)
    for _ in range(2):
        tally.refuse(FormatError('a', reason='size'))
        tally.refuse(FormatError('b', reason='other'))
    assert tally.rejected == {'a': 'size', 'b': 'other'} and dict(tally.skipped) == {'size': 1, 'other': 1}


def test_tallies_add_up_as_if_all_had_been_counted_by_one():
    first = [
        picture(1, '天地'),
        picture(2, 'Ж'),
        picture(3, '地' * 9),
        picture(4, '\ufffd', codes=(b'\xff',)),
    ]
    second = [picture(5, '天'), picture(2, 'Ж'), picture(6, 'Я')]
    total, whole = Tally(skip=True), convert(first + second, longest=5)[1]
    for samples in (first, second):
        total.merge(json.loads(json.dumps(convert(samples, longest=5)[1].as_json())))
    assert total.as_json() == whole.as_json() and total.outside == {'Ж': 2, 'Я': 1}
    assert dict(total.skipped) == {
        'text': 2,
        'length': 1,
        'code': 1,
    }, 'a part that is read again for another split is not counted again'
    old = whole.as_json()
    del old['remarks']
    total.merge(old)
    assert total.remarks == {}


# ---- sizes, boxes


def test_boxes_follow_the_scaling_and_are_left_out_where_they_are_not_of_the_text():
    image = np.full((128, 90), 255, np.uint8)
    image[30:90, 10:80] = 0
    boxes = np.array([[10, 30, 41, 90], [41, 31, 80, 90]], np.int32)
    (record,), _ = convert([picture(1, '天地', image=image, boxes=boxes)])
    assert (
        decode_png(record.image).shape == (64, 45)
        and record.boxes.tolist() == [[5, 15, 20, 45], [20, 16, 40, 45]]
        and record.boxes.dtype == np.int32
    )
    (record,), _ = convert([picture(1, '天', image=image, boxes=boxes)])
    assert record.boxes is None


def test_characters_of_a_file_of_ink_have_the_size_of_a_usual_one():
    def drawn(size):
        return Ink(
            strokes=(np.array([[0, 0], [size, 0], [size, size], [0, size], [0, 0]], np.int32),),
            text='口',
            writer='',
            record=1,
            offset=0,
        )

    found, _ = convert([drawn(200), drawn(100), drawn(200)], kind='pot')
    sides = [np.ptp(np.flatnonzero((decode_png(record.image) < 128).any(0))) + 1 for record in found]
    assert sides[0] == sides[2] == 62 and abs(sides[1] - (60 / 2 + 2)) <= 1
    (line,), _ = convert([drawn(100)], kind='wptt')
    assert np.ptp(np.flatnonzero((decode_png(line.image) < 128).any(0))) + 1 == 62


# ---- slant


@pytest.mark.parametrize('writer, left', [('007', [-20, 0, 0, 0, 0]), ('', [0] * 5)])
def test_a_slant_is_that_of_the_first_lines_of_a_hand(writer, left):
    """An upright line among four that lean 20 degrees is sheared with them; of an unknown hand each is by
    itself.
    """
    lines = [picture(i, image=slanted(strokes(i), 20 if i else 0)) for i in range(5)]
    found, _ = convert(lines, writer=writer, deslant=True)
    assert (
        np.abs(
            [
                conversion.estimate_slant([decode_png(record.image)]) - angle
                for record, angle in zip(found, left, strict=True)
            ]
        ).max()
        <= 2
    )
    kept, _ = convert(lines, writer=writer)
    np.testing.assert_array_equal(decode_png(kept[3].image), lines[3].image)


@pytest.mark.parametrize('writer, asked', [('007', [40]), ('', [0] + [1] * 43)])
def test_a_hand_is_estimated_once_from_forty_lines(monkeypatch, writer, asked):
    counts = []
    monkeypatch.setattr(conversion, 'estimate_slant', lambda images: counts.append(len(list(images))) or 0)
    assert len(convert([picture(1)] * 43, writer=writer, deslant=True)[0]) == 43 and counts == asked
    counts.clear()
    convert(
        [picture(1), picture(2, image=np.full((9, 9), 255, np.uint8)), picture(3)], writer='007', deslant=True
    )
    assert counts == [2], 'what is no line has no slant'


# ---- pieces


def test_a_part_comes_in_pieces_and_goes_on_within(monkeypatch):
    monkeypatch.setattr(conversion, '_PIECE_SAMPLES', 3)
    parts = [
        (part([picture(i) for i in range(1, 8)], name='a'), None),
        (part([picture(i) for i in range(1, 4)], name='b'), lambda number: number > 1),
        (part([picture(1, 'Ж')], name='c'), None),
    ]

    def pieces(done=0, within=0):
        return [
            ([record.writer for record in piece.records], piece.done, piece.within, piece.found['skipped'])
            for piece in converted(parts, done, within, settings=SETTINGS, skip=True)
        ]

    expected = [
        ([f'unknown a {i}' for i in (1, 2, 3)], 0, 3, {}),
        ([f'unknown a {i}' for i in (4, 5, 6)], 0, 6, {}),
        (['unknown a 7'], 1, 0, {}),
        (['unknown b 2', 'unknown b 3'], 1, 3, {}),
        ([], 2, 0, {}),
        ([], 3, 0, {'text': 1}),
    ]
    assert pieces() == expected
    assert (
        pieces(0, 6) == expected[2:]
        and pieces(1, 0) == expected[3:]
        and pieces(1, 3) == expected[4:]
        and pieces(2) == expected[5:]
        and not pieces(3)
    )
    assert pieces(0, 2)[0] == ([f'unknown a {i}' for i in (3, 4, 5)], 0, 5, {})


def test_which_parts_other_processes_read(monkeypatch):
    """Those of at most 64 MiB that are no data base; the answers are in order."""
    asked = []

    class Pool:
        """Stands for a WorkerPool: works where it is called."""

        def results(self, function, tasks, *, names):
            for number, task in enumerate(tasks):
                asked.append(names(number) if task else None)
                yield task and function(*task)

    parts = [
        (part([picture(1), picture(2)], name=name, kind=kind, num_bytes=size), None)
        for name, kind, size in (
            ('a', 'dgrl', 64 << 20),
            ('b', 'dgrl', (64 << 20) + 1),
            ('c', 'lmdb', 5),
            ('d', 'dgrl', 9),
        )
    ]
    monkeypatch.setattr(conversion, '_PIECE_SAMPLES', 1)
    found = [
        (len(piece.records), piece.done, piece.within)
        for piece in converted(parts, 0, 1, settings=SETTINGS, skip=True, pool=Pool())
    ]
    assert asked == ['a', None, None, 'd'] and found == [
        (1, 1, 0),
        (1, 1, 1),
        (1, 1, 2),
        (0, 2, 0),
        (1, 2, 1),
        (1, 2, 2),
        (0, 3, 0),
        (2, 4, 0),
    ]
    asked.clear()
    assert [piece.done for piece in converted(parts, 3, 0, settings=SETTINGS, skip=True, pool=Pool())] == [
        4
    ] and asked == ['d']
