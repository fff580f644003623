"""What the page asks for, against the Writer and the dictionary; its complaints; and what the file itself
may not hold.
"""

import base64
import io
import json
import re
import types

import numpy as np
import pytest
from PIL import Image

from hwgen.charset.encoding import Charset
from hwgen.serving.page import MAX_ROWS, Page, PageError
from hwgen.serving.saved_version import SavedVersion


@pytest.fixture(scope='module')
def page(served):
    return Page('pen', 7, served)


def ask(page, **request):
    status, content = page.write(json.dumps(request).encode())
    return status, json.loads(content)


def picture(row):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(row['image']))))


def test_settings_come_from_the_version(page):
    assert json.loads(page.settings) == dict(
        model='pen',
        version=7,
        max_rows=MAX_ROWS,
        num_directions=4,
        truncation=0.8,
        largest_truncation=2.0,
        largest_amount=4.0,
    )


def test_rows_are_the_hands_of_generate(page, writer):
    text, hands, mixes = '永⿱山鱼人', [3, 8], [0, 0.5, 1]
    status, answer = ask(page, text=text, hands=hands, mixes=mixes, truncation=0.6)
    assert status == 200 and [row['mix'] for row in answer['rows']] == mixes
    styles = writer.styles_between(*hands, steps=3, truncation=0.6)
    encoded = writer.encode(text)
    for row, style in zip(answer['rows'], styles):
        (expected,) = writer.write([text], styles=style[np.newaxis], style_seeds=3, truncation=0.6)
        assert (row['width'], row['height']) == expected.shape[::-1] == (16 * len(encoded.units), 16)
        # The fitted map moves a style by up to 1e-4; a second grey level is what that may take.
        assert np.std(expected) > 1 and np.abs(picture(row).astype(int) - expected).max() <= 2
    (first,) = writer.write([text], style_seeds=3, truncation=0.6)
    assert np.abs(picture(answer['rows'][0]).astype(int) - first).max() <= 2


def test_what_is_left_out_has_defaults_and_sliders_move_the_hand(page, writer, truncation):
    (expected,) = writer.write(['永'], truncation=truncation)
    plain = picture(ask(page, text='永')[1]['rows'][0])
    assert np.abs(plain.astype(int) - expected).max() <= 2
    assert np.abs(picture(ask(page, text='永', directions=[2.5])[1]['rows'][0]).astype(int) - plain).max() > 2


def test_characters_are_described_as_the_dictionary_has_them(page, writer):
    characters = ask(page, text='湖⿱山鱼a')[1]['characters']
    assert [(one['text'], one['position']) for one in characters] == [('湖', 0), ('⿱山鱼', 1), ('a', 4)]
    for one in characters:
        encoded = writer.charset.encode(one['text'])
        assert one['structure'] == writer.charset.structures[encoded.structure_ids[0]]
        assert [part['name'] for part in one['components']] == [
            writer.charset.components[i] for i in encoded.component_ids[0] if i
        ]
        np.testing.assert_allclose(
            [part['box'] for part in one['components']], encoded.boxes[0][: len(one['components'])], atol=1e-4
        )
    assert [part['name'] for part in characters[1]['components']] == ['山', '鱼']


@pytest.mark.parametrize(
    'request_, said, position',
    [
        (dict(text='永ก'), 'U+0E01 ก at position 1', 1),
        (dict(text='永⿱山'), 'position 3: the text ends inside ⿱', 3),
        (dict(text=''), 'empty text', 0),
        (dict(text='\ud800'), 'U+D800', 0),
        (dict(text='永' * 81), 'length 81: expected 1 to 80', None),
        (dict(text='永' * 4097), 'text of 4097 code points: expected at most 4096', 4096),
        (dict(text='⿱' * 2000), 'deep', None),
        (dict(text=5), 'text: expected a string', None),
        (dict(), 'text: expected a string', None),
        (dict(text='永', hands=[1]), 'hands: expected 2 integers from 0 to 1.84467e+19', None),
        (dict(text='永', hands=[1, 2**64]), 'hands: expected 2 integers', None),
        (dict(text='永', hands=[1, 2.5]), 'hands: expected 2 integers', None),
        (dict(text='永', hands=[1, True]), 'hands: expected 2 integers', None),
        (dict(text='永', mixes=[]), f'mixes: expected 1 to {MAX_ROWS} numbers from 0 to 1', None),
        (dict(text='永', mixes=[0.5] * (MAX_ROWS + 1)), 'mixes: expected', None),
        (dict(text='永', mixes=[1.5]), 'mixes: expected', None),
        (dict(text='永', mixes=[float('nan')]), 'mixes: expected', None),
        (dict(text='永', truncation='wild'), 'truncation: expected a number from 0 to 2', None),
        (dict(text='永', truncation=10**400), 'truncation: expected a number from 0 to 2', None),
        (dict(text='永', directions=[0] * 5), 'directions: expected 0 to 4 numbers from -4 to 4', None),
        (dict(text='永', directions=dict(a=1)), 'directions: expected', None),
    ],
)
def test_complaints(page, request_, said, position):
    status, answer = ask(page, **request_)
    assert status == 400 and said in answer['error'] and (position is None or answer['position'] == position)


