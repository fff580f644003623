"""A tiny whole: twenty characters, eight channels, batches of four lines of two characters, and a trainer
for it.
"""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from one_weight import CONFIG, SAMPLE, SCHEDULE, OneWeight, PlainInputs, Unshown
from plain_sizes import PLAIN
from steps_taken import WAYS, taken
from tensorflow.python.framework import config  # the one way to turn determinism off again

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.data.reading.pipeline import LineBatch, LineBatches
from hwgen.losses import ctc
from hwgen.models.hct_gan import HctGan
from hwgen.settings.model import GeneratorConfig, HctGanConfig
from hwgen.settings.steps import GanSettings
from hwgen.training import distribution
from hwgen.training import loop as loop_module
from hwgen.training import time_limit as limit_module
from hwgen.training.gan import GanTraining
from hwgen.training.loop import TrainingLoop
from hwgen.training.step_inputs import StepInputs
from hwgen.training.texts import TextSampler

NUM_COMPONENTS, NUM_STRUCTURES, NUM_CHARACTERS = 12, 5, 21
BATCH, LENGTH, PX = 4, 2, 16


@pytest.fixture(scope='session')
def template_boxes():
    """float32 [5, 4, 4]: padding, whole, left and right, above and below, quarters."""
    boxes = np.zeros([NUM_STRUCTURES, 4, 4], np.float32)
    boxes[1, 0] = [0.0, 0.0, 1.0, 1.0]
    boxes[2, :2] = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]
    boxes[3, :2] = [0.0, 0.0, 1.0, 0.5], [0.0, 0.5, 1.0, 1.0]
    boxes[4] = [0.0, 0.0, 0.5, 0.5], [0.5, 0.0, 1.0, 0.5], [0.0, 0.5, 0.5, 1.0], [0.5, 0.5, 1.0, 1.0]
    return boxes


@pytest.fixture(scope='session')
def codes():
    """Components and structure of the twenty characters: int32 [21, 4], [21]; row 0 is padding."""
    components, structures = np.zeros([NUM_CHARACTERS, 4], np.int32), np.zeros([NUM_CHARACTERS], np.int32)
    for index in range(1, NUM_CHARACTERS):
        structures[index] = (index - 1) % 4 + 1
        slots = (1, 2, 2, 4)[structures[index] - 1]
        components[index, :slots] = (index * np.arange(1, 2 * slots, 2)) % (NUM_COMPONENTS - 1) + 1
    return components, structures


