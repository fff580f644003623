"""The exported graph, the page and the client know what the model was shown: like the Writer they fold,
leave spaces blank, and refuse the rest by name.
"""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_generator import make_small_generator, shared_small_generator

from hwgen.charset.encoding import Charset, CharsetError
from hwgen.inference.writer import Writer
from hwgen.serving import page as page_module
from hwgen.serving.client import Client
from hwgen.serving.code_errors import name_character
from hwgen.serving.served_model import ServedModel

SEEN = '，。：？！“”（）明天去钓鱼湖早一'
CODES = ('component_ids', 'structure_ids', 'boxes', 'character_ids')
GOOD = ['明天 去', '明"天","去"', '(天)?!', '　早', '去 ' * 20]


class Served:
    """The graph without a server: signatures as `SavedVersion.run` and a transport answer them."""

    def __init__(self, writer):
        self._model = ServedModel(writer, truncation=0.7, max_characters=80)
        self._functions = self._model.signatures()
        self.inputs = {
            name: {spec.name: spec for spec in tf.nest.flatten(function.structured_input_signature[0])}
            for name, function in self._functions.items()
        }
        self.characters = self._model.lookup.characters

    def run(self, signature, inputs):
        function = self._functions[signature]
        given = tf.nest.map_structure(
            lambda spec: tf.constant(np.asarray(inputs[spec.name]), spec.dtype),
            function.structured_input_signature[0],
        )
        return {name: value.numpy() for name, value in function(*given).items()}

    predict = run


def make_writer(seen=SEEN, **options):
    return Writer(
        shared_small_generator(**options), Charset.load(), description=dict(seen=seen), windows_per_step=1
    )


@pytest.fixture(scope='module')
def writer():
    return make_writer()


@pytest.fixture(scope='module')
def served(writer):
    return Served(writer)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png))).astype(int)


def test_texts_are_written_as_the_writer_writes_them(served, writer):
    answer = served.run(
        'serving_default', dict(texts=[text.encode() for text in GOOD], style_seeds=[3] * len(GOOD))
    )
    assert not any(answer['error'])
    for png, text, expected in zip(
        answer['image_bytes'], GOOD, writer.write(GOOD, style_seeds=3, truncation=0.7)
    ):
        found = pixels(png)
        assert np.abs(found - expected).max() <= 1
        for place, character in enumerate(text):
            if character in ' \u3000':
                assert (found[:, 16 * place : 16 * place + 16] == 255).all()


def test_codes_as_well(served, writer):
    """As a client of an older version sends them: those of the symbols as they stand in the text, not
    folded.
    """
    for text in GOOD[:4]:
        encoded = writer.charset.encode(text)
        answer = served.run(
            'components',
            dict(
                {name: [getattr(encoded, name)] for name in CODES},
                lengths=[len(text)],
                style_seeds=[3],
                truncation=[-1.0],
            ),
        )
        assert answer['error'].tolist() == [b'']
        assert (
            np.abs(
                pixels(answer['image_bytes'][0]) - writer.write([text], style_seeds=3, truncation=0.7)[0]
            ).max()
            <= 1
        )


def test_what_was_not_shown_is_an_error_that_names_it(served, writer):
    texts = ['明.', '明天—', '\ufeff明\u200b龙', 'ก', '明']
    answer = served.run(
        'serving_default', dict(texts=[text.encode() for text in texts], style_seeds=[3] * len(texts))
    )
    unseen = ': no training picture of this model showed it'
    assert [error.decode() for error in answer['error']] == [
        f'U+002E at position 1{unseen}',
        f'U+2014 at position 2{unseen}',
        f'U+9F99 at position 3{unseen}',
        'U+0E01 at position 0',
        '',
    ]
    assert set('明天去，,"( \u3000') <= set(served.characters) and not set('龙.—') & set(served.characters)


def test_every_character_is_written_or_refused_as_the_writer_does(served, writer):
    charset = writer.charset
    every = charset.encodable_characters()
    written = writer.can_write(charset.encode(every))
    assert (
        served.characters == ''.join(c for c, good in zip(every, written) if good)
        and 20 < written.sum() < 2000
    )
    for start in range(0, 3000, 80):
        texts = list(every[start : start + 80])
        found = served._model.lookup.look_up([text.encode() for text in texts]).errors.numpy()
        assert [not error for error in found] == written[start : start + 80].tolist()


def test_codes_of_what_was_not_shown(served, writer):
    lines = ['明天.', '⿰氵明', '⿺月日', '明']
    for line, said in zip(
        lines,
        [
            'character 2: no training picture of this model showed it, nor its component .',
            None,
            'nor its structure',
            '',
        ],
    ):
        encoded = writer.charset.encode(line)
        answer = served.run(
            'styled_components',
            dict(
                {name: [getattr(encoded, name)] for name in CODES},
                lengths=[len(encoded.units)],
                styles=writer.styles([1]),
                style_seeds=[3],
                truncation=[1.0],
            ),
        )
        error = answer['error'][0].decode()
        if said is None:  # 氵 is in 湖
            assert error == ''
        else:
            assert error == said or said and said in error
    # Ids beyond the table are errors of their line as before, not of the batch.
    codes = {name: np.stack([getattr(writer.charset.encode('明'), name)]) for name in CODES}
    codes['component_ids'] = np.full_like(codes['component_ids'], 10**6)
    answer = served.run('components', dict(codes, lengths=[1], style_seeds=[3], truncation=[1.0]))
    assert answer['error'][0].startswith(b'character 0: expected component ids')


