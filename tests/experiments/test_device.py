"""experiments/accelerator/device.py without JAX: lines as they were packed, the stream of lines, the
schedule by the clock, what is saved; and what of a run is exported.
"""

import importlib.util
import io
import json
import math
import pathlib
import sys
import types

import numpy as np
import pytest
from PIL import Image

from experiments.accelerator import packing

DEVICE = pathlib.Path(packing.__file__).with_name('device.py')


@pytest.fixture
def device(monkeypatch):
    """The module, with a stand-in for JAX."""
    monkeypatch.setitem(sys.modules, 'jax', types.ModuleType('jax'))
    spec = importlib.util.spec_from_file_location('device', DEVICE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Index:
    """Lines of one grey level each; of 1 to 4 cells."""

    lengths = np.array([2, 4, 0, 1, 5, 3, 4, 2])

    def read_record(self, number, *, decode_trajectory):
        assert decode_trajectory is False
        length = int(self.lengths[number])
        ids = np.arange(length) + 10 * number + 1
        return types.SimpleNamespace(
            image=np.full([16, 16 * length], 20 * number + 5, np.uint8), character_ids=ids, boxes=None
        )


def test_lines_come_back_as_they_were_packed(device, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, 'STRIP_PX', 100)
    packing.pack_lines(Index(), tmp_path / 'lines', char_px=16, longest_lines=4, quality=95, num_files=2)
    paths = sorted((tmp_path / 'lines').glob('lines-*.npz'))
    assert [path.name for path in paths] == ['lines-0.npz', 'lines-1.npz']
    with np.load(paths[0]) as stored:
        # Lines 0, 1, 3: 32 + 64 + 16 px do not fit into 100.
        assert (
            stored['lengths'].tolist() == [2, 4, 1]
            and len(stored['strip_bytes']) == 2
            and (int(stored['char_px']), int(stored['longest_lines'])) == (16, 4)
        )
        ends = np.cumsum(stored['strip_bytes'])
        assert [
            Image.open(io.BytesIO(stored['strips'][end - size : end].tobytes())).size
            for end, size in zip(ends, stored['strip_bytes'])
        ] == [(96, 16), (16, 16)]
    images, ids, lengths, _ = device.read_lines(paths, 8)
    assert (
        images.shape == (8, 16, 64)
        and ids.shape == (8, 4)
        and lengths.tolist() == [2, 4, 1, 3, 4, 2]
        and (images.dtype, lengths.dtype) == (np.uint8, np.int32)
    )
    for place, number in enumerate((0, 1, 3, 5, 6, 7)):
        length = Index.lengths[number]
        assert ids[place].tolist() == [*(np.arange(length) + 10 * number + 1), *[0] * (4 - length)]
        assert (
            np.abs(images[place, :, : 16 * length].astype(int) - (20 * number + 5)).max() <= 3
            and (images[place, :, 16 * length :] == 255).all()
        )
    assert (images[6:] == 255).all() and not ids[6:].any()
    # No more than there is room for, across files.
    images, ids, lengths, _ = device.read_lines(paths, 4)
    assert lengths.tolist() == [2, 4, 1, 3] and len(images) == 4 and ids[3, 0] == 51


def test_paper_is_white_again(device, tmp_path):
    class Pale(Index):
        lengths = np.array([1, 1])

        def read_record(self, number, *, decode_trajectory):
            return types.SimpleNamespace(
                image=np.full([16, 16], (250, 240)[number], np.uint8), character_ids=np.array([1]), boxes=None
            )

    packing.pack_lines(Pale(), tmp_path, char_px=16, longest_lines=4, quality=100)
    images, _, _, _ = device.read_lines([tmp_path / 'lines-0.npz'], 2)
    assert (images[0, :, :8] == 255).all() and images[1, 8, 8] == 240


def device_of(module, *, lengths=(1, 2, 3, 3, 2, 1), **attributes):
    found = object.__new__(module.Device)
    found.lengths, found.rng, found.pools, found.chunk = np.array(lengths), np.random.default_rng(0), {}, 2
    for name, value in attributes.items():
        setattr(found, name, value)
    return found


def test_the_stream_of_lines_is_endless_and_even(device):
    found = device_of(device)
    drawn = np.concatenate([found._members(4, 2) for _ in range(9)])
    # none longer than two; each once before one comes again
    assert np.bincount(drawn, minlength=6).tolist() == [9, 9, 0, 0, 9, 9]
    rounds = drawn.reshape(9, 4)
    assert all(sorted(one) == [0, 1, 4, 5] for one in rounds) and len({tuple(one) for one in rounds}) > 1
    assert sorted(found._members(6, 3)) == list(range(6))  # a pool for each length
    assert set(device_of(device, lengths=(4, 5))._members(3, 2)) == {0}  # the shortest there are


def test_models_are_saved_in_parts(device, tmp_path, monkeypatch):
    monkeypatch.setattr(device, 'FILE_BYTES', 100)
    variables = {
        'generator/a': np.ones(10, np.float32),
        'generator_optimizer/m': np.ones(9),
        'generator/b': np.full(10, 2, np.float32),
        'average/c': np.full(20, 3, np.float32),
        'discriminator/d': np.ones(3),
        'style/e': np.full(5, 4, np.float32),
    }
    device_of(device, variables=variables).save(tmp_path)
    found = [dict(np.load(tmp_path / f'weights-{k}.npz')) for k in range(2)]
    assert [list(part) for part in found] == [
        ['generator/a', 'generator/b'],
        ['average/c', 'style/e'],
    ] and len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(found[1]['average/c'], np.full(20, 3))


class Run:
    """Stands for Device: each call takes a second of the clock."""

    def __init__(self, clock, **schedule):
        self.clock, self.chunk, self.calls, self.saved, self.compiled = clock, 50, [], [], None
        self.config = {
            'settings': {'recognizer_rate': 0.01, 'reconstruction_rate': 0.1},
            'schedule': {
                'rate_floor': 0.1,
                'longest_lines': 8,
                'shortest_lines': 2,
                'growing_steps': 300,
                **schedule,
            },
        }

    def compile(self, phases):
        self.compiled = phases

    def ready(self, phase):
        self.clock.now += 100.0  # waiting does not count

    def run(self, phase, rate, longest):
        self.calls.append((phase, rate, longest))
        self.clock.now += 1.0
        return {'loss': np.array([1.0, 3.0])}

    def save(self, out):
        self.saved.append(self.clock.now)


@pytest.fixture
def clock(device, monkeypatch):
    found = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(device.time, 'monotonic', lambda: found.now)
    yield found
    monkeypatch.undo()


def test_the_schedule_goes_by_the_clock(device, clock, tmp_path):
    """By hand: 200 steps of warm-up, then half a cosine down to a tenth when the seconds are over; lines
    grow for 300 steps.
    """
    run = Run(clock)
    device.train(run, tmp_path, dict(recognizers=10.0, reconstruction=0.0), save_every=3.0, deadline=math.inf)
    assert run.compiled == ['recognizers'] and len(run.calls) == 10
    for n, (phase, rate, longest) in enumerate(run.calls):
        expected = 0.01 * min(1, (50 * n + 50) / 200) * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * n / 10)))
        assert (
            phase == 'recognizers'
            and rate == pytest.approx(expected)
            and longest == (2 + 6 * 50 * n // 300 if 50 * n < 300 else 8)
        )
    assert run.saved == [104.0, 108.0, 110.0]  # more than three seconds after the last, and at the end
    log = json.loads((tmp_path / 'log.json').read_text())
    assert [row['step'] for row in log] == [50 * n for n in range(1, 11)] and log[2] == {
        'phase': 'recognizers',
        'step': 150,
        'seconds': 3.0,
        'rate': run.calls[2][1],
        'loss': 2.0,
    }


def test_the_second_phase_ends_by_the_deadline(device, clock, tmp_path):
    run = Run(clock)
    device.train(run, tmp_path, dict(recognizers=2.0, reconstruction=50.0), save_every=99.0, deadline=207.0)
    assert (
        run.compiled == ['recognizers', 'reconstruction']
        and [phase for phase, *_ in run.calls] == ['recognizers'] * 2 + ['reconstruction'] * 5
    )
    # It begins anew: with its own rate, its own warm-up.
    assert run.calls[2][1] == pytest.approx(0.1 * 0.25) and run.calls[6][1] == pytest.approx(
        0.1 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * 0.8)))
    )


