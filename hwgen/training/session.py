"""A training from its settings to its summary: the lines, the networks, the loop, and what config.json
says of them.
"""

import dataclasses
import functools
import io
import os
import time
from collections.abc import Callable
from typing import Any

from hwgen import console
from hwgen.data.preparing import drawn_index, prepare
from hwgen.data.reading import shards
from hwgen.inference.model_folder import find_shipped
from hwgen.settings import flags as settings_flags
from hwgen.settings.model import GeneratorConfig, HctGanConfig
from hwgen.settings.resources import resource_path
from hwgen.settings.train import TrainSettings
from hwgen.training import settings_checks

# TensorFlow is imported inside the functions: what is wrong with the settings or the lines is told before it
# is loaded.


class _Lines(io.TextIOBase):
    """A file whose lines go to a function."""

    def __init__(self, report):
        self._report, self._rest = report, ''

    def writable(self):
        return True

    def write(self, text):
        *lines, self._rest = (self._rest + text).split('\n')
        for line in lines:
            self._report(line)
        return len(text)


class MissingLinesError(ValueError):
    """A collection that a preset expects and that has to be fetched; the message says from where, and how
    it is made.
    """


def train(
    settings: TrainSettings,
    *,
    report: Callable[[str], Any] | None = None,
    started: float | None = None,
    command: str = 'hwgen.training.session.train',
    program: str = 'hwgen ',
    worker_start: Callable[[], Any] | None = None,
) -> dict:
    """Trains, or goes on with the run that is in `settings.run.run_dir`.

    Args:
        settings: all of it. An embedded corpus that is not there is written, its training lines beside the
            training.
        report: takes a line of what is going on, those of the loop among them; None: they are printed.
        started: of `time.monotonic`, from when on `max_minutes` count, the writing of a corpus not among
            them; None: from now on.
        command: what was typed, for config.json.
        program: what stands before a command's name in messages.
        worker_start: called first in processes that draw lines.

    Returns:
        dict: see `TrainingLoop.run`; and `planned`, the Schedule before phases were cut short, and `latin`,
            whether the lines hold no Chinese.

    Raises:
        MissingLinesError: the lines are not there and have to be fetched.
        ValueError: settings that name no training; messages say which.
        OtherRunError: the folder holds a run that was started otherwise.
    """
    started = time.monotonic() if started is None else started
    stream, report = report and _Lines(report), report or console.say
    settings_checks.check_settings(settings)
    started += ensure_lines(settings, report=report, program=program)
    for folder in filter(None, (settings.data.data, settings.data.unlabelled)):
        shards.read_info(folder)
    with drawn_index.training_lines(settings.data.data, start=worker_start, report=report) as index:
        return _train(settings, index, started, report=report, stream=stream, command=command)


def ensure_lines(settings: TrainSettings, *, report: Callable[[str], Any], program: str = 'hwgen ') -> float:
    """Sees to it that the lines are there: the embedded corpus is written where a preset expects it, its
    training lines later (`drawn_index`) where it can.

    Args:
        settings: their folder, and whether several processes train.
        report, program: see `train`.

    Returns:
        Seconds that the writing took.

    Raises:
        MissingLinesError: a collection that a preset expects and that has to be fetched; says from where, and
            how it is made.
    """
    before, folder = time.monotonic(), settings.data.data
    # A single core would do both at half the speed, and of several processes each would write.
    later = settings.run.strategy != 'multi_worker' and (os.cpu_count() or 1) > 1
    prepare.ensure_embedded(folder, ['validation'] if later else ['train', 'validation'], report=report)
    if os.path.exists(folder):
        return time.monotonic() - before
    for preset in sorted(resource_path('demo.flags').parent.glob('*.flags')):
        lines = preset.read_text(encoding='utf-8').splitlines()
        made = next(
            (
                line.lstrip('# ')
                for line in lines
                if line.startswith('#') and 'prepare ' in line and f'--out={folder} ' in line + ' '
            ),
            None,
        )
        if made and f'--data={folder}' in lines:
            origin = next(
                (line.removeprefix('# From: ') for line in lines if line.startswith('# From: ')), ''
            )
            raise MissingLinesError(f'{folder}: not there. {origin} Then: {program}{made}')
    return 0.0  # the lines' reader says that there is no such folder


