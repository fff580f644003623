"""Writer: windows against one undivided pass, bytes independent of company, errors."""

import types

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset, CharsetError
from hwgen.images import to_uint8
from hwgen.inference import styles
from hwgen.inference.artefact import save_generator
from hwgen.inference.writer import Writer

TEXT = '天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往'


def undivided(generator, text, seed):
    """The whole line in one eager call of the model, float32 [H, W], at the truncation that is the default
    everywhere.
    """
    encoded = Charset.load().encode(text)
    config = generator.config

    return generator(
        Characters.stack([encoded.characters]),
        style=generator.style_space(styles.styles_from_seeds(seed, config.style_dim, truncation=0.8)),
        character_noise=styles.character_noise(
            seed, 0, len(encoded.units), character_noise_dim=config.character_noise_dim, truncation=0.8
        )[np.newaxis],
        training=False,
    ).numpy()[0, :, :, 0]


@pytest.mark.parametrize('window', [1, 3, 4, 7, 100])
def test_windows_equal_one_undivided_pass(generator, window):
    writer = Writer(generator, Charset.load(), window_characters=window, windows_per_step=1)
    (line,) = writer._lines(TEXT, 5, None, 0.8, 0)
    floats = np.concatenate([writer._render([w])[0][0] for w in writer._windows(line)], axis=1)
    expected = undivided(generator, TEXT, 5)
    assert np.std(expected) > 0.05  # the picture is not blank: the comparison means something
    np.testing.assert_allclose(floats, expected, atol=1e-4)  # kernels of another width round differently
    (pixels,) = writer.write(TEXT, style_seeds=5)
    assert np.abs(pixels.astype(int) - to_uint8(expected)).max() <= 1


def test_context_is_needed(generator, monkeypatch):
    """The test above can fail: with one character of context less the windows differ from the whole."""
    monkeypatch.setattr(type(generator), 'context_characters', 0)
    writer = Writer(generator, Charset.load(), window_characters=3, windows_per_step=1)
    (pixels,) = writer.write(TEXT, style_seeds=5)
    assert np.abs(pixels.astype(int) - to_uint8(undivided(generator, TEXT, 5))).max() > 1


@pytest.mark.parametrize('step', [1, 4])
def test_bytes_do_not_depend_on_how_many_windows_one_call_handles(generator, step):
    writer = Writer(generator, Charset.load(), window_characters=3, windows_per_step=step)
    (expected,) = writer.write(TEXT, style_seeds=2)
    (line,) = writer._lines(TEXT, 2, None, 0.8, 0)
    windows = list(writer._windows(line))
    assert len(windows) > 7
    for count in (1, 3, 7):
        parts = []
        for begin in range(0, len(windows), count):
            for window in range(begin, min(begin + count, len(windows)), step):
                group = windows[window : min(window + step, begin + count)]
                widths = {writer._padded_width(w) for w in group}
                groups = [group] if len(widths) == 1 else [[w] for w in group]
                parts += [pixels for g in groups for pixels, _ in writer._render(g)]
        assert np.concatenate([to_uint8(part) for part in parts], axis=1).tobytes() == expected.tobytes()


@pytest.mark.parametrize('step', [1, 4])
def test_bytes_do_not_depend_on_other_lines(generator, step):
    writer = Writer(generator, Charset.load(), window_characters=4, windows_per_step=step)
    (alone,) = writer.write(TEXT, style_seeds=7)
    for others in (['人'], [TEXT[:9], TEXT[3:], '人人人'], [TEXT] * 5):
        together = writer.write([*others, TEXT, '大'], style_seeds=[*range(len(others)), 7, 1])
        assert together[len(others)].tobytes() == alone.tobytes()


def test_steps_of_several_windows_equal_steps_of_one(generator, writer):
    four = Writer(generator, Charset.load(), window_characters=4, windows_per_step=4)
    for one, other in zip(writer.write([TEXT, '人'], style_seeds=3), four.write([TEXT, '人'], style_seeds=3)):
        # another batch size: one grey level at most
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


