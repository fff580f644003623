"""Trains HCT-GAN: from shards of handwritten lines to a generator that writes any text.

Unless --flagfile names another preset it reads `demo.flags` first: the embedded handwriting corpus, about an hour on two CPU cores; the flags you
give then change that. `--flagfile=` (empty) starts from the defaults below, which are nearer to the paper's sizes. A corpus that is not there is
written to --data: its validation lines first, its training lines beside the training, which draws what it reads before that. The run is the same to
the last bit, slower until then. With one core or --strategy=multi_worker all lines are written first.

A run has three phases: the recognisers learn to read real lines; the generator learns to rebuild real lines from their
text and style; then generator and discriminator play against each other, while the recognisers keep the text
readable. Setting a phase's steps to 0 skips it: `--flagfile= --recognizer_steps=0 --reconstruction_steps=0
--recognizer_every=1 --reconstruction_every=0` is the paper's pure GAN.

A run that was stopped, by any means, goes on from its last checkpoint, at most a minute old, when the same command is given again.

With --max_minutes the minutes are divided: each phase that is left gets the share of them that its steps are of all that are left, so that the
generator learns however few they are; a phase whose share is over is cut short. The same command again goes on in the phase where it stopped,
with as many minutes again; a phase that was cut short stays so (plan.json in the run directory says where). --nodivide_minutes stops
wherever it is, and the same command goes on as if it had not. At the end of a call is said what has been trained.

Examples:
  train
  train --max_minutes=10
  train --flagfile=demo.flags --data=tfrecords/mine --run_dir=runs/mine
  train --flagfile=hand.flags --data=tfrecords/mine --run_dir=runs/hand
  train --flagfile=scrabblegan.flags
  train --data=tfrecords/mine --unlabelled=tfrecords/unlabelled --adversarial_steps=3000 --run_dir=runs/mine

On your own lines: `prepare --source=folder --input=scans --out=tfrecords/mine`, then the third example, or the fourth,
which starts from the writer that ships and is done in minutes. Images without text (`prepare --source=folder --unlabelled`)
are shown to the discriminator alone, in the third phase, beside labelled ones: the last example.
"""

import os
import time

from absl import flags

from hwgen.charset.printable import printable
from hwgen.cli import app
from hwgen.inference.model_folder import DEFAULT_MODEL, resource_path

_STARTED = time.monotonic()  # --max_minutes counts from here on
DEFAULT_FLAGFILE = 'demo.flags'

_DATA = flags.DEFINE_string('data', 'tfrecords/demo', 'Folder of TFRecord shards with its info.json, as `prepare` writes it. '
                            'tfrecords/demo, tfrecords/latin and tfrecords/demo-1.1, the corpus of the model that ships, are written if they are absent; by an installed hwgen '
                            'into its cache (`$XDG_CACHE_HOME/hwgen`).')
_UNLABELLED = flags.DEFINE_string('unlabelled', None, 'Folder of TFRecord shards whose texts, if there are any, are not read: only the discriminator sees '
                                  'these lines, in phase 3. Example: --unlabelled=tfrecords/unlabelled.')
_UNLABELLED_SHARE = flags.DEFINE_float('unlabelled_share', .5, "Share of the discriminator's real lines that are of --unlabelled.", lower_bound=0., upper_bound=1.)
_RUN_DIR = flags.DEFINE_string('run_dir', 'runs/demo', 'Folder of the run: config.json, metrics.jsonl, checkpoints/, '
                               'tensorboard/, samples/, model/. A run that is there is gone on with.')
_SEED = flags.DEFINE_integer('seed', 1, 'Seed of weights, data order, texts and noise. Example: --seed=2.', lower_bound=0,
                             upper_bound=2 ** 32 - 1)
_INIT_FROM = flags.DEFINE_string('init_from', None, 'Start from these weights instead of random ones: the folder of a run (all modules) or of a '
                                 'written generator. Example: --init_from=saved_models/demo.')
_RECOGNIZERS_FROM = flags.DEFINE_string('recognizers_from', None, 'Start SRM and SPM with the weights of another run: runs that differ in their generator alone '
                                        'share phase 1. Example: --recognizers_from=runs/recognizers.')