def configurations(settings: TrainSettings, charset: Any) -> tuple[HctGanConfig, Any, Any]:
    """The sizes of the networks, GanSettings and Schedule of a training whose table of characters is known.

    Args:
        settings: what was asked for.
        charset: Charset, whose tables the networks read and write.

    Raises:
        ValueError: guides that exclude each other, or sizes that do not fit together.
    """
    from hwgen.losses import ctc
    from hwgen.training import provenance

    tables = dict(
        num_components=charset.num_components,
        num_structures=charset.num_structures,
        num_characters=charset.num_characters,
    )
    steps, modules = settings.steps, settings.modules
    if modules.attention_perception and (steps.spatial_structures or not modules.spatial_perception):
        raise ValueError(
            '--attention_perception reads components in place of SPM: expected neither --nospatial_perception'
            ' nor --spatial_structures'
        )
    spatial = 0
    if modules.spatial_perception:
        spatial = charset.num_components + (charset.num_structures - 1 if steps.spatial_structures else 0)
    sizes, generator = dataclasses.asdict(modules), dataclasses.asdict(settings.generator)
    has_both = sizes.pop('spatial_perception')
    sizes['share_trunk'] = sizes['share_trunk'] and has_both
    generator['char_width_px'] = generator['char_width_px'] or None  # 0 is typed for it, too
    model = HctGanConfig(
        GeneratorConfig(**tables, **generator),
        sequence_labels=ctc.num_label_classes(steps.sequence_labels, **tables),
        spatial_labels=spatial,
        **sizes,
    )
    if steps.product_dtype == 'auto':
        steps = dataclasses.replace(steps, product_dtype=provenance.fast_product_dtype())
    return model, steps, settings.schedule


def _train(settings, index, started, *, report, stream, command):
    """Wires data, models and loop together.

    Args:
        settings: TrainSettings.
        index: DrawnIndex of training lines that are being written; None: the folder has them.
        started, report, command: see `train`.
        stream: file for what the loop tells; None: standard output.
    """
    report('loading TensorFlow and building the networks')
    import keras
    import tensorflow as tf

    data, run, seed, batch_size = settings.data, settings.run, settings.steps.seed, settings.steps.batch_size
    if run.cpu_replicas > 1:
        cpu = tf.config.list_physical_devices('CPU')[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * run.cpu_replicas
        )
    if run.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    # TensorFlow counts the kinds of steps as one function, as they are defined in one place, and would warn
    # of too many traces.
    tf.get_logger().addFilter(lambda record: 'triggered tf.function retracing' not in record.getMessage())

    from hwgen.data.reading.mixed_lines import MixedLines
    from hwgen.data.reading.pipeline import LineBatches, NoLineError
    from hwgen.models.hct_gan import HctGan
    from hwgen.training import distribution
    from hwgen.training.gan import GanTraining
    from hwgen.training.loop import TrainingLoop
    from hwgen.training.sampling import Sampler
    from hwgen.training.step_inputs import StepInputs
    from hwgen.training.texts import TextSampler

    charset = _charset(settings)
    model_config, steps, schedule = configurations(settings, charset)
    if not schedule.total_steps:
        raise ValueError(
            '--recognizer_steps, --reconstruction_steps and --adversarial_steps are all 0: expected at least'
            ' one step'
        )
    strategy = distribution.make_strategy(run.strategy, batch_size=batch_size)
    size = dict(
        char_px=model_config.generator.char_px,
        char_width_px=model_config.generator.char_width_px,
        layout=model_config.generator.layout,
    )
    batches = LineBatches(
        data.data,
        charset=charset,
        split='train',
        batch_size=batch_size,
        seed=seed,
        max_characters=schedule.max_characters,
        index=index,
        **size,
    )
    mixed = (
        None if data.unlabelled is None else MixedLines(batches, data.unlabelled, share=data.unlabelled_share)
    )
    validation = None  # a small collection may be all of one writer
    if batches.index.info['splits'].get('validation', {}).get('records'):
        try:
            validation = LineBatches(
                data.data,
                charset=charset,
                split='validation',
                batch_size=batch_size,
                seed=seed,
                max_characters=schedule.longest_lines,
                **size,
            )
        except NoLineError as error:
            report(f'no validation: {error}')
    else:
        report(f'no validation: {data.data} has no such lines')
    vocabulary = batches.index.info['vocabulary']
    chinese = any('\u4e00' <= charset.characters[i] <= '\u9fff' for i in vocabulary)
    # A generator by character has no use for characters without images, nor has a collection without Chinese.
    confined = data.text_characters == 'seen' or model_config.generator.encoding.by_character or not chinese
    texts = TextSampler(charset, seed=seed, vocabulary=vocabulary if confined else None)
    with strategy.scope():
        model = HctGan(model_config)
        pairs = settings.pairs if schedule.game == 'pairs' else None
        training = GanTraining(model, steps, strategy=strategy, pairs=pairs)
    loop = TrainingLoop(
        training,
        schedule,
        inputs=StepInputs(batches, texts, schedule=schedule, mixed=mixed),
        samples=functools.partial(
            Sampler,
            training=training,
            batches=batches,
            texts=texts,
            charset=charset,
            longest_lines=schedule.longest_lines,
            validation=validation,
        ),
        run_dir=run.run_dir,
        config=_description(settings, model_config, steps, charset, batches.index, mixed, command=command),
        sample_every=run.sample_every,
        checkpoint_every=run.checkpoint_every,
        log_every=run.log_every,
        keep_checkpoints=run.keep_checkpoints,
        checkpoint_minutes=None if run.strategy == 'multi_worker' else run.checkpoint_minutes or None,
        initialize=_initializer(settings, training, charset),
        stream=stream,
    )
    sizes = ', '.join(
        f'{name} {module.count_params() / 1e6:.2f} M' for name, module in model.modules().items()
    )
    loop.log.say(
        f'{len(batches)} lines, {len(vocabulary)} characters with images; parameters: {sizes}; '
        f'{strategy.num_replicas_in_sync} replica(s); {schedule.total_steps} steps'
    )
    if mixed:
        loop.log.say(
            f'{len(mixed.index)} unlabelled lines, {mixed.num_unlabelled} of the {batch_size} real lines that'
            f' the discriminator sees at a time; all of these are stretched by {mixed.stretch:.3f}'
        )
    summary = loop.run(
        max_steps=run.max_steps,
        max_minutes=run.max_minutes,
        divide_minutes=run.divide_minutes,
        started=started,
    )
    return {**summary, 'planned': schedule, 'latin': not chinese}


