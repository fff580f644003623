r"""What a step costs at other heights of a line: processor seconds of a reconstruction step, for each of some
files of flags.

  python -m benchmarks.cells --data=tfrecords/sample demo.flags \
      experiments/writer/spaced64.flags experiments/writer/large128.flags
"""

import argparse
import time

import tensorflow as tf

from hwgen.charset.encoding import Charset
from hwgen.data.reading.pipeline import LineBatches
from hwgen.models.hct_gan import HctGan
from hwgen.settings.flags import parse as parse_flags
from hwgen.settings.train import TrainSettings
from hwgen.training.gan import GanTraining
from hwgen.training.session import configurations


def measure(file, *, data, steps, num_characters):
    """Processor seconds of a step on lines of a number of characters, after two that are not counted."""
    settings = parse_flags(TrainSettings, [f'--flagfile={file}', f'--data={data}'])
    charset = Charset.load()
    sizes, step_settings, _ = configurations(settings, charset)
    training = GanTraining(HctGan(sizes), step_settings, strategy=tf.distribute.get_strategy())
    generator = sizes.generator
    batch = LineBatches(
        data,
        charset=charset,
        batch_size=settings.steps.batch_size,
        seed=1,
        char_px=generator.char_px,
        char_width_px=generator.char_width_px,
        layout=generator.layout,
        min_characters=num_characters,
        max_characters=num_characters,
    ).batch(0)
    for number in range(steps + 2):
        if number == 2:
            began, started = time.process_time(), time.monotonic()
        training.reconstruction.update(batch)
    spent = (time.process_time() - began) / steps, (time.monotonic() - started) / steps
    weights = sum(int(tf.size(v)) for v in training.model.generator.variables)
    return generator.char_px, settings.steps.batch_size, weights, *spent


def main(given):
    """Prints a row for each file."""
    print('px, lines of a step, weights of the generator, processor seconds of a step, by the clock')
    for file in given.files:
        px, lines, weights, processor, clock = measure(
            file, data=given.data, steps=given.steps, num_characters=given.num_characters
        )
        print(f'{px}, {lines}, {weights:,}, {processor:.2f}, {clock:.2f}   {file}', flush=True)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('files', nargs='+', help='Files of flags.')
    parser.add_argument('--data', required=True, help='Records.')
    parser.add_argument('--steps', type=int, default=8, help='Steps that are counted.')
    parser.add_argument('--num_characters', type=int, default=4, help='Of each line.')
    main(parser.parse_args())
