"""The exported model against the Writer: the same grey levels, by every signature, in any company."""

import io
import os
import shutil
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hwgen.serving.saved_version import RequestError, SavedVersion, SavedVersionError, _said, shape_complaint

# 1 character; windows of 32 with and without neighbours; the longest that is written.
TEXTS = [
    '永',
    '天地玄黄，宇宙洪荒。',
    '日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰菜重芥姜海咸河淡鳞潜',
    '人' * 80,
]
SEEDS = [7, 8, 2**63 - 1, 0]


def pixels(picture):
    image = Image.open(io.BytesIO(picture))
    assert image.format == 'PNG' and image.mode == 'L'
    return np.asarray(image)


def strings(texts):
    return np.array([text.encode() for text in texts], object)


def write(served, texts, seeds):
    """`serving_default` -> pictures (bytes), errors (str)."""
    answer = served.run('serving_default', dict(texts=strings(texts), style_seeds=np.array(seeds, np.int64)))
    return answer['image_bytes'].tolist(), [error.decode() for error in answer['error']]


def codes(writer, texts):
    """Inputs of `components`, padded with what no table has."""
    lines = [writer.charset.encode(text) for text in texts]
    most = max(len(line.units) for line in lines) + 2

    def pad(array):
        return np.pad(array, [[0, most - len(array)], *[[0, 0]] * (array.ndim - 1)], constant_values=9999)

    return dict(
        {
            name: np.stack([pad(getattr(line, name)) for line in lines])
            for name in ('component_ids', 'structure_ids', 'boxes', 'character_ids')
        },
        lengths=np.array([len(line.units) for line in lines], np.int32),
        style_seeds=np.arange(len(texts)),
        truncation=np.full(len(texts), 0.5, np.float32),
    )


def assert_equal_pictures(found, expected):
    """One grey level: the graph is compiled again where it is loaded, and may round differently."""
    assert len(found) == len(expected)
    for picture, image in zip(found, expected):
        assert picture.shape == image.shape and np.std(image) > 1
        assert np.abs(picture.astype(int) - image).max() <= 1


def test_signatures(served):
    dtypes = {
        name: {key: (spec.dtype.name, spec.shape.as_list()) for key, spec in specs.items()}
        for name, specs in served.inputs.items()
    }

    def batch(dtype, *shape):
        return (dtype, [None, *shape])

    texts, seeds = {'texts': batch('string')}, {'style_seeds': batch('int64')}
    assert dtypes == dict(
        serving_default=texts | seeds,
        images=texts | seeds,
        styles=seeds,
        styled=texts | {'styles': batch('float32', 18), 'truncation': batch('float32')},
        components=seeds
        | {
            'component_ids': batch('int32', None, 4),
            'structure_ids': batch('int32', None),
            'character_ids': batch('int32', None),
            'boxes': batch('float32', None, 4, 4),
            'lengths': batch('int32'),
            'truncation': batch('float32'),
        },
        styled_components=dtypes['components'] | {'styles': batch('float32', 18)},
    )
    outputs = {
        name: sorted(definition['outputs'])
        for name, definition in served.signature_defs.items()
        if not name.startswith('__')
    }
    assert outputs == dict(
        serving_default=['error', 'image_bytes'],
        styled=['error', 'image_bytes'],
        images=['boxes', 'error', 'images', 'widths'],
        components=['charset_hash', 'charset_rows', 'error', 'image_bytes'],
        styled_components=outputs['components'],
        styles=['styles'],
    )


def test_a_batch_of_mixed_lengths_is_what_the_writer_writes(served, writer, truncation):
    pictures, errors = write(served, TEXTS, SEEDS)
    assert errors == [''] * 4
    assert_equal_pictures(
        list(map(pixels, pictures)), writer.write(TEXTS, style_seeds=SEEDS, truncation=truncation)
    )


def test_the_upper_half_of_the_seeds_is_negative(served, writer, truncation):
    (picture,), _ = write(served, ['永人'], [-1])
    assert_equal_pictures(
        [pixels(picture)], writer.write(['永人'], style_seeds=2**64 - 1, truncation=truncation)
    )


def test_the_same_request_gives_the_same_bytes_in_any_company_and_on_any_replica(served, exported):
    pictures, _ = write(served, TEXTS, SEEDS)
    replica = SavedVersion(exported[0])
    for text, seed, picture in zip(TEXTS, SEEDS, pictures):
        assert write(served, [text], [seed])[0] == [picture] == write(replica, [text], [seed])[0]
    order = [2, 0, 3, 1]
    again, errors = write(
        served, [TEXTS[i] for i in order] + ['ก', TEXTS[0]], [SEEDS[i] for i in order] + [3, 99]
    )
    assert again[:4] == [pictures[i] for i in order] and again[5] != pictures[0] and errors[4]


