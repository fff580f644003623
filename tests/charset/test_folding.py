"""Forms that look alike: which stands for which, and that nothing becomes what it does not look like."""

import numpy as np
import pytest

from hwgen.charset import folding
from hwgen.charset.encoding import Charset

CHINESE = set('，。、；：？！“”（）《》0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
LATIN = set(' abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:\'"-!?()')


def folded(text, seen):
    charset = Charset.load()
    rows = folding.folded_ids(
        folding.fold_unseen(charset, seen.__contains__), charset.encode(text).component_ids
    )
    return ''.join(charset.characters[row] if row else character for row, character in zip(rows, text))


@pytest.mark.parametrize(
    'seen, text, expected',
    [
        (CHINESE, ',;:?!()', '，；：？！（）'),
        (CHINESE, '，。；', '，。；'),  # what was shown stays
        (CHINESE, '"你好"，"好"', '“你好”，“好”'),
        (CHINESE, '"a"b"', '“a”b“'),
        (CHINESE, '〇×∶″', 'Ox：”'),
        (
            CHINESE,
            ".-%—…·'‘’、",
            ".-%—…·'‘’、",
        ),  # nothing that was shown looks like them: a full stop is no 。
        (LATIN, '，；：？！（）．', ',;:?!().'),
        (LATIN, '“a”‘b’', '"a"\'b\''),
        (LATIN, '。、《》', '。、《》'),
        (CHINESE - set('”'), '"a"', '"a"'),  # half of a pair is none
        (set('，,'), ',，', ',，'),
        (set(), ',，"“', ',，"“'),
    ],
)
def test_which_form_is_written(seen, text, expected):
    assert folded(text, seen) == expected


def test_turns_go_on_from_the_text_before():
    charset = Charset.load()
    table, codes = folding.fold_unseen(charset, CHINESE.__contains__), charset.encode('"好"').component_ids
    assert [
        [charset.characters[i] for i in folding.folded_ids(table, codes, turned=before) if i]
        for before in (0, 1, 2)
    ] == [['“', '”'], ['”', '“'], ['“', '”']]


def test_turns_are_counted_within_a_line_and_by_what_takes_turns_alone():
    charset = Charset.load()
    table, codes = folding.fold_unseen(charset, CHINESE.__contains__), charset.encode(',"a"?"b').component_ids
    for before, expected in ((0, '，“”？“'), (1, '，”“？”'), (7, '，”“？”')):
        assert (
            ''.join(charset.characters[i] for i in folding.folded_ids(table, codes, turned=before) if i)
            == expected
        )


def test_the_table_of_forms():
    """Every form is a symbol of the table, with a component of its own, and none is folded onto a hanzi or
    itself.
    """
    charset = Charset.load()
    symbols = {charset.characters[i] for i in charset.character_set('symbols')} | {
        charset.characters[i] for i in charset.character_set('ascii')
    }
    for character, forms in (*folding.ALIKE.items(), *folding.BY_TURNS.items()):
        assert character in symbols and set(forms) <= symbols and character not in forms, character
        assert len(set(forms)) == len(forms)
        row = charset.character_id(character)
        assert (
            charset.components[charset.character_components[row, 0]] == character
            and not charset.character_components[row, 1:].any()
        )
    boxes = charset.template_boxes[[charset.character_structures[charset.character_id(c)] for c in ',，']]
    np.testing.assert_array_equal(boxes[0], boxes[1])  # which is why the graph need not change them