def test_the_page_shows_the_place(served):
    page = page_module.Page('pen', 1, served)
    for text, said, position in (
        (
            '明⿰日月.',
            'U+002E . at position 4: no training picture of this model showed it, nor its component .',
            4,
        ),
        ('天龙', 'U+9F99 龙 at position 1: no training picture', 1),
    ):
        status, body = page.write(json.dumps(dict(text=text)).encode())
        answer = json.loads(body)
        assert status == 400 and answer['error'].startswith(said) and answer['position'] == position
    status, body = page.write(json.dumps(dict(text='明 "天"')).encode())
    assert status == 200 and [one['text'] for one in json.loads(body)['characters']] == [
        '明',
        ' ',
        '"',
        '天',
        '"',
    ]


def test_the_client_says_it_of_the_text(served):
    answers = Client(served).write(['明⿱山龙', '⿰日月 天', '.', '明'], style_seeds=1)
    assert [bool(answer.picture) for answer in answers] == [False, True, False, True]
    assert answers[0].error.startswith(
        '⿱山龙 at position 1: no training picture of this model showed it, nor its component'
    )
    assert answers[2].error.startswith('U+002E at position 0')


@pytest.mark.parametrize(
    'error, said',
    [
        ('character 1: wrong', ('⿱山鱼 at position 1: wrong', 1)),
        ('character 2: wrong', ('U+660E 明 at position 4: wrong', 4)),
        ('character 9: wrong', ('character 9: wrong', None)),
        ('character 3: wrong', ('character 3: wrong', None)),
        ('length 3: wrong', ('length 3: wrong', None)),
        ('', ('', None)),
    ],
)
def test_places_of_codes_in_the_text(error, said):
    assert name_character(error, ('天', '⿱山鱼', '明')) == said


@pytest.mark.slow
def test_a_writer_that_may_write_all_is_exported_so():
    charset = Charset.load()
    writer = Writer(
        make_small_generator(),
        charset,
        description=dict(seen='明'),
        allow_unseen=True,
        tell=None,
        windows_per_step=1,
    )
    served = Served(writer)
    answer = served.run('serving_default', dict(texts=['龙.—'.encode()], style_seeds=[1]))
    assert answer['error'].tolist() == [b''] and served.characters == charset.encodable_characters()


@pytest.mark.slow
def test_one_hot_generators():
    writer = make_writer(content_encoding='onehot', char_width_px=8)
    served = Served(writer)
    answer = served.run('serving_default', dict(texts=['明 ,'.encode(), '昌'.encode()], style_seeds=[1, 1]))
    assert answer['error'][0] == b'' and answer['error'][1].startswith(
        b'U+660C at position 0: no training picture'
    )
    assert (
        np.abs(
            pixels(answer['image_bytes'][0]) - writer.write(['明 ,'], style_seeds=1, truncation=0.7)[0]
        ).max()
        <= 1
    )
    with pytest.raises(CharsetError, match='U\\+660C 昌 at position 0: no training picture'):
        writer.encode('昌')
    encoded = writer.charset.encode('昌')
    answer = served.run(
        'components',
        dict(
            {name: [getattr(encoded, name)] for name in CODES}, lengths=[1], style_seeds=[3], truncation=[1.0]
        ),
    )
    assert answer['error'][0] == b'character 0: no training picture of this model showed it'
    # Cells of 16 x 8: what is wide and what is high.
    answer = served.run('images', dict(texts=['明天'.encode(), '去'.encode(), b'?!x'], style_seeds=[1, 2, 3]))
    assert answer['images'].shape == (3, 16, 16, 1) and answer['widths'].tolist() == [16, 8, 0]
    assert answer['boxes'].tolist() == [
        [[0, 0, 8, 16], [8, 0, 16, 16]],
        [[0, 0, 8, 16], [0] * 4],
        [[0] * 4] * 2,
    ]
    for index, text in enumerate(['明天', '去']):
        (expected,) = writer.write([text], style_seeds=index + 1, truncation=0.7)
        assert np.abs((answer['images'][index, :, : 8 * len(text), 0] + 1) * 127.5 - expected).max() <= 1.5
    assert (answer['images'][1, :, 8:] == 1).all() and (answer['images'][2] == 1).all()
    # the placeholder is a cell
    assert pixels(
        served.run('serving_default', dict(texts=[b'x'], style_seeds=[1]))['image_bytes'][0]
    ).shape == (16, 8)