_STRATEGY = flags.DEFINE_enum('strategy', 'mirrored', ['mirrored', 'multi_worker', 'default'], 'Replicas: all devices of '
                              'this machine, the cluster that TF_CONFIG names (each worker with a run_dir of its own), or one device.')
_REPLICAS = flags.DEFINE_integer('cpu_replicas', 1, 'Logical CPU devices to split each batch over; 2 tries out a '
                                 'distributed run on a machine without GPUs.', lower_bound=1)
_DETERMINISTIC = flags.DEFINE_bool('deterministic', True, 'Deterministic operations: a resumed run ends with the weights of '
                                   'an uninterrupted one.')

_MAX_STEPS = flags.DEFINE_integer('max_steps', None, 'Stop after this step of the run. Example: --max_steps=1000.', lower_bound=0)
_MAX_MINUTES = flags.DEFINE_float('max_minutes', None, 'Minutes of this call, from its start to its sheets and model, without the writing of the embedded corpus; '
                                  'divided over the phases (see above). Example: --max_minutes=10.', lower_bound=0.)
_DIVIDE = flags.DEFINE_bool('divide_minutes', True, 'With --max_minutes, cut phases short, so that those after them get their share.')
_LOG_EVERY = flags.DEFINE_integer('log_every', 50, 'Steps between progress lines and metrics.', lower_bound=1)
_SAMPLE_EVERY = flags.DEFINE_integer('sample_every', 1000, 'Steps between sample sheets.', lower_bound=1)
_CHECKPOINT_EVERY = flags.DEFINE_integer('checkpoint_every', 500, 'Steps between checkpoints.', lower_bound=1)
_CHECKPOINT_MINUTES = flags.DEFINE_float('checkpoint_minutes', 1., 'A checkpoint is written as well when the last one is so many minutes old: no more is lost by a '
                                         'kill. 0: only by --checkpoint_every. (Not with --strategy=multi_worker.)', lower_bound=0.)
_KEEP = flags.DEFINE_integer('keep_checkpoints', 3, 'Checkpoints to keep: the two newest, then those of --checkpoint_every.', lower_bound=1)

_RECOGNIZER_STEPS = flags.DEFINE_integer('recognizer_steps', 5000, 'Steps of phase 1, recognisers on real lines.', lower_bound=0)
_RECONSTRUCTION_STEPS = flags.DEFINE_integer('reconstruction_steps', 8000, 'Steps of phase 2, reconstruction.', lower_bound=0)
_ADVERSARIAL_STEPS = flags.DEFINE_integer('adversarial_steps', 3000, 'Steps of phase 3, generator against discriminator.', lower_bound=0)
_WARMUP = flags.DEFINE_integer('discriminator_warmup_steps', 200, 'First steps of phase 3 that update the discriminator alone.', lower_bound=0)
_RECOGNIZER_EVERY = flags.DEFINE_integer('recognizer_every', 4, 'After phase 1, one recogniser update in so many steps; 0: none.', lower_bound=0)
_RECONSTRUCTION_EVERY = flags.DEFINE_integer('reconstruction_every', 2, 'In phase 3, one reconstruction step in so many; 0: none.', lower_bound=0)
_ADVERSARIAL_EVERY = flags.DEFINE_integer('adversarial_every', 1, 'In phase 3, one step on lines of drawn styles in so many; 0: none.', lower_bound=0)
_RATE_FLOOR = flags.DEFINE_float('rate_floor', .1, 'Share of its learning rate at which a phase ends (cosine).', lower_bound=0., upper_bound=1.)
_SHORTEST = flags.DEFINE_integer('shortest_lines', 2, 'Characters of the longest line when phases 1 and 2 start.', lower_bound=1)
_LONGEST = flags.DEFINE_integer('longest_lines', 8, 'Characters of the longest line; longer ones of the data are left out.', lower_bound=1)
_GROWING = flags.DEFINE_integer('growing_steps', 500, 'Steps over which lines grow from short to long; 0: long at once.', lower_bound=0)