@pytest.mark.parametrize('step', [1, 4])
def test_stream_is_the_line(generator, step):
    writer = Writer(generator, Charset.load(), window_characters=4, windows_per_step=step)
    windows = list(writer.stream(TEXT, style_seed=3, truncation=0.8))
    assert [w.shape[1] // writer.char_width_px for w in windows] == [4] * 6
    (expected,) = writer.write([TEXT], style_seeds=3, truncation=0.8)
    assert np.concatenate(windows, axis=1).tobytes() == expected.tobytes()


def test_stream_of_any_length_computes_window_by_window(writer):
    pending = writer.stream(TEXT * 400)  # 9,600 characters: only what is asked for is computed
    first = [next(pending) for _ in range(3)]
    (expected,) = writer.write(TEXT[:16])
    assert np.concatenate(first, axis=1).tobytes() == expected[:, : 12 * writer.char_width_px].tobytes()


def test_one_trace_for_all_shapes(make_generator):
    generator, traces = make_generator(), []
    call = generator.call

    def counted(*args, **kwargs):
        traces.append(1)
        return call(*args, **kwargs)

    generator.call = counted
    writer = Writer(generator, Charset.load(), windows_per_step=1)
    for n in (1, 5, 9):
        writer.write([TEXT[:n]])
    assert len(traces) == 1


@pytest.mark.parametrize(
    'options',
    [
        dict(content_encoding='sequence'),
        pytest.param(dict(content_encoding='onehot'), marks=pytest.mark.slow),
        pytest.param(dict(character_noise_dim=0), marks=pytest.mark.slow),
        dict(char_width_px=8),
        pytest.param(dict(upsample='between'), marks=pytest.mark.slow),
        pytest.param(dict(attention_px=0), marks=pytest.mark.slow),
    ],
    ids=lambda options: next(iter(options.values())),
)
def test_every_kind_of_generator(make_generator, options):
    generator = make_generator(**options)
    writer = Writer(generator, Charset.load(), window_characters=3, windows_per_step=1)
    (pixels,) = writer.write(TEXT, style_seeds=5)
    assert np.abs(pixels.astype(int) - to_uint8(undivided(generator, TEXT, 5))).max() <= 1
    assert pixels.shape == (16, len(TEXT) * generator.config.char_width_px)


def test_seeds_styles_and_noise(writer):
    seven, eight, again = writer.write(['永永永永'] * 3, style_seeds=[7, 8, 7])
    assert (seven == again).all() and (seven != eight).any()
    cells = [seven[:, 16 * i : 16 * (i + 1)] for i in range(4)]
    assert (cells[1] != cells[2]).any()  # no two copies of a character are equal
    (by_vector,) = writer.write('永永永永', style_seeds=7, styles=writer.styles(7)[0])
    assert (by_vector == seven).all()
    (offset,) = writer.write('永永永永', style_seeds=7, noise_offsets=4)
    assert (offset != seven).any()
    calm, other = writer.write(['永'] * 2, style_seeds=[1, 2], truncation=0.0)
    assert (calm == other).all()


def test_seeds_draw_from_the_style_space(writer):
    """Truncation 0 is its mean; between two hands the straight numbers are mapped, not the hands."""
    space = writer.generator.style_space
    before = [variable.numpy() for variable in space.variables]
    normal = styles.styles_from_seeds([1, 2], writer.style_dim, truncation=0.8)
    try:
        space.mean.assign(np.arange(writer.style_dim))
        space.factor.assign(np.tril(np.ones([writer.style_dim] * 2)))
        np.testing.assert_allclose(
            writer.styles([1, 2]), np.cumsum(normal, 1) + np.arange(writer.style_dim), atol=1e-5
        )
        np.testing.assert_allclose(writer.styles(5, truncation=0.0)[0], np.arange(writer.style_dim))
        between = writer.styles_between(1, 2, steps=3)
        expected = styles.interpolate_styles(*normal, steps=3)
        np.testing.assert_allclose(between, np.cumsum(expected, 1) + np.arange(writer.style_dim), atol=1e-5)
    finally:
        for variable, value in zip(space.variables, before):
            variable.assign(value)


def test_noise_offset_continues_a_text(writer):
    """A page's line begins with the noise it would have in the undivided text."""
    np.testing.assert_array_equal(
        styles.character_noise(7, 2, 6, character_noise_dim=5)[2:],
        styles.character_noise(7, 4, 6, character_noise_dim=5),
    )
    (a,) = writer.write('永', style_seeds=7, noise_offsets=3)
    (b,) = writer.write(['永'], style_seeds=[7], noise_offsets=[3])
    assert (a == b).all()


def test_boxes_tile_the_line(writer):
    assert writer.boxes(3).tolist() == [[0, 0, 16, 16], [16, 0, 32, 16], [32, 0, 48, 16]]


@hypothesis.given(n=st.integers(1, 40))
@hypothesis.settings(max_examples=15)
def test_windows_cover_every_character_once(writer, n):
    (line,) = writer._lines('一' * n, 0, None, 1.0, 0)
    windows = list(writer._windows(line))
    assert [i for w in windows for i in range(w.start, w.stop)] == list(range(n))
    for window in windows:
        assert window.start % writer.window_characters == 0
        assert 0 <= window.first <= window.start and window.stop <= window.last <= n


def test_errors(writer, make_generator):
    with pytest.raises(CharsetError, match='empty text'):
        writer.write([''])
    with pytest.raises(CharsetError, match='U\\+0E01.* position 2') as caught:
        writer.stream('永永ก')  # before the first window is asked for
    assert caught.value.position == 2
    for texts in (None, 3):
        with pytest.raises(TypeError, match=f'^texts={texts}: expected a text, or a list of texts$'):
            writer.write(texts)
    with pytest.raises(TypeError, match='^text 1: 3: expected a text$'):
        writer.write(['永', 3])
    assert writer.write([]) == []
    with pytest.raises(ValueError, match='2 texts, 3 style seeds'):
        writer.write(['永', '人'], style_seeds=[1, 2, 3])
    with pytest.raises(ValueError, match=r'styles of shape \(1, 5\): expected .* 18 numbers'):
        writer.write(['永'], styles=np.zeros([1, 5]))
    with pytest.raises(ValueError, match='finite'):
        writer.write(['永'], styles=np.full(18, np.nan))
    with pytest.raises(ValueError, match='windows_per_step=0'):
        Writer(writer.generator, writer.charset, windows_per_step=0)
    broken = make_generator()
    broken.last_conv.bias.assign([np.nan])
    with pytest.raises(
        ValueError, match='characters 0 to 1 of a line: the model gives values that are not finite'
    ):
        Writer(broken, Charset.load(), window_characters=2, windows_per_step=1).write('永永永')


def test_a_structure_without_a_number_is_placed_by_its_boxes(writer):
    assert writer.write('天⿻⿻口一丨')[0].shape == (16, 32)


@pytest.mark.usefixtures('untraced')
def test_what_a_model_cannot_write(make_generator):
    charset = Charset.load()
    known, newer = sorted('永人山口', key=lambda character: charset.encode(character).component_ids.max())[
        ::3
    ]
    # the table has grown since
    old = Writer(make_generator(num_components=int(charset.encode(newer).component_ids.max())), charset)
    old.encode(known)
    assert old.can_write(charset.encode(known + newer)).tolist() == [True, False]
    with pytest.raises(
        CharsetError, match=f"'{newer}' at position 1: has a component that was added"
    ) as caught:
        old.encode(known + newer)
    assert caught.value.position == 1
    with pytest.raises(CharsetError, match="'⿱山鱼' at position 1: has no filter"):
        Writer(make_generator(content_encoding='onehot'), charset).encode('天⿱山鱼')
    with pytest.raises(
        CharsetError, match="'⿻⿻口一丨' at position 1: its structure ⿻⿻··· has no number.*nearest.*⿻"
    ) as caught:
        Writer(make_generator(content_encoding='sequence'), charset).encode('天⿻⿻口一丨')
    assert caught.value.position == 1


@pytest.mark.usefixtures('untraced')
def test_a_model_of_an_older_table_is_given_the_codes_of_then(make_generator, tmp_path):
    older = Charset.load().prefix(9658)
    save_generator(str(tmp_path / 'model'), make_generator(**older.sizes(9658)), charset=older)
    loaded = Writer.load(str(tmp_path / 'model'))
    assert loaded.charset is older
    np.testing.assert_array_equal(loaded.encode('漢寫囍').component_ids, older.encode('漢寫囍').component_ids)
    with pytest.raises(
        CharsetError, match='^U\\+9580 門 at position 1: was added to the table after this model was trained'
    ) as caught:
        loaded.write('入門')
    assert caught.value.position == 1


def test_invisible_characters_are_no_characters(writer):
    plain, written = writer.write(['葛≠金', '\ufeff葛\U000e0100=\u0338\uf90a\u200b'], style_seeds=3)
    np.testing.assert_array_equal(plain, written)
    with pytest.raises(CharsetError, match='empty text'):
        writer.encode('\u200b')


def test_load(model_dir, writer):
    loaded = Writer.load(model_dir, window_characters=4, windows_per_step=1)
    assert loaded.description['charset'] == dict(row_count=loaded.charset.row_count, hash=loaded.charset.hash)
    assert loaded.style_encoder is not None
    for one, other in zip(loaded.write([TEXT], style_seeds=4), writer.write([TEXT], style_seeds=4)):
        assert one.tobytes() == other.tobytes()
    with pytest.raises(ValueError, match='no generator there'):
        Writer.load('nowhere')


def test_widths_of_windows(generator, monkeypatch):
    """Alone a window is computed as wide as it is; several together in multiples of eight characters, so
    that a GPU sees few shapes.
    """
    monkeypatch.setattr(Writer, '_compile', lambda self: None)
    charset = Charset.load()
    one, many = (Writer(generator, charset, window_characters=4, windows_per_step=count) for count in (1, 2))
    assert (one.windows_per_step, many.windows_per_step) == (1, 2) and Writer(
        generator, charset
    ).window_characters == 32
    for last, alone, together in ((1, 1, 8), (8, 8, 8), (9, 9, 16), (17, 17, 24)):
        window = types.SimpleNamespace(first=0, last=last)
        assert (one._padded_width(window), many._padded_width(window)) == (alone, together)
    assert many._padded_width(types.SimpleNamespace(first=5, last=9)) == 8
    (line,) = one._lines('一二三四五六七八九', 0, None, 1.0, 0)
    context = generator.context_characters
    assert context >= 1 and [window[1:] for window in one._windows(line)] == [
        (0, 4, 0, min(4 + context, 9)),
        (4, 8, max(4 - context, 0), min(8 + context, 9)),
        (8, 9, max(8 - context, 0), 9),
    ]


@pytest.mark.parametrize('gpus, count', [([], 1), (['a GPU'], 32)])
def test_windows_that_are_computed_together(generator, monkeypatch, gpus, count):
    monkeypatch.setattr(
        'hwgen.inference.writer.tf.config.list_physical_devices', lambda kind: {'GPU': gpus}[kind]
    )
    monkeypatch.setattr(Writer, '_compile', lambda self: None)
    assert Writer(generator, Charset.load()).windows_per_step == count


def test_what_one_line_has_is_its_own(writer):
    """Seeds, styles, offsets and quotation marks before it, line by line; one for all where only one is
    given.
    """
    styles_of = np.arange(2 * writer.style_dim, dtype=np.float32).reshape(2, -1) / 40
    first, second = writer._lines(['永', '人人'], [7, 2**64 - 1], styles_of, 0.6, [3, 5], [0, 1])
    assert [(line.seed, line.offset, line.truncation, line.length) for line in (first, second)] == [
        (7, 3, 0.6, 1),
        (2**64 - 1, 5, 0.6, 2),
    ]
    np.testing.assert_array_equal([first.style, second.style], styles_of)
    first, second = writer._lines(['永', '人'], 7, styles_of[1], 1.0, 4)
    assert [(line.seed, line.offset) for line in (first, second)] == [(7, 4)] * 2
    np.testing.assert_array_equal([first.style, second.style], styles_of[[1, 1]])
    with pytest.raises(ValueError, match='truncation -1'):
        writer._lines(['永'], 7, styles_of[0], -1.0, 0)
    with pytest.raises(ValueError, match='window_characters=0: expected at least 1'):
        Writer(writer.generator, writer.charset, window_characters=0)


def test_a_streamed_line_has_all_that_it_is_given(writer):
    style = np.full(writer.style_dim, 0.4, np.float32)
    options = dict(truncation=0.6)
    found = np.concatenate(
        list(writer.stream(TEXT[:6], style_seed=7, style=style, noise_offset=3, **options)), axis=1
    )
    np.testing.assert_array_equal(
        found, writer.write(TEXT[:6], style_seeds=7, styles=style, noise_offsets=3, **options)[0]
    )
    for other in (dict(style_seed=8), dict(noise_offset=4), dict(style=style + 0.5), dict(truncation=0.9)):
        changed = dict(dict(style_seed=7, style=style, noise_offset=3, **options), **other)
        assert (np.concatenate(list(writer.stream(TEXT[:6], **changed)), axis=1) != found).any(), other


@pytest.mark.usefixtures('untraced')
def test_cells_that_are_no_squares(make_generator):
    narrow = Writer(make_generator(char_width_px=8), Charset.load(), windows_per_step=1)
    assert narrow.boxes(2).tolist() == [[0, 0, 8, 16], [8, 0, 16, 16]] and narrow.boxes(2).dtype == np.int32
    assert (narrow.char_px, narrow.char_width_px) == (16, 8)