def _charset(settings):
    """The table of characters of the run, whose sizes are the model's."""
    from hwgen.charset.encoding import Charset, CharsetMismatchError
    from hwgen.training import initialization

    try:
        return initialization.common_table(
            Charset.load(), shards.read_info(settings.data.data), find_shipped(settings.run.init_from)
        )
    except CharsetMismatchError as error:
        raise CharsetMismatchError(f'{os.path.join(settings.data.data, "info.json")}: {error}') from None


def _initializer(settings, training, charset):
    """What gives the modules their first weights and returns a line about it; None where they keep their
    random ones.
    """
    from hwgen.training import initialization

    starts, model = [], training.model
    if settings.run.init_from:
        path = find_shipped(settings.run.init_from)
        starts.append(lambda: initialization.initialize(model, path, charset=charset, judge=training.judge))
    if settings.run.recognizers_from:
        starts.append(lambda: initialization.initialize_recognizers(model, settings.run.recognizers_from))
    return starts and (lambda: '; '.join(start() for start in starts))


def _description(settings, model, steps, charset, index, mixed, *, command):
    """The run's config.json."""
    from hwgen.training import provenance
    from hwgen.training.seen import seen_characters

    data = settings.data
    return dict(
        model=dataclasses.asdict(model),
        settings=dataclasses.asdict(steps),
        pairs=dataclasses.asdict(settings.pairs) if settings.schedule.game == 'pairs' else None,
        schedule=dataclasses.asdict(settings.schedule),
        data=dict(
            folder=data.data,
            source=index.info.get('source'),
            version=index.info.get('version'),
            **provenance.lines_of(index),
            charset_hash=charset.hash,
            charset_rows=charset.row_count,
        ),
        seen=seen_characters(
            charset, index.info, start=find_shipped(settings.run.init_from), run_dir=settings.run.run_dir
        ),
        unlabelled=mixed
        and dict(folder=data.unlabelled, **provenance.lines_of(mixed.index), num_lines=mixed.num_unlabelled),
        seed=steps.seed,
        **provenance.versions(),
        command=command,
        flags=settings_flags.as_flags(settings),
    )