def test_a_text_that_cannot_be_written_gets_a_placeholder_and_fails_nobody(served):
    pictures, errors = write(served, ['永', '', '永ก', '人' * 81, '山'], [1, 2, 3, 4, 5])
    assert errors == [
        '',
        'empty text: expected 1 to 80 characters',
        'U+0E01 at position 1',
        '81 characters: expected at most 80',
        '',
    ]
    assert [write(served, [text], [seed])[0][0] for text, seed in (('永', 1), ('山', 5))] == [
        pictures[0],
        pictures[4],
    ]
    for picture in pictures[1:4]:
        assert pixels(picture).shape == (16, 16) and (pixels(picture) == 255).all()
    assert write(served, [''], [0])[1] == ['empty text: expected 1 to 80 characters']
    assert write(served, [], [])[0] == []


def test_images_are_floats_with_the_place_of_every_character(served, writer, truncation):
    texts = ['永人山', 'ก', '永']
    answer = served.run('images', dict(texts=strings(texts), style_seeds=np.array([1, 2, 3])))
    assert answer['images'].shape == (3, 16, 48, 1) and answer['images'].dtype == np.float32
    assert answer['widths'].tolist() == [48, 0, 16] and [bool(error) for error in answer['error']] == [
        False,
        True,
        False,
    ]
    np.testing.assert_array_equal(
        answer['boxes'], [writer.boxes(3), np.zeros([3, 4]), np.pad(writer.boxes(1), [[0, 2], [0, 0]])]
    )
    expected = writer.write(['永人山', '永'], style_seeds=[1, 3], truncation=truncation)
    found = [np.rint((answer['images'][i, :, :width, 0] + 1) * 127.5) for i, width in ((0, 48), (2, 16))]
    assert_equal_pictures(found, expected)
    assert (answer['images'][1] == 1).all() and (answer['images'][2, :, 16:] == 1).all()  # paper
    assert served.run('images', dict(texts=strings(['']), style_seeds=np.array([1])))['images'].shape == (
        1,
        16,
        16,
        1,
    )


def test_components_write_what_is_in_no_table(served, writer):
    texts = ['明天⿱山鱼', '永', '⿻⿻口一丨天']
    answer = served.run('components', codes(writer, texts))
    assert answer['error'].tolist() == [b''] * 3
    assert_equal_pictures(
        list(map(pixels, answer['image_bytes'])), writer.write(texts, style_seeds=[0, 1, 2], truncation=0.5)
    )
    assert set(answer['charset_rows'].tolist()) == {writer.charset.row_count} and set(
        answer['charset_hash']
    ) == {writer.charset.hash.encode()}
    own = served.run('components', dict(codes(writer, ['永人']), truncation=np.array([-1.0], np.float32)))
    assert own['image_bytes'].tolist() == write(served, ['永人'], [0])[0]  # -1: the model's own truncation


@pytest.mark.parametrize(
    'name, value, error',
    [
        (
            'component_ids',
            9999,
            (
                'character 1: expected component ids of 0 to 1521, a structure id of 1 to 121 and boxes from'
                ' 0 to 1'
            ),
        ),
        ('component_ids', -1, 'character 1: expected component ids'),
        ('structure_ids', 0, 'character 1: expected'),
        ('structure_ids', 122, 'character 1: expected'),
        ('boxes', np.nan, 'character 1: expected'),
        ('boxes', 1.5, 'character 1: expected'),
    ],
)
def test_codes_beyond_the_table_are_an_error_of_their_line(served, writer, name, value, error):
    good, bad = (codes(writer, ['永人', '山水']) for _ in range(2))
    bad[name][1, 1] = value
    answer = served.run('components', bad)
    assert answer['error'][0] == b'' and answer['error'][1].decode().startswith(error)
    assert answer['image_bytes'][0] == served.run('components', good)['image_bytes'][0]


@pytest.mark.parametrize(
    'name, value, error',
    [
        ('lengths', 0, 'length 0: expected 1 to 4'),
        ('lengths', 5, 'length 5: expected 1 to 4'),
        ('lengths', -3, 'length -3: expected 1 to 4'),
        ('truncation', np.nan, 'truncation: expected a number of at least 0'),
        ('truncation', -0.5, 'truncation: expected a number of at least 0'),
    ],
)
def test_lengths_and_truncations_of_one_line(served, writer, name, value, error):
    inputs = codes(writer, ['永人', '山水'])
    inputs[name][1] = value
    assert served.run('components', inputs)['error'].tolist() == [b'', error.encode()]