_TEXTS = flags.DEFINE_enum('text_characters', 'dictionary', ['dictionary', 'seen'], 'Characters of the lines that phase 3 writes: of the whole dictionary, or '
                           'those with images in --data (always so with content_encoding=onehot and without Chinese).')
_BATCH = flags.DEFINE_integer('batch_size', 16, 'Lines of a batch, over all replicas.', lower_bound=1)
_RECOGNIZER_RATE = flags.DEFINE_float('recognizer_rate', 2e-3, "Adam's learning rate of SRM and SPM.", lower_bound=0.)
_RECONSTRUCTION_RATE = flags.DEFINE_float('reconstruction_rate', 2e-3, "Adam's learning rate of the reconstruction step.", lower_bound=0.)
_GENERATOR_RATE = flags.DEFINE_float('generator_rate', 2e-4, "Adam's learning rate of the generator in phase 3.", lower_bound=0.)
_DISCRIMINATOR_RATE = flags.DEFINE_float('discriminator_rate', 2e-4, "Adam's learning rate of the discriminator.", lower_bound=0.)
_CLIP = flags.DEFINE_float('clip_norm', 1., 'Global norm that gradients are clipped to; 0: not at all.', lower_bound=0.)
_AVERAGE = flags.DEFINE_float('average_decay', .999, 'Decay of the moving average of the generator that writes.', lower_bound=0., upper_bound=1.)

_LABELS = flags.DEFINE_enum('sequence_labels', 'structured', ['components', 'structured', 'characters'], 'What SRM reads: '
                            "components (the paper's), each character's structure and components, or characters.")
_SPATIAL = flags.DEFINE_bool('spatial_perception', True, 'Have SPM (off: ScrabbleGAN).')
_RECURRENT = flags.DEFINE_bool('recurrent_sequence', False, 'SRM reads its frames with LSTMs. For comparison: a recurrent reader guides a generator worse.')
_ATTENTION_GUIDE = flags.DEFINE_bool('attention_perception', False, 'A recurrent reader with attention over the plane in place of SPM; likewise.')
_SPATIAL_STRUCTURES = flags.DEFINE_bool('spatial_structures', False, 'SPM counts structures as well as components.')
_BALANCE = flags.DEFINE_enum('balance', 'full', ['full', 'scale'], "Gradient balance: with means (HCT-GAN), or scaled only (ScrabbleGAN's code).")
_REFERENCE = flags.DEFINE_enum('balance_reference', 'discriminator', ['discriminator', 'smallest'], 'Whose spread the other gradients are brought to.')
_ALPHA = flags.DEFINE_float('discriminator_weight', 1., "Weight of D's gradient; 0: the recognisers alone teach the generator.", lower_bound=0.)
_BETA = flags.DEFINE_float('sequence_weight', .5, "Weight of SRM's gradient, beta.", lower_bound=0.)
_GAMMA = flags.DEFINE_float('spatial_weight', .5, "Weight of SPM's gradient, gamma.", lower_bound=0.)
_PIXEL = flags.DEFINE_float('pixel_weight', 1., 'Weight of the pixel loss of reconstruction.', lower_bound=0.)
_FEATURE = flags.DEFINE_float('feature_weight', 1., 'Weight of the feature loss of reconstruction.', lower_bound=0.)
_STYLE_KL = flags.DEFINE_float('style_kl_weight', 2e-3, "Weight of the style's KL divergence (nats a line).", lower_bound=0.)
_NOISE_KL = flags.DEFINE_float('noise_kl_weight', 2e-3, "Weight of the character noise's KL divergence (nats a character).", lower_bound=0.)
_LEVELS = flags.DEFINE_list('feature_levels', ['4'], "Which of the trunk's maps, counted from 1, reconstruction compares.")
_JUDGED = flags.DEFINE_float('reconstruction_discriminator_weight', 0., "In phase 3, weight of D's gradient on reconstructed lines, brought to the spread "
                            "of the reconstruction's own; 0: D does not judge them.", lower_bound=0.)
_READ_AGAIN = flags.DEFINE_float('reconstruction_sequence_weight', 0., "The same for SRM's gradient.", lower_bound=0.)
_COUNTED_AGAIN = flags.DEFINE_float('reconstruction_spatial_weight', 0., "The same for SPM's gradient.", lower_bound=0.)
_DENSE_CTC = flags.DEFINE_bool('dense_ctc', False, 'The CTC implementation that XLA can compile.')