@pytest.fixture(scope='session')
def make_batch(codes, template_boxes):
    """Function of a step -> numpy batch as the pipeline gives it: every component is a fixed 4 x 4 drawing
    in its box.
    """
    components, structures = codes
    drawings = np.where(np.random.default_rng(0).uniform(size=[NUM_COMPONENTS, 4, 4]) < 0.5, -1.0, 1.0)

    def draw(character):
        image = np.ones([PX, PX], np.float32)
        for component, (x0, y0, x1, y1) in zip(components[character], template_boxes[structures[character]]):
            if component:
                rows, columns = int((y1 - y0) * PX), int((x1 - x0) * PX)
                drawing = drawings[component].repeat(rows // 4, axis=0).repeat(columns // 4, axis=1)
                image[int(y0 * PX) : int(y0 * PX) + rows, int(x0 * PX) : int(x0 * PX) + columns] = drawing
        return image

    def make(step=0, lengths=(LENGTH,) * BATCH):
        ids = (
            np.random.default_rng([1, step])
            .integers(1, NUM_CHARACTERS, size=[BATCH, max(lengths)])
            .astype(np.int32)
        )
        ids[np.arange(max(lengths)) >= np.array(lengths)[:, None]] = 0
        images = np.stack([np.concatenate([draw(character) for character in line], axis=1) for line in ids])
        return LineBatch(
            images=images[..., np.newaxis],
            widths=np.array(lengths, np.int32) * PX,
            characters=Characters(
                component_ids=components[ids],
                structure_ids=structures[ids],
                boxes=template_boxes[structures[ids]],
                character_ids=ids,
                lengths=np.array(lengths, np.int32),
            ),
            example_index=np.arange(BATCH, dtype=np.int32),
            step=np.full([BATCH], step, np.int64),
            advances=(ids > 0).astype(np.float32),
        )

    return make


@pytest.fixture(scope='session')
def texts_of():
    """Function of a batch -> what to write: its texts, in the opposite order."""
    return lambda batch: Characters(*(value[::-1].copy() for value in batch.characters))


@pytest.fixture(scope='session')
def make_trainer():
    """Function of a strategy (default: one device), a Charset (default: the twenty characters), GanSettings'
    options, model sizes, kinds of guides and PairSettings -> GanTraining, always of equal weights."""

    def make(strategy=None, *, charset=None, model=None, guides=None, pairs=None, **options):
        strategy = strategy or tf.distribute.get_strategy()
        keras.utils.set_random_seed(7)
        tables = dict(
            num_components=NUM_COMPONENTS, num_structures=NUM_STRUCTURES, num_characters=NUM_CHARACTERS
        )
        if charset:
            tables = {name: getattr(charset, name) for name in tables}
        generator = GeneratorConfig(
            **{
                **PLAIN,
                **dict(
                    **tables,
                    content_encoding='warped',
                    char_px=PX,
                    char_width_px=PX,
                    content_channels=8,
                    channels=(8, 8),
                    style_part_dim=4,
                    character_noise_dim=3,
                    structure_dim=8,
                    component_dim=8,
                    cell_dim=8,
                    upsample='between',
                    spectral=False,
                ),
                **(model or {}),
            }
        )
        kind = options.get('sequence_labels', 'structured')
        with strategy.scope():
            model = HctGan(
                HctGanConfig(
                    generator,
                    sequence_labels=ctc.num_label_classes(kind, **tables),
                    spatial_labels=tables['num_components'],
                    discriminator_channels=(8, 8, 8),
                    recognizer_channels=(8, 16, 16),
                    recognizer_hidden=16,
                    share_trunk=True,
                    style_channels=(8, 8, 8),
                    **(guides or {}),
                )
            )
            return GanTraining(
                model,
                GanSettings(
                    **{
                        **dict(
                            batch_size=BATCH,
                            seed=3,
                            feature_levels=(3,),
                            style_kl_weight=2e-3,
                            product_dtype='float32',
                        ),
                        **options,
                    }
                ),
                strategy=strategy,
                pairs=pairs,
            )

    return make


@pytest.fixture(scope='session')
def two_replicas():
    """The strategy over two logical CPUs: one a process, since each counts the keys of its collective
    calls from the start.
    """
    return distribution.make_strategy('mirrored', batch_size=BATCH)


@pytest.fixture(scope='session')
def variables_of():
    """Function of a trainer -> dict name -> tf.Variable of all that a run must keep: modules, optimizers,
    counters.
    """

    def collect(trainer):
        found = {}
        for name, item in trainer.trackables().items():
            variables = [item] if isinstance(item, tf.Variable) else item.variables
            for index, variable in enumerate(variables):
                found[f'{name}/{index:03d}/{variable.name}'] = variable
        return found

    return collect


@pytest.fixture(scope='session')
def one_trainer(make_trainer, variables_of):
    """The trainer that most tests share, as its traced steps are expensive; take `trainer`, which starts
    it anew.
    """
    trainer = make_trainer()
    return trainer, {name: variable.numpy() for name, variable in variables_of(trainer).items()}


@pytest.fixture
def trainer(one_trainer, variables_of):
    trainer, start = one_trainer
    for name, variable in variables_of(trainer).items():
        variable.assign(start[name])
    return trainer


@pytest.fixture(params=WAYS)
def each_way(request):
    """For tests of a few steps: eager ones, and in the slow tier traced ones."""
    with taken(request.param):
        yield request.param


@pytest.fixture(scope='module')
def determinism():
    """What `train` turns on, as equal bits are promised under it only; off again for the tests that
    follow.
    """
    tf.config.experimental.enable_op_determinism()
    yield
    config.disable_op_determinism()


# The loop of one weight (one_weight.py)
# --------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def charset():
    return Charset.load()


@pytest.fixture(scope='module')
def texts(charset):
    return TextSampler(charset, seed=3)


@pytest.fixture
def make_loop(charset, texts):
    """Function of a trainer and the loop's options -> TrainingLoop in the folder `run`.

    With `read_ahead`, lines of one's own, or lines without text it reads as a run does. Else each step's
    inputs are made when they are asked for: a start of tf.data takes longer than the eleven steps.
    """
    made = []

    def make(
        trainer=None,
        *,
        batches=None,
        mixed=None,
        schedule=SCHEDULE,
        config=None,
        run_dir='run',
        read_ahead=False,
        **options,
    ):
        kind = StepInputs if read_ahead or batches or mixed else PlainInputs
        batches = batches or LineBatches(
            SAMPLE, charset=charset, batch_size=4, seed=3, char_px=16, max_characters=schedule.max_characters
        )
        loop = TrainingLoop(
            trainer or OneWeight(),
            schedule,
            inputs=kind(batches, texts, schedule=schedule, mixed=mixed),
            samples=Unshown,
            run_dir=run_dir,
            config=config or CONFIG,
            **{**dict(sample_every=100, checkpoint_every=3, log_every=2, keep_checkpoints=2), **options},
        )
        made.append(loop)
        return loop

    yield make
    for loop in made:
        loop._folder.close()


@pytest.fixture
def clock(monkeypatch):
    """[seconds] that the loop and its limit of minutes go by; nothing moves them but the test."""
    seconds = [0.0]
    for module in (loop_module, limit_module):
        monkeypatch.setattr(module, 'time', types.SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


@pytest.fixture(scope='module')
def whole(charset, texts, tmp_path_factory):
    """The weight of one_weight.py after eleven steps without an interruption."""
    folder = tmp_path_factory.mktemp('whole')
    trainer = OneWeight()
    batches = LineBatches(
        SAMPLE, charset=charset, batch_size=4, seed=3, char_px=16, max_characters=SCHEDULE.max_characters
    )
    TrainingLoop(
        trainer,
        SCHEDULE,
        inputs=StepInputs(batches, texts, schedule=SCHEDULE),
        samples=Unshown,
        run_dir=str(folder),
        config=CONFIG,
    ).run()
    return trainer.weight.numpy()