def test_styled(served, writer):
    styles = served.run('styles', dict(style_seeds=np.array([3, -1])))['styles']
    np.testing.assert_allclose(styles, writer.styles([3, 2**64 - 1], truncation=1.0), atol=1e-5)
    average = np.asarray(writer.generator.style_space.mean)
    given = np.concatenate([styles, styles, [np.full(18, np.inf)], [np.full(18, 1e30)], styles[:1]]).astype(
        np.float32
    )
    truncation = np.array([1, 1, 0.25, 0, 1, 1, np.inf], np.float32)
    answer = served.run(
        'styled', dict(texts=strings(['永人', '山'] * 3 + ['永']), styles=given, truncation=truncation)
    )
    assert [error.decode() for error in answer['error']] == [
        '',
        '',
        '',
        '',
        'style: expected finite numbers',
        'no picture: the model gives values that are not finite, expected a style near those it learned',
        'truncation: expected a number of at least 0',
    ]
    expected = [
        writer.write(text, styles=style + np.float32(1 - t) * (average - style), truncation=t)[0]
        for text, style, t in zip(['永人', '山'] * 2, given, truncation)
    ]
    assert_equal_pictures(list(map(pixels, answer['image_bytes'][:4])), expected)


def test_a_style_that_is_not_finite_hides_nothing_else(served, writer):
    """What is wrong with the text is told first: a better style would not help."""
    given = np.full([2, 18], np.nan, np.float32)
    answer = served.run(
        'styled', dict(texts=strings(['永ก', '永']), styles=given, truncation=np.ones(2, np.float32))
    )
    assert answer['error'].tolist() == [b'U+0E01 at position 1', b'style: expected finite numbers']
    inputs = dict(codes(writer, ['永', '山']), styles=given)
    inputs['structure_ids'][0, 0] = 0
    errors = served.run('styled_components', inputs)['error']
    assert errors[0].startswith(b'character 0: expected') and errors[1] == b'style: expected finite numbers'


def test_styled_components_draw_any_glyph_in_any_hand(served, writer):
    texts = ['永⿱山鱼', '永', '永']
    styles = served.run('styles', dict(style_seeds=np.array([3, 4, 5])))['styles']
    inputs = dict(
        codes(writer, texts),
        styles=styles,
        style_seeds=np.array([8, 9, 9]),
        truncation=np.array([0.25, 1, 1], np.float32),
    )
    inputs['styles'][2, 0] = np.nan
    answer = served.run('styled_components', inputs)
    assert [error.decode() for error in answer['error']] == ['', '', 'style: expected finite numbers']
    # Of a seed's own style it makes what `components` makes of the seed: the noise is that of the seed too.
    same = dict(codes(writer, texts[:1]), style_seeds=np.array([3]), truncation=np.array([0.25], np.float32))
    by_vector = served.run('styled_components', dict(same, styles=writer.styles([3], truncation=1.0)))[
        'image_bytes'
    ][0]
    assert_equal_pictures([pixels(by_vector)], [pixels(served.run('components', same)['image_bytes'][0])])
    assert answer['image_bytes'][0] != by_vector  # another noise
    own = served.run(
        'styled_components',
        dict(same, styles=writer.styles([3], truncation=1.0), truncation=np.array([-1.0], np.float32)),
    )['image_bytes'][0]
    assert_equal_pictures(
        [pixels(own)],
        [
            pixels(
                served.run('components', dict(same, truncation=np.array([-1.0], np.float32)))['image_bytes'][
                    0
                ]
            )
        ],
    )


def test_one_seed_is_not_spread_over_two_texts(served, writer):
    with pytest.raises(RequestError, match='texts 2, style_seeds 1: expected one size of axis 0'):
        write(served, ['永', '人'], [1])
    with pytest.raises(RequestError, match='texts 1, style_seeds 2'):
        served.run('images', dict(texts=strings(['永']), style_seeds=np.array([1, 2])))
    with pytest.raises(RequestError, match='styles 1, truncation 2'):
        served.run('styled', dict(texts=strings(['永']), styles=np.zeros([1, 18]), truncation=np.ones([2])))
    inputs = codes(writer, ['永人'])
    with pytest.raises(RequestError, match='structure_ids 3.*: expected one size of axis 1'):
        served.run('components', dict(inputs, structure_ids=inputs['structure_ids'][:, :3]))