_PRODUCTS = flags.DEFINE_enum('product_dtype', 'auto', ['auto', 'float32', 'bfloat16'], 'In what the convolutions multiply while training; sums and weights '
                              'are float32. auto: bfloat16 where the processor multiplies it itself (AVX-512 BF16, AMX), which is nearly twice as fast.')

_ENCODING = flags.DEFINE_enum('content_encoding', 'layout', ['sequence', 'layout', 'warped', 'onehot'], 'How characters enter the generator.')
_CHAR_PX = flags.DEFINE_integer('char_px', 32, 'Height of a line, pixels: 16, 32, 64 or 128.', lower_bound=8)
_CHAR_WIDTH_PX = flags.DEFINE_integer('char_width_px', None, 'Width of a character, pixels: char_px (default) or half of it.')
_CONTENT_CHANNELS = flags.DEFINE_integer('content_channels', 480, 'Channels of the content features.', lower_bound=1)
_GENERATOR_CHANNELS = flags.DEFINE_list('generator_channels', ['256', '128', '64'], 'Channels of each generator block, log2(char_px / 4) numbers.')
_STYLE_PART = flags.DEFINE_integer('style_part_dim', 32, 'Size of each part z1, z2, ... of the style vector.', lower_bound=1)
_NOISE_DIM = flags.DEFINE_integer('character_noise', 8, "Noise numbers of each character; 0 is the paper's model.", lower_bound=0)
_ATTENTION = flags.DEFINE_integer('attention_px', 8, 'Rows of the feature map that self-attention follows; 0: none.', lower_bound=0)
_UPSAMPLE = flags.DEFINE_enum('upsample', 'first', ['first', 'between', 'subpixel'], "Upsampling before a block's first convolution (SAGAN), after it (cheaper), or the last block by subpixel convolution (cheapest).")
_SPECTRAL = flags.DEFINE_bool('generator_spectral_norm', True, 'Spectral normalisation in the generator.')
_STRUCTURE_DIM = flags.DEFINE_integer('structure_dim', 128, 'Size of a structure embedding.', lower_bound=1)
_COMPONENT_DIM = flags.DEFINE_integer('component_dim', 256, 'Size of a component embedding.', lower_bound=1)
_CELL_DIM = flags.DEFINE_integer('cell_dim', 64, "Channels of a component's own map (content_encoding=warped).", lower_bound=1)
_MAPS = flags.DEFINE_list('map_channels', [], "Channels of a component's finer maps of 8 x 8, 16 x 16, ... cells (content_encoding=warped).")
_BOXES = flags.DEFINE_bool('learn_boxes', False, 'Move the template boxes by what stands in them (content_encoding=warped).')
_BEND = flags.DEFINE_integer('bend_px', 0, 'How far the generator may bend its characters, pixels; 0: not at all.', lower_bound=0)
_DISCRIMINATOR_CHANNELS = flags.DEFINE_list('discriminator_channels', ['64', '128', '256', '512'], 'Channels of each discriminator block, log2(char_px / 4) + 1 numbers.')
_POOL = flags.DEFINE_enum('discriminator_pool', 'sum', ['sum', 'mean'], 'Pooling of patches before the score.')
_RECOGNIZER_CHANNELS = flags.DEFINE_list('recognizer_channels', ['64', '128', '256', '256', '512'], "Channels of the convolutions of a recogniser's trunk.")
_RECOGNIZER_HIDDEN = flags.DEFINE_integer('recognizer_hidden', 256, "Channels of the recognisers' heads.", lower_bound=1)
_SHARE = flags.DEFINE_bool('share_trunk', False, 'SRM and SPM share their convolutions: two thirds of the cost.')
_STYLE_CHANNELS = flags.DEFINE_list('style_channels', ['32', '64', '128', '192'], "Channels of the style encoder's convolutions.")