@pytest.mark.parametrize(
    'body, said',
    [
        (b'{', 'JSON Parse error'),
        (b'\xff', 'JSON Parse error'),
        (b'[' * 100_000, 'nested too deeply'),
        (b'[]', 'expected a JSON object'),
    ],
)
def test_bodies_that_are_no_request(page, body, said):
    status, content = page.write(body)
    assert status == 400 and said in json.loads(content)['error']


def test_versions_that_it_cannot_write_with(served, exported):
    with pytest.raises(
        PageError,
        match=(
            '^version 7 of pen has no signature styled_components, styles: expected one that `export` wrote'
        ),
    ):
        Page('pen', 7, types.SimpleNamespace(inputs=dict(serving_default=0)))
    other = SavedVersion(exported[0])
    run = other.run
    other.run = lambda signature, inputs: {
        **run(signature, inputs),
        'charset_hash': np.array([b'0' * 64], object),
    }
    with pytest.raises(PageError, match='^version 7 of pen: .*0000'):
        Page('pen', 7, other)


def test_a_version_of_an_older_table(exported):
    older, served = Charset.load().prefix(9658), SavedVersion(exported[0])
    run = served.run
    served.run = lambda signature, inputs: {
        **run(signature, inputs),
        'charset_rows': np.array([older.row_count]),
        'charset_hash': np.array([older.hash.encode()], object),
    }
    page = Page('pen', 7, served)
    status, answer = ask(page, text='漢\u200b字')
    assert status == 200 and [(one['text'], one['position']) for one in answer['characters']] == [
        ('漢\u200b', 0),
        ('字', 2),
    ]
    assert [part['name'] for part in answer['characters'][0]['components']] == [
        older.components[i] for i in older.encode('漢').component_ids[0] if i
    ]
    status, answer = ask(page, text='我們')
    assert (
        status == 400
        and answer['position'] == 1
        and 'was added to the table after this model was trained' in answer['error']
    )
    assert ask(page, text='\u200b')[1]['error'].startswith('empty text')


def test_the_file_asks_nobody_else_and_names_no_model(page):
    source = page.html.decode('utf-8')
    assert not re.findall(r'https?://|//[a-z]|@import|url\(', re.sub(r'(?m)(?:^|\s)// .*$', '', source))
    script = source.partition('<script>')[2]
    assert "'use strict'" in script and not re.search('hwgen|demo', script)


def test_requests_at_their_limits(page):
    """The least and the most of every number are taken; the numbers of a picture are those of its header."""
    for request in (
        dict(mixes=[0, 1]),
        dict(mixes=[0.5] * MAX_ROWS),
        dict(hands=[0, 2**64 - 1]),
        dict(truncation=0),
        dict(truncation=2),
        dict(directions=[-4, 4, 0, 4]),
        dict(directions=[]),
    ):
        status, answer = ask(page, text='永人', **request)
        assert status == 200 and len(answer['rows']) == len(request.get('mixes', [0]))
        assert {(row['width'], row['height']) for row in answer['rows']} == {(32, 16)}
    for request, said in (
        (dict(mixes=[-0.01]), 'mixes: expected 1 to 16 numbers from 0 to 1'),
        (dict(hands=[-1, 0]), 'hands: expected 2 integers'),
        (dict(truncation=2.01), 'truncation: expected a number from 0 to 2'),
        (dict(truncation=-0.01), 'truncation: expected'),
        (dict(directions=[4.01]), 'directions: expected'),
        (dict(directions=[-4.01]), 'directions: expected'),
        (dict(hands=[1, 2, 3]), 'hands: expected 2 integers'),
        (dict(mixes=[True]), 'mixes: expected'),
    ):
        assert said in ask(page, text='永', **request)[1]['error']


def test_what_is_asked_of_the_version(page, monkeypatch):
    """Every row has the noise of the first hand and the truncation that was asked for, else that of the
    version; seeds of the upper half are negative.
    """
    asked, run = [], page._served.run
    monkeypatch.setattr(
        page._served,
        'run',
        lambda signature, inputs: asked.append((signature, inputs)) or run(signature, inputs),
    )
    ask(page, text='永⿱山鱼', hands=[2**64 - 5, 8], mixes=[0, 0.5, 1], truncation=0.25)
    ask(page, text='永')
    (signature, first), (_, second) = asked
    assert (
        signature == 'styled_components'
        and first['style_seeds'].tolist() == [-5] * 3
        and first['truncation'].tolist() == [0.25] * 3
        and first['lengths'].tolist() == [2] * 3
    )
    assert (
        second['style_seeds'].tolist() == [0]
        and second['truncation'].tolist() == [-1.0]
        and first['styles'].shape == (3, 18)
    )
    np.testing.assert_array_equal(first['component_ids'][2], Charset.load().encode('永⿱山鱼').component_ids)


def test_boxes_are_rounded_to_four_digits(page):
    box = ask(page, text='湖')[1]['characters'][0]['components'][1]['box']
    assert box == [round(value, 4) for value in box] and any(len(str(value)) > 3 for value in box)
