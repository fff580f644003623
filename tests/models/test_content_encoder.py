"""Content encodings: where components are placed, against brute force; the four encodings; pinned sizes."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import linear

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.models.content.encodings import ENCODINGS, content_encoder
from hwgen.models.content.layout import placement
from hwgen.models.content.warped import warp_weights
from hwgen.settings.model import CELLS, GeneratorConfig


def brute_force_overlap(low, high, cells=CELLS):
    return [max(0.0, min(high, (i + 1) / cells) - max(low, i / cells)) * cells for i in range(cells)]


def brute_force_placement(boxes, component_ids):
    """A cell takes the component with the largest overlap, later slots win ties, a slot without a cell is
    summed in.
    """
    area, out = np.zeros([4, CELLS, CELLS]), np.zeros([4, CELLS, CELLS])
    for slot, (x0, y0, x1, y1) in enumerate(boxes):
        if component_ids[slot]:
            area[slot] = np.outer(brute_force_overlap(y0, y1), brute_force_overlap(x0, x1))
    for i in range(CELLS):
        for j in range(CELLS):
            winner = max(range(4), key=lambda slot: (round(area[slot, i, j], 4), slot))
            if area[winner, i, j] > 0.0:
                out[winner, i, j] = 1.0
    for slot in range(4):
        if component_ids[slot] and not out[slot].any():
            out[slot] = (area[slot] > area[slot].max() - 1e-4) & (area[slot] > 0.0)
    return out


@pytest.fixture(scope='module')
def templates():
    charset = Charset.load()
    boxes = charset.template_boxes
    used = (boxes[..., 2] > boxes[..., 0]).astype(np.int32)  # unused slots are all zero
    return charset.structures, boxes, used


def test_placement_by_hand():
    # ⿰: the left half is slot 0, the right half slot 1.
    boxes = np.zeros([4, 4], np.float32)
    boxes[:2] = [[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]]
    placed = placement(boxes, np.array([7, 9, 0, 0])).numpy()
    np.testing.assert_array_equal(placed[0], [[1, 1, 0, 0]] * 4)
    np.testing.assert_array_equal(placed[1], [[0, 0, 1, 1]] * 4)
    assert not placed[2:].any()
    # ⿴: both cover the middle cells whole or the enclosure more: slot 0 the rim, slot 1 the four cells it
    # fills (a tie, the later wins).
    boxes[:2] = [[0.0, 0.0, 1.0, 1.0], [0.25, 0.25, 0.75, 0.75]]
    placed = placement(boxes, np.array([7, 9, 0, 0])).numpy()
    inner = np.zeros([4, 4])
    inner[1:3, 1:3] = 1.0
    np.testing.assert_array_equal(placed[1], inner)
    np.testing.assert_array_equal(placed[0], 1.0 - inner)
    # A slot that wins no cell is added where it lies, and takes nothing away: 1/10 of a cell inside a full
    # box.
    boxes[:2] = [[0.0, 0.0, 1.0, 1.0], [0.3, 0.3, 0.4, 0.4]]
    placed = placement(boxes, np.array([7, 9, 0, 0])).numpy()
    single = np.zeros([4, 4])
    single[1, 1] = 1.0
    np.testing.assert_array_equal(placed[0], np.ones([4, 4]))
    np.testing.assert_array_equal(placed[1], single)


def test_placement_of_every_template_equals_brute_force(templates):
    names, boxes, used = templates
    placed = placement(boxes, used).numpy()
    for name, box, ids, found in zip(names[1:], boxes[1:], used[1:], placed[1:]):
        np.testing.assert_array_equal(found, brute_force_placement(box, ids), err_msg=name)
        assert found.sum((1, 2))[ids > 0].all(), f'{name}: a component has no cell'
        assert found.sum(0).all(), f'{name}: an empty cell'
        assert not found[ids == 0].any(), name


def test_random_boxes_equal_brute_force():
    rng = np.random.default_rng(0)
    corners = np.sort(rng.uniform(size=(40, 4, 2, 2)), axis=-2).reshape(40, 4, 4).astype(np.float32)
    ids = rng.integers(0, 2, size=(40, 4)).astype(np.int32)
    placed = placement(corners, ids).numpy()
    for box, used, found in zip(corners, ids, placed):
        np.testing.assert_array_equal(found, brute_force_placement(box, used))


def place(*boxes):
    """Placement of boxes given by hand, every one of them in use."""
    padded = np.zeros([4, 4], np.float32)
    padded[: len(boxes)] = boxes
    return placement(padded, (np.arange(4) < len(boxes)).astype(np.int32)).numpy()


def test_a_slot_that_wins_no_cell_is_summed_in():
    # ⿱⿴··· (盥): slot 1 lies in x .2-.8, y .1-.4 of an upper half that slot 0 fills: .6 of each of its four
    # middle cells.
    placed = place([0.0, 0.0, 1.0, 0.5], [0.2, 0.1, 0.8, 0.4], [0.0, 0.5, 1.0, 1.0])
    np.testing.assert_array_equal(placed[0], [[1] * 4] * 2 + [[0] * 4] * 2)
    np.testing.assert_array_equal(placed[1], [[0, 1, 1, 0]] * 2 + [[0] * 4] * 2)
    np.testing.assert_array_equal(placed[2], [[0] * 4] * 2 + [[1] * 4] * 2)
    # ⿻·⿰·· (豳): the halves cover every cell as well as slot 0 does and come later; slot 0 is summed into
    # all sixteen.
    placed = place([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0])
    np.testing.assert_array_equal(placed[0], np.ones([4, 4]))
    np.testing.assert_array_equal(placed[1:3].sum(0), np.ones([4, 4]))
    # ⿸·⿱·· (店): slot 1, rows .3-.65, covers .8 of row 1 and .6 of row 2, which slot 0 covers whole;
    # .8 of row 1 is its best, in the two columns that it fills.
    placed = place([0.0, 0.0, 1.0, 1.0], [0.3, 0.3, 1.0, 0.65], [0.3, 0.65, 1.0, 1.0])
    np.testing.assert_array_equal(placed[1], [[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(placed[2], [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]])
    np.testing.assert_array_equal(placed[0], 1.0 - placed[2])


@pytest.mark.parametrize('cells', [4, 8, 16])
def test_warp_weights_equal_brute_force(cells):
    rng = np.random.default_rng(1)
    low, high = np.sort(rng.uniform(size=(2, 50)), axis=0).astype(np.float32)
    low[:3], high[:3] = [0.0, 0.5, 0.0], [1.0, 1.0, 0.0]
    found = warp_weights(tf.constant(low), tf.constant(high), cells).numpy()
    for a, b, weights in zip(low.astype(np.float64), high.astype(np.float64), found):
        share, span = brute_force_overlap(a, b, cells), max(b - a, 0.05)
        for i in range(cells):
            # Where the cell's centre lies in the stretched map, in cells of the map, held to its first and
            # last centre;
            # around it a triangle as wide as the cells of the map that fall into one of the character.
            place = min(max(((i + 0.5) / cells - a) / span * cells - 0.5, 0.0), cells - 1.0)
            triangle = np.array([max(0.0, 1.0 - abs(place - j) * span) for j in range(cells)])
            np.testing.assert_allclose(weights[i], triangle / triangle.sum() * share[i], atol=2e-5)
        np.testing.assert_allclose(weights.sum(-1), share, atol=1e-6)


def test_full_box_warps_to_itself_and_half_box_to_its_half():
    for cells in (4, 8):
        np.testing.assert_allclose(
            warp_weights(tf.constant(0.0), tf.constant(1.0), cells), np.eye(cells), atol=1e-6
        )
    # Right half: the centre of cell 2 lies half way between the map's cells 0 and 1, that of cell 3 between 2
    # and 3; the
    # triangle reaches two cells: 3/4, 3/4, 1/4, 0 before they are brought to a sum of one.
    expected = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [3, 3, 1, 0], [0, 1, 3, 3]]) / 7
    np.testing.assert_allclose(warp_weights(tf.constant(0.5), tf.constant(1.0)), expected, atol=1e-6)


# The encodings
# -------------------------------------------------------------------------------------------------------

SIZES = dict(
    num_components=30,
    num_structures=12,
    num_characters=20,
    content_channels=6,
    structure_dim=5,
    component_dim=6,
    cell_dim=4,
    style_part_dim=4,
    map_channels=(),
    learn_boxes=False,
)


def make_encoder(encoding, *, rank=None, **options):
    config = GeneratorConfig(**{**SIZES, 'content_encoding': encoding, **options})
    return content_encoder(config, **({'rank': rank} if rank else {}))


@pytest.fixture
def encode(randomise, text_inputs):
    def make(encoding, **options):
        encoder = make_encoder(encoding, **options)

        def call(inputs):
            return encoder(inputs['characters'], tf.constant(inputs['style'][:, :4]))[0].numpy()

        call(dict(characters=Characters.ones(), style=np.ones([1, 4], np.float32)))
        randomise(encoder)
        return encoder, call

    return make


class _Sizes:
    """What `text_inputs` asks of a config."""

    num_components, num_structures, num_characters = list(SIZES.values())[:3]
    style_dim, character_noise_dim = 4, 1


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_shape_and_independence_of_characters(encode, text_inputs, encoding):
    _, call = encode(encoding)
    inputs = text_inputs(2, 5, _Sizes)
    whole = call(inputs)
    assert whole.shape == (2, 4, 20, 6) and whole.dtype == np.float32
    for i in range(5):
        characters = Characters(*(value[:, i : i + 1] for value in inputs['characters'][:4]))
        single = call(dict(inputs, characters=characters))
        np.testing.assert_allclose(whole[:, :, 4 * i : 4 * i + 4], single, atol=1e-5)


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_every_character_differs_in_its_features(encode, encoding):
    """员 and 呗 have the same components in another structure; 明 and 朋 share one; all four must look
    different.
    """
    charset = Charset.load()
    ids = np.array([[charset.character_id(c) for c in '员呗明朋']])
    _, call = encode(
        encoding,
        num_components=charset.num_components,
        num_structures=charset.num_structures,
        num_characters=int(ids.max()) + 1 if encoding == 'onehot' else 20,
    )
    characters = Characters.from_table(ids, charset)
    features = call(dict(characters=characters, style=np.ones([1, 4], np.float32)))[0]
    cells = [features[:, 4 * i : 4 * i + 4] for i in range(4)]
    for i in range(4):
        for j in range(i):
            assert np.abs(cells[i] - cells[j]).max() > 0.1


def test_layout_places_the_embeddings(encode, text_inputs):
    encoder, call = encode('layout')
    inputs = text_inputs(2, 3, _Sizes)
    components = encoder.component_embedding.table.numpy() * (np.arange(30) > 0)[:, None]
    structures = encoder.structure_embedding.table.numpy()
    kernel, bias = encoder.project.kernel.numpy()[0, 0], encoder.project.bias.numpy()
    expected = np.zeros([2, 4, 12, 6])
    for b in range(2):
        for n in range(3):
            ids = inputs['characters'].component_ids[b, n]
            placed = brute_force_placement(inputs['characters'].boxes[b, n].astype(np.float64), ids)
            for i in range(4):
                for j in range(4):
                    here = sum(placed[s, i, j] * components[ids[s]] for s in range(4))
                    everywhere = (
                        structures[inputs['characters'].structure_ids[b, n]]
                        + encoder.place_embedding.numpy()[i, j]
                    )
                    expected[b, i, 4 * n + j] = np.concatenate([here, everywhere]) @ kernel + bias
    np.testing.assert_allclose(call(inputs), expected, atol=1e-4)  # sums of 11 products of size 1


def test_warped_stretches_the_maps(encode, text_inputs):
    encoder, call = encode('warped')
    inputs = text_inputs(2, 3, _Sizes)

    def linear(layer, x):
        return x @ layer.kernel.numpy() + layer.bias.numpy()

    components = encoder.component_embedding.table.numpy()
    structures = encoder.structure_embedding.table.numpy()
    kernel, bias = encoder.project.kernel.numpy()[0, 0], encoder.project.bias.numpy()
    expected = np.zeros([2, 4, 12, 6])
    for b in range(2):
        for n in range(3):
            cells = np.zeros([4, 4, 4])
            for slot, component in enumerate(inputs['characters'].component_ids[b, n]):
                if component == 0:
                    continue
                drawing = linear(encoder.component_map, components[component]).reshape(4, 4, 4)
                x0, y0, x1, y1 = inputs['characters'].boxes[b, n, slot]
                rows = warp_weights(tf.constant(y0), tf.constant(y1)).numpy()
                columns = warp_weights(tf.constant(x0), tf.constant(x1)).numpy()
                cells += np.einsum('ik,jl,klc->ijc', rows, columns, drawing)
            everywhere = linear(
                encoder.structure_map, structures[inputs['characters'].structure_ids[b, n]]
            ).reshape(4, 4, 4)
            expected[b, :, 4 * n : 4 * n + 4] = np.concatenate([cells, everywhere], -1) @ kernel + bias
    np.testing.assert_allclose(call(inputs), expected, atol=1e-4)


def test_onehot_is_a_filter_bank_times_z1(encode, text_inputs):
    inputs = text_inputs(2, 3, _Sizes)
    encoder, call = encode('onehot')
    bank = encoder.filters.table.numpy().reshape(20, 4, 4, 4, 6)
    expected = (
        np.einsum('bz,bnzijc->binjc', inputs['style'], bank[inputs['characters'].character_ids]).reshape(
            2, 4, 12, 6
        )
        / 2.0
    )
    np.testing.assert_allclose(call(inputs), expected, atol=1e-5)
    assert not encoder.factorised


def test_filters_with_a_mean_write_something_without_a_style(encode, text_inputs):
    # by hand: z1 has sqrt(Z1) = 2 added to its first number, before the product is divided by sqrt(Z1)
    inputs = text_inputs(2, 3, _Sizes)
    encoder, call = encode('onehot', filter_mean=True)
    bank = encoder.filters.table.numpy().reshape(20, 4, 4, 4, 6)[inputs['characters'].character_ids]
    style = inputs['style'] + np.array([2, 0, 0, 0], np.float32)
    expected = np.einsum('bz,bnzijc->binjc', style, bank).reshape(2, 4, 12, 6) / 2.0
    np.testing.assert_allclose(call(inputs), expected, atol=1e-5)
    blank = call({**inputs, 'style': np.zeros_like(inputs['style'])})
    np.testing.assert_allclose(blank[1, :, :4], bank[1, 0, 0], atol=1e-6)


def test_onehot_factorises_above_500_classes(encode):
    plain, _ = encode('onehot', num_characters=500)
    factorised, _ = encode('onehot', num_characters=501, rank=3)
    size = 4 * 4 * 4 * 6
    assert plain.count_params() == 500 * size
    assert factorised.count_params() == 501 * 3 + 3 * size


def test_unknown_encoding():
    with pytest.raises(ValueError, match="'glyphs': expected one of sequence, layout, warped, onehot"):
        make_encoder('glyphs')


# Finer maps and learned boxes
# ------------------------------------------------------------------------------------------


def fine(encoder, inputs):
    return encoder(inputs['characters'])[1]


def test_a_component_is_the_same_drawing_wherever_it_stands(encode):
    """Full box: its own map. Left half: that map squeezed by `warp_weights`, and nothing on the right."""
    encoder, _ = encode('warped', map_channels=(3, 2))
    characters = Characters.zeros(1, 1)._replace(
        component_ids=np.array([[[7, 0, 0, 0]]], np.int32),
        structure_ids=np.array([[1]], np.int32),
        boxes=np.array([[[[0, 0, 1, 1]] + [[0] * 4] * 3]], np.float32),
    )
    narrow = np.array([[[[0, 0, 0.5, 1]] + [[0] * 4] * 3]], np.float32)
    one, half = dict(characters=characters), dict(characters=characters._replace(boxes=narrow))
    embedding = encoder.component_embedding(np.array([7]))
    for index, (cells, channels) in enumerate(((8, 3), (16, 2))):
        own = tf.reshape(encoder.fine_maps[index](embedding), [cells, cells, channels]).numpy()
        np.testing.assert_allclose(fine(encoder, one)[index][0], own, atol=1e-5)
        columns = warp_weights(tf.constant(0.0), tf.constant(0.5), cells).numpy()
        np.testing.assert_allclose(
            fine(encoder, half)[index][0], np.einsum('jl,ilc->ijc', columns, own), atol=1e-5
        )
        assert not fine(encoder, half)[index][0, :, cells // 2 :].numpy().any()


def test_components_of_a_character_are_summed_in_their_boxes(encode):
    """Every slot by itself, added up: no slot changes another's place."""
    encoder, _ = encode('warped', map_channels=(3,))
    rng = np.random.default_rng(3)
    corners = np.sort(rng.uniform(size=(1, 1, 4, 2, 2)), axis=-2).reshape(1, 1, 4, 4).astype(np.float32)
    ids = np.array([[[3, 9, 3, 11]]], np.int32)
    together = Characters(ids, np.array([[2]], np.int32), corners, np.ones([1, 1], np.int32))
    alone = [
        together._replace(component_ids=np.where(np.arange(4) == slot, ids, 0).astype(np.int32))
        for slot in range(4)
    ]
    alone = [fine(encoder, dict(characters=characters))[0] for characters in alone]
    np.testing.assert_allclose(fine(encoder, dict(characters=together))[0], sum(alone), atol=1e-5)