def main(arguments):
    """Looks for the lines, has those of an embedded corpus written, and trains; returns None."""
    del arguments
    from hwgen.cli import places, quiet
    from hwgen.data import drawn_index, shards
    flags.FLAGS.data = places.corpus_place(_DATA.value)
    if os.path.exists(_RUN_DIR.value) and not os.path.isdir(_RUN_DIR.value):
        raise ValueError(f'--run_dir={_RUN_DIR.value}: a file is there, expected the folder of a run, or none yet')
    if _UNLABELLED.value is not None and not (_ADVERSARIAL_STEPS.value and _ADVERSARIAL_EVERY.value):
        raise ValueError(f'--unlabelled={_UNLABELLED.value}: only the discriminator of phase 3 sees these lines, and there is none with '
                         f'--adversarial_steps={_ADVERSARIAL_STEPS.value} --adversarial_every={_ADVERSARIAL_EVERY.value}: expected '
                         'at least 1 of both, for example --adversarial_steps=3000')
    if _MAX_MINUTES.value is not None and _STRATEGY.value == 'multi_worker':
        raise ValueError(f"--max_minutes={_MAX_MINUTES.value:g} with --strategy=multi_worker: the workers' clocks differ, expected --max_steps")
    started = _STARTED + _ensure_data()
    for folder in filter(None, (_DATA.value, _UNLABELLED.value)):  # what is not there is told before TensorFlow is loaded
        shards.read_info(folder)
    with drawn_index.training_lines(_DATA.value, start=quiet.quiet_tensorflow, report=_say) as index:
        _train(index, started)


def _train(index, started):
    """Wires data, models and loop together.

    Args:
        index: DrawnIndex of training lines that are being written; None: the folder has them.
        started: float of `time.monotonic`, from when on --max_minutes count.
    """
    _say('loading TensorFlow and building the networks')
    import keras
    import tensorflow as tf
    if _REPLICAS.value > 1:
        cpu = tf.config.list_physical_devices('CPU')[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * _REPLICAS.value)
    if _DETERMINISTIC.value:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(_SEED.value)
    # TensorFlow counts the kinds of steps as one function, as they are defined in one place, and would warn of too many traces.
    tf.get_logger().addFilter(lambda record: 'triggered tf.function retracing' not in record.getMessage())

    from hwgen.data.mixed_lines import MixedLines
    from hwgen.data.pipeline import LineBatches, NoLineError
    from hwgen.data.texts import TextSampler
    from hwgen.training import distribution
    from hwgen.training.gan import GanTrainer
    from hwgen.training.loop import TrainingLoop
    from hwgen.models.hct_gan import HctGan
    charset = _charset()
    model_config, settings, schedule = _configurations(charset)
    if not schedule.total_steps:
        raise ValueError('--recognizer_steps, --reconstruction_steps and --adversarial_steps are all 0: expected at least one step')
    strategy = distribution.make_strategy(_STRATEGY.value, batch_size=_BATCH.value)
    size = dict(char_px=model_config.generator.char_px, char_width_px=model_config.generator.char_width_px)
    batches = LineBatches(_DATA.value, charset=charset, split='train', batch_size=_BATCH.value, seed=_SEED.value,
                          max_characters=schedule.max_characters, index=index, **size)
    mixed = None if _UNLABELLED.value is None else MixedLines(batches, _UNLABELLED.value, share=_UNLABELLED_SHARE.value)
    validation = None  # a small collection may be all of one writer
    if batches.index.info['splits'].get('validation', {}).get('records'):
        try:
            validation = LineBatches(_DATA.value, charset=charset, split='validation', batch_size=_BATCH.value, seed=_SEED.value,
                                     max_characters=_LONGEST.value, **size)
        except NoLineError as error:
            print(f'no validation: {error}', flush=True)
    else:
        print(f'no validation: {_DATA.value} has no such lines', flush=True)
    vocabulary = batches.index.info['vocabulary']
    chinese = any('\u4e00' <= charset.characters[i] <= '\u9fff' for i in vocabulary)
    # A one-hot generator has no use for characters without images, nor has a collection without Chinese.
    confined = _TEXTS.value == 'seen' or model_config.generator.content_encoding == 'onehot' or not chinese
    texts = TextSampler(charset, seed=_SEED.value, vocabulary=vocabulary if confined else None)
    with strategy.scope():
        model = HctGan(model_config)
        trainer = GanTrainer(model, settings, template_boxes=charset.template_boxes, strategy=strategy)
    loop = TrainingLoop(
        trainer, schedule, batches=batches, texts=texts, validation=validation, mixed=mixed, charset=charset, run_dir=_RUN_DIR.value,
        config=_description(model_config, settings, schedule, charset, batches.index, mixed),
        sample_every=_SAMPLE_EVERY.value, checkpoint_every=_CHECKPOINT_EVERY.value, log_every=_LOG_EVERY.value,
        keep_checkpoints=_KEEP.value, checkpoint_minutes=None if _STRATEGY.value == 'multi_worker' else _CHECKPOINT_MINUTES.value or None,
        initialize=_initializer(model, charset))
    sizes = ', '.join(f'{name} {module.count_params() / 1e6:.2f} M' for name, module in model.modules().items())
    loop.log.say(f'{len(batches)} lines, {len(vocabulary)} characters with images; parameters: {sizes}; '
                 f'{strategy.num_replicas_in_sync} replica(s); {schedule.total_steps} steps')
    if mixed:
        loop.log.say(f'{len(mixed.index)} unlabelled lines, {mixed.num_unlabelled} of the {_BATCH.value} real lines that the discriminator '
                     f'sees at a time; all of these are stretched by {mixed.stretch:.3f}')
    summary = loop.run(max_steps=_MAX_STEPS.value, max_minutes=_MAX_MINUTES.value, divide_minutes=_DIVIDE.value, started=started)
    _tell(summary, schedule, latin=not chinese)