def test_losses_that_are_not_finite_end_it(device, clock, tmp_path):
    run = Run(clock)
    run.run = lambda *arguments: {'loss': np.array([1.0, np.nan])}
    with pytest.raises(
        FloatingPointError, match="recognizers, step 50: {'loss': nan}; the weights saved last are good"
    ):
        device.train(
            run, tmp_path, dict(recognizers=10.0, reconstruction=0.0), save_every=3.0, deadline=math.inf
        )
    assert not run.saved


def test_a_device_opens_what_was_exported(device, tmp_path):
    """Half precision becomes single, a value that stands for several is each of them, lengths are filled
    up.
    """
    np.savez(tmp_path / 'variables.npz', same=json.dumps({'b': 'a'}), a=np.float16([1.5]), n=np.int64(3))
    (tmp_path / 'config.json').write_text(json.dumps({'settings': {'seed': 7}}))
    packing.pack_lines(Index(), tmp_path, char_px=16, longest_lines=4, quality=80)
    np.savez(
        tmp_path / 'tables.npz', component_ids=np.zeros([3, 4], np.int32), structure_ids=np.ones(3, np.int32)
    )
    device.jax.numpy = types.SimpleNamespace(array=np.array)
    device.jax.device_put, device.jax.random = (
        lambda value: value,
        types.SimpleNamespace(key=lambda seed: ('key', seed)),
    )
    found = device.Device(tmp_path, chunk=5, capacity=9)
    assert {name: (value.tolist(), value.dtype.name) for name, value in found.variables.items()} == {
        'a': ([1.5], 'float32'),
        'b': ([1.5], 'float32'),
        'n': (3, 'int64'),
    }
    assert (
        found.chunk == 5
        and found.key == ('key', 7)
        and found.rng.random() == np.random.default_rng(7).random()
        and found.lengths.tolist() == [2, 4, 1, 3, 4, 2]
    )
    assert found.lines['lengths'].tolist() == [2, 4, 1, 3, 4, 2, 0, 0, 0] and found.lines['images'].shape == (
        9,
        16,
        64,
    )
    assert (
        found.lines['structure_table'].tolist() == [1, 1, 1]
        and found.lines['component_table'].shape == (3, 4)
        and found.lines['character_ids'].shape == (9, 4)
    )