def test_learned_boxes_start_as_the_templates_and_then_depend_on_the_components(text_inputs, encode):
    inputs = text_inputs(1, 3, _Sizes)
    fresh = make_encoder('warped', map_channels=(3,), learn_boxes=True)
    fine(fresh, inputs)
    components, structures = (
        fresh.component_embedding(inputs['characters'].component_ids),
        fresh.structure_embedding(inputs['characters'].structure_ids),
    )
    refined = fresh._refined(tf.constant(inputs['characters'].boxes), components, structures)
    np.testing.assert_array_equal(refined, inputs['characters'].boxes)
    encoder, _ = encode('warped', map_channels=(3,), learn_boxes=True)
    components, structures = (
        encoder.component_embedding(inputs['characters'].component_ids),
        encoder.structure_embedding(inputs['characters'].structure_ids),
    )
    moved = (
        encoder._refined(tf.constant(inputs['characters'].boxes), components, structures)
        - inputs['characters'].boxes
    )
    assert np.abs(moved).max() <= 0.25 + 1e-6 and np.abs(moved).max() > 0.01
    assert np.ptp(np.asarray(moved), axis=(0, 1, 2)).min() > 0.01  # not one shift for all


def test_learned_boxes_stay_in_the_square(text_inputs, encode):
    """However far the offsets reach (a quarter of the character at most), each corner stops at the edge."""
    inputs = text_inputs(1, 3, _Sizes)
    encoder, _ = encode('warped', map_channels=(3,), learn_boxes=True)
    components, structures = (
        encoder.component_embedding(inputs['characters'].component_ids),
        encoder.structure_embedding(inputs['characters'].structure_ids),
    )
    encoder.box_offsets.kernel.assign(tf.zeros_like(encoder.box_offsets.kernel))
    for far in (-100.0, 100.0):
        encoder.box_offsets.bias.assign(tf.fill([4], far))
        moved = inputs['characters'].boxes + np.float32(0.25 * np.sign(far))
        assert moved.min() < 0.0 or moved.max() > 1.0
        np.testing.assert_allclose(
            encoder._refined(tf.constant(inputs['characters'].boxes), components, structures),
            np.clip(moved, 0.0, 1.0),
            atol=1e-6,
        )