def _say(line):
    print(printable(line), flush=True)


def _charset():
    """The table of characters of the run, whose sizes are the model's."""
    from hwgen.charset.encoding import Charset, CharsetMismatchError
    from hwgen.data import shards
    from hwgen.training import initialization
    try:
        return initialization.common_table(Charset.load(), shards.read_info(_DATA.value), _init_from())
    except CharsetMismatchError as error:
        raise CharsetMismatchError(f'{os.path.join(_DATA.value, "info.json")}: {error}') from None


def _init_from():
    """--init_from, with the model that ships found where it is installed."""
    path = _INIT_FROM.value
    return str(resource_path(path)) if path == DEFAULT_MODEL and not os.path.exists(path) else path


def _initializer(model, charset):
    """What gives the modules their first weights and returns a line about it; None where they keep their random ones."""
    from hwgen.training import initialization
    starts = []
    if _INIT_FROM.value:
        starts.append(lambda: initialization.initialize(model, _init_from(), charset=charset))
    if _RECOGNIZERS_FROM.value:
        starts.append(lambda: initialization.initialize_recognizers(model, _RECOGNIZERS_FROM.value))
    return starts and (lambda: '; '.join(start() for start in starts))


def _tell(summary, planned, *, latin):
    """The closing summary: what became of the run, what was trained, where everything lies, and what to type next."""
    import shlex
    program = os.environ.get('HWGEN_PROGRAM', 'hwgen train').removesuffix('train')
    schedule, step, run_dir = summary['schedule'], summary['step'], shlex.quote(_RUN_DIR.value)
    learned, to_come = schedule.generator_steps(step), schedule.generator_steps(schedule.total_steps)
    rows = [('trained', _trained(schedule, planned, step)),
            ('generator', 'not trained: this run has no phase for it' if not to_come else 'not trained yet: its phase is still to come' if not learned else
             f'trained for {learned} of {to_come} steps'),
            ('checkpoint', summary['checkpoint']), ('sample sheet', summary['sheet']),
            ('run', f'{_RUN_DIR.value}  (tensorboard --logdir {run_dir} --samples_per_plugin images=1000)')]
    if summary['state'] != 'finished':
        reached = _MAX_STEPS.value is not None and step >= _MAX_STEPS.value
        rows.append(('to go on', 'the same command' + (', with more --max_steps' if reached else '') + (
            ', with more --max_minutes: these ended before the generator began' if _MAX_MINUTES.value is not None and to_come and not learned and not reached else '')))
    if summary['model'] and learned:
        rows.append(('next', f'{program}generate --model={shlex.quote(summary["model"])} --text="{"Hello world" if latin else "你好，世界"}" --out=line.png'))
    print(f'{summary["state"]} at step {step}/{schedule.total_steps}')
    print('\n'.join(f'  {name:<13} {printable(value)}' for name, value in rows if value), flush=True)