def test_spaced_lines_bring_the_room_of_their_characters(device, tmp_path):
    """Two characters of 6 and 10 px in a line of 16 px: cells of 16 px, advances of its height."""

    class Spaced(Index):
        lengths = np.array([2])

        def read_record(self, number, *, decode_trajectory):
            image = np.full([16, 18], 255, np.uint8)
            image[:, 1:6] = image[:, 8:17] = 0
            boxes = np.array([[1, 0, 6, 16], [8, 0, 17, 16]])
            return types.SimpleNamespace(image=image, character_ids=np.array([3, 4]), boxes=boxes)

    packing.pack_lines(Spaced(), tmp_path, char_px=16, longest_lines=4, quality=100, layout='spaced')
    images, ids, lengths, advances = device.read_lines([tmp_path / 'lines-0.npz'], 2)
    assert lengths.tolist() == [2] and ids[0].tolist() == [3, 4, 0, 0]
    np.testing.assert_allclose(advances, [[7 / 16, 11 / 16, 0, 0], [0, 0, 0, 0]])
    # pieces 0..7 and 7..18 in the middle of their cells, from 4 and from 16 + 2
    assert (images[0, 8, 5:10] < 40).all() and (images[0, 8, 19:28] < 40).all()
    assert (images[0, 8, [2, 13, 30, 40]] > 240).all()