def test_finer_maps_are_of_warped_alone(encode):
    for encoding in ('sequence', 'layout', 'onehot'):
        encoder, _ = encode(encoding, map_channels=(3,), learn_boxes=True)
        assert encoder(Characters.ones(), tf.ones([1, 4]))[1] == ()
        assert not [v.path for v in encoder.variables if 'fine_map' in v.path or 'box' in v.path]


def test_sequence_spreads_structure_and_slots_in_their_order(encode, text_inputs):
    encoder, call = encode('sequence')
    inputs = text_inputs(2, 3, _Sizes)
    components = encoder.component_embedding.table.numpy() * (np.arange(30) > 0)[:, None]
    flat = np.concatenate(
        [
            encoder.structure_embedding.table.numpy()[inputs['characters'].structure_ids],
            components[inputs['characters'].component_ids].reshape(2, 3, 24),
        ],
        -1,
    )
    cells = linear(encoder.spread, flat).reshape(2, 3, 4, 4, 6)
    np.testing.assert_allclose(call(inputs), cells.transpose(0, 2, 1, 3, 4).reshape(2, 4, 12, 6), atol=1e-4)


def test_the_factorised_filter_bank_is_one(encode, text_inputs):
    """Rows of the first factor through the second are the filters; both start so that the product has the
    variance of one.
    """
    inputs = text_inputs(2, 3, _Sizes)
    encoder, call = encode('onehot', num_characters=501, rank=5)
    bank = (encoder.filters.table.numpy() @ encoder.unfold.kernel.numpy()).reshape(501, 4, 4, 4, 6)
    expected = (
        np.einsum('bz,bnzijc->binjc', inputs['style'], bank[inputs['characters'].character_ids]).reshape(
            2, 4, 12, 6
        )
        / 2.0
    )
    np.testing.assert_allclose(call(inputs), expected, atol=1e-4)
    fresh = make_encoder('onehot', num_characters=501)
    fresh(Characters.ones(), style=np.ones([1, 4], np.float32))
    # 24,576 draws: a standard error is .5 %
    assert fresh.unfold.kernel.shape == (64, 384) and np.std(fresh.unfold.kernel) == pytest.approx(
        1.0 / 8, rel=0.03
    )