def _trained(schedule, planned, step):
    """How far each phase is: `phase 1 of 2 (recognisers): 310 steps (cut short, 2000 were planned); phase 2 of 2 (...): 40 of 4000 steps`."""
    from hwgen.training import measures
    parts = []
    for phase, done in schedule.done(step).items():
        steps, wanted = schedule.phases()[phase], planned.phases()[phase]
        parts.append(f'{measures.phase_name(phase, schedule)}: ' + (
            f'{done} of {steps} steps' if done < steps else f'all {steps} steps' if steps == wanted else f'{steps} steps (cut short, {wanted} were planned)'))
    return '; '.join(parts)


def _ensure_data():
    """Sees to it that --data is there: the embedded corpus is written where a preset expects it, its training lines later (`drawn_index`) where it can.

    Returns:
        float, seconds that the writing took.

    Raises:
        UserError: a collection that a preset expects and that has to be fetched; says from where, and how it is made.
    """

    from hwgen.data import prepare
    before = time.monotonic()
    # A single core would do both at half the speed, and of several processes each would write.
    later = _STRATEGY.value != 'multi_worker' and (os.cpu_count() or 1) > 1
    prepare.ensure_embedded(_DATA.value, ['validation'] if later else ['train', 'validation'], report=_say)
    if os.path.exists(_DATA.value):
        return time.monotonic() - before
    for preset in sorted(resource_path(DEFAULT_FLAGFILE).parent.glob('*.flags')):
        lines = preset.read_text(encoding='utf-8').splitlines()
        made = next((line.lstrip('# ') for line in lines if line.startswith('#') and 'prepare ' in line and f'--out={_DATA.value} ' in line + ' '), None)
        if made and f'--data={_DATA.value}' in lines:
            origin = next((line.removeprefix('# From: ') for line in lines if line.startswith('# From: ')), '')
            program = os.environ.get('HWGEN_PROGRAM', 'hwgen train').removesuffix('train')
            raise app.UserError(f'{_DATA.value}: not there. {origin} Then: {program}{made}')
    return 0.  # the lines' reader says that there is no such folder


def _numbers(flag):
    try:
        numbers = tuple(int(value) for value in flag.value)
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise ValueError(f'--{flag.name}={",".join(flag.value)}: expected whole numbers of at least 1, separated by commas')
    return numbers