def test_a_session_serves_it_as_tf_serving_does(exported, served):
    """TF-Serving feeds a session, which checks no shapes of its inputs; and there is nothing in the graph
    that it does not have.
    """
    expected = write(served, TEXTS, SEEDS)[0]
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.loader.load(session, ['serve'], exported[0])

        def run(signature, **inputs):
            definition = meta.signature_def[signature]
            return session.run(
                {name: info.name for name, info in definition.outputs.items()},
                {definition.inputs[name].name: value for name, value in inputs.items()},
            )

        answer = run('serving_default', texts=strings(TEXTS), style_seeds=np.array(SEEDS))
        assert answer['image_bytes'].tolist() == expected
        for wrong in (np.zeros([1, 1]), np.zeros([1, 19]), np.zeros([1])):
            with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
                run('styled', texts=strings(['永']), styles=wrong, truncation=np.ones([1]))
        operations = {node.op for node in graph.as_graph_def().node}
        operations |= {
            node.op for function in graph.as_graph_def().library.function for node in function.node_def
        }
    assert {'EncodePng', 'UnicodeDecode'} <= operations and not [
        op for op in operations if 'PyFunc' in op or 'XlaCall' in op
    ]


def test_a_folder_that_is_no_saved_model(tmp_path):
    (tmp_path / 'saved_model.pb').write_bytes(b'\xff' * 20)
    for path in (tmp_path, tmp_path / 'none'):
        with pytest.raises(SavedVersionError, match=f'{path}: not a SavedModel as `export` writes it'):
            SavedVersion(str(path))


def damaged(folder):
    """Kinds of damage, each a function that does it to a copy of a version."""

    def cut(name, size):
        return lambda path: os.truncate(os.path.join(path, name), size)

    def flip(name, position):
        def write(path):
            with open(os.path.join(path, name), 'r+b') as file:
                file.seek(position if position >= 0 else os.path.getsize(file.name) + position)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 0x55]))

        return write

    data, index = 'variables/variables.data-00000-of-00001', 'variables/variables.index'
    size = {name: os.path.getsize(os.path.join(folder, name)) for name in ('saved_model.pb', data, index)}
    for name, left in (
        ('saved_model.pb', 0),
        ('saved_model.pb', size['saved_model.pb'] // 2),
        ('saved_model.pb', size['saved_model.pb'] - 1),
        (data, 0),
        (data, 1000),
        (data, size[data] - 1),
        (index, size[index] // 2),
    ):
        yield f'{name} cut to {left}', cut(name, left)
    yield 'no graph', lambda path: os.unlink(os.path.join(path, 'saved_model.pb'))
    yield 'a flipped byte of the weights', flip(data, 5000)
    yield 'a flipped byte of the index', flip(index, 100)
    yield 'no variables', lambda path: shutil.rmtree(os.path.join(path, 'variables'))
    yield 'a description that is none', cut('assets.extra/hwgen.json', 20)


@pytest.mark.slow
def test_every_kind_of_damage_is_one_line(exported, tmp_path):
    loaded = []
    for number, (name, damage) in enumerate(damaged(exported[0])):
        path = str(tmp_path / str(number))
        shutil.copytree(exported[0], path)
        damage(path)
        try:
            SavedVersion(path)
        except SavedVersionError as error:
            assert str(error).startswith(
                f'{path}: not a SavedModel as `export` writes it: '
            ) and '\n' not in str(error), name
        else:
            loaded.append(name)
    assert loaded == []


@pytest.mark.parametrize(
    'message, said',
    [
        (
            (
                'Graph execution error: at main.py <stack traces unavailable> assertion failed: [texts 2,'
                ' style_seeds 1] [Op:Run]'
            ),
            'texts 2, style_seeds 1',
        ),
        ('assertion failed: [a [b] c]', 'a [b] c'),
        ('assertion failed: [one] [two]', 'one'),
        (
            'indices[0] = 9 is not in [0, 3)\n [[{{node GatherV2}}]] [Op:__inference]',
            'indices[0] = 9 is not in [0, 3)',
        ),
        ('wrong size [Op:Reshape]', 'wrong size'),
        ('[[{{node x}}]]', 'inputs that the signature does not take'),
        ('Graph execution error:\nDetected <stack traces unavailable>\nwrong', 'wrong'),
    ],
)
def test_words_of_the_graph_without_their_place(message, said):
    assert _said(ValueError(message)) == said == _said(types.SimpleNamespace(message=message))


def test_shapes_that_fit():
    spec = tf.TensorSpec([None, 18], tf.float32)
    assert (
        shape_complaint('styles', np.zeros([0, 18]), spec)
        == ''
        == shape_complaint('styles', np.zeros([3, 18]), spec)
    )
    for shape in ([18], [3, 17], [1, 3, 18]):
        assert (
            shape_complaint('styles', np.zeros(shape), spec)
            == f'input styles: shape {shape}, expected [-1, 18]'
        )