def test_learned_boxes_equal_numpy(encode, text_inputs):
    """Each slot's own component, the sum of the others, the structure and the slot's number, through one
    hidden layer to a quarter of the character at most.
    """
    encoder, _ = encode('warped', learn_boxes=True)
    inputs = text_inputs(1, 3, _Sizes)
    components, structures = (
        encoder.component_embedding(inputs['characters'].component_ids).numpy(),
        encoder.structure_embedding(inputs['characters'].structure_ids).numpy(),
    )
    for n in range(3):
        for slot in range(4):
            others = sum(components[0, n, s] for s in range(4) if s != slot)
            hidden = np.maximum(
                linear(
                    encoder.box_hidden,
                    np.concatenate([components[0, n, slot], others, structures[0, n], np.eye(4)[slot]]),
                ),
                0.0,
            )
            expected = np.clip(
                inputs['characters'].boxes[0, n, slot] + 0.25 * np.tanh(linear(encoder.box_offsets, hidden)),
                0.0,
                1.0,
            )
            np.testing.assert_allclose(
                encoder._refined(tf.constant(inputs['characters'].boxes), components, structures)[0, n, slot],
                expected,
                atol=1e-5,
            )
    assert encoder.box_hidden.units == 64


def test_what_was_looked_up_lies_between(encode, text_inputs):
    """A quarter of the way: numbers a quarter, and where only one of the two uses a slot it stands where
    that one has it.
    """
    encoder, _ = encode('warped')
    first, second = (text_inputs(1, 2, _Sizes, seed) for seed in (1, 2))
    first['characters'].component_ids[0, 0], second['characters'].component_ids[0, 0] = (
        [3, 4, 0, 0],
        [5, 0, 7, 0],
    )
    one, other = (encoder.embed(inputs['characters']) for inputs in (first, second))
    found = encoder.interpolate(one, other, 0.25)
    for name in ('components', 'structures', 'used'):
        np.testing.assert_allclose(
            getattr(found, name), 0.75 * getattr(one, name) + 0.25 * getattr(other, name), atol=1e-6
        )
    a, b = first['characters'].boxes[0, 0], second['characters'].boxes[0, 0]
    np.testing.assert_allclose(
        found.boxes[0, 0], [0.75 * a[0] + 0.25 * b[0], a[1], b[2], 0.75 * b[3] + 0.25 * a[3]], atol=1e-6
    )
    np.testing.assert_array_equal(found.used[0, 0], [1.0, 0.75, 0.25, 0.0])
    assert found._fields == ('components', 'structures', 'used', 'boxes')
    for share, end in ((0.0, one), (1.0, other)):
        np.testing.assert_array_equal(encoder.interpolate(one, other, share).components, end.components)


def test_places_start_with_unit_variance():
    fresh = make_encoder('layout', structure_dim=400)
    fresh(Characters.ones())
    # 6,400 draws
    assert fresh.place_embedding.shape == (4, 4, 400) and np.std(fresh.place_embedding) == pytest.approx(
        1.0, abs=0.05
    )