def _configurations(charset):
    """Model sizes, step settings and schedule from the flags."""
    from hwgen.losses import ctc
    from hwgen.models.generator import GeneratorConfig
    from hwgen.models.hct_gan import HctGanConfig
    from hwgen.training import provenance
    from hwgen.training.gan_settings import GanSettings
    from hwgen.training.schedule import Schedule
    tables = dict(num_components=charset.num_components, num_structures=charset.num_structures,
                  num_characters=charset.num_characters)
    generator = GeneratorConfig(
        **tables, content_encoding=_ENCODING.value, char_px=_CHAR_PX.value,
        char_width_px=_CHAR_WIDTH_PX.value or _CHAR_PX.value, content_channels=_CONTENT_CHANNELS.value,
        channels=_numbers(_GENERATOR_CHANNELS), style_part_dim=_STYLE_PART.value, character_noise_dim=_NOISE_DIM.value,
        attention_px=_ATTENTION.value, upsample=_UPSAMPLE.value, spectral=_SPECTRAL.value,
        structure_dim=_STRUCTURE_DIM.value, component_dim=_COMPONENT_DIM.value, cell_dim=_CELL_DIM.value,
        map_channels=_numbers(_MAPS) if _MAPS.value else (), learn_boxes=_BOXES.value, bend_px=_BEND.value)
    spatial = 0
    if _ATTENTION_GUIDE.value and (_SPATIAL_STRUCTURES.value or not _SPATIAL.value):
        raise ValueError('--attention_perception reads components in place of SPM: expected neither --nospatial_perception nor --spatial_structures')
    if _SPATIAL.value:
        spatial = charset.num_components + (charset.num_structures - 1 if _SPATIAL_STRUCTURES.value else 0)
    model = HctGanConfig(
        generator, sequence_labels=ctc.num_label_classes(_LABELS.value, **tables), spatial_labels=spatial,
        discriminator_channels=_numbers(_DISCRIMINATOR_CHANNELS), discriminator_pool=_POOL.value,
        recognizer_channels=_numbers(_RECOGNIZER_CHANNELS), recognizer_hidden=_RECOGNIZER_HIDDEN.value,
        recurrent_sequence=_RECURRENT.value, attention_perception=_ATTENTION_GUIDE.value,
        share_trunk=_SHARE.value and _SPATIAL.value, style_channels=_numbers(_STYLE_CHANNELS))
    settings = GanSettings(
        batch_size=_BATCH.value, seed=_SEED.value, sequence_labels=_LABELS.value,
        spatial_structures=_SPATIAL_STRUCTURES.value, balance_rule=_BALANCE.value, balance_reference=_REFERENCE.value,
        discriminator_weight=_ALPHA.value, sequence_weight=_BETA.value, spatial_weight=_GAMMA.value, pixel_weight=_PIXEL.value,
        feature_weight=_FEATURE.value, style_kl_weight=_STYLE_KL.value, noise_kl_weight=_NOISE_KL.value,
        feature_levels=_numbers(_LEVELS), reconstruction_discriminator_weight=_JUDGED.value,
        reconstruction_sequence_weight=_READ_AGAIN.value, reconstruction_spatial_weight=_COUNTED_AGAIN.value, recognizer_rate=_RECOGNIZER_RATE.value,
        reconstruction_rate=_RECONSTRUCTION_RATE.value, generator_rate=_GENERATOR_RATE.value,
        discriminator_rate=_DISCRIMINATOR_RATE.value, clip_norm=_CLIP.value, average_decay=_AVERAGE.value,
        dense_ctc=_DENSE_CTC.value, product_dtype=provenance.fast_product_dtype() if _PRODUCTS.value == 'auto' else _PRODUCTS.value)
    schedule = Schedule(
        _RECOGNIZER_STEPS.value, _RECONSTRUCTION_STEPS.value, _ADVERSARIAL_STEPS.value,
        discriminator_warmup_steps=_WARMUP.value, recognizer_every=_RECOGNIZER_EVERY.value,
        reconstruction_every=_RECONSTRUCTION_EVERY.value, adversarial_every=_ADVERSARIAL_EVERY.value, rate_floor=_RATE_FLOOR.value,
        shortest_lines=min(_SHORTEST.value, _LONGEST.value), longest_lines=_LONGEST.value, growing_steps=_GROWING.value)
    return model, settings, schedule


def _description(model, settings, schedule, charset, index, mixed):
    """The run's config.json."""
    import dataclasses
    import sys

    from hwgen.training import provenance
    from hwgen.training.seen import seen_characters
    return dict(
        model=dataclasses.asdict(model), settings=dataclasses.asdict(settings), schedule=dataclasses.asdict(schedule),
        data=dict(folder=_DATA.value, source=index.info.get('source'), version=index.info.get('version'),
                  **provenance.lines_of(index), charset_hash=charset.hash, charset_rows=charset.row_count),
        seen=seen_characters(charset, index.info, start=_INIT_FROM.value, run_dir=_RUN_DIR.value),
        unlabelled=mixed and dict(folder=_UNLABELLED.value, **provenance.lines_of(mixed.index), num_lines=mixed.num_unlabelled),
        seed=_SEED.value, **provenance.versions(), command=' '.join([
            'train', *([] if any('flagfile' in a for a in sys.argv[2:]) else [f'--flagfile={DEFAULT_FLAGFILE}']), *sys.argv[2:]]),
        flags={flag.name: flag.value for flag in flags.FLAGS.flags_by_module_dict().get(__name__, ())})
