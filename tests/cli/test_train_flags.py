"""Every flag of `train` that is a size, a weight, a rate or a length reaches its place, and no other: each
is given a value of its own.
"""

import json
import sys

import forked
from train_process import CHECKOUT, ENVIRONMENT

# flag, its value as it is typed, where it has to arrive, as what
FLAGS = [
    row.split()
    for row in """
recognizer_steps                    11      schedule  recognizer_steps
reconstruction_steps                12      schedule  reconstruction_steps
adversarial_steps                   13      schedule  adversarial_steps
discriminator_warmup_steps          14      schedule  discriminator_warmup_steps
recognizer_every                    15      schedule  recognizer_every
reconstruction_every                16      schedule  reconstruction_every
adversarial_every                   17      schedule  adversarial_every
rate_floor                          .18     schedule  rate_floor
shortest_lines                      5       schedule  shortest_lines
longest_lines                       19      schedule  longest_lines
growing_steps                       20      schedule  growing_steps
batch_size                          21      settings  batch_size
seed                                22      settings  seed
sequence_labels                     "characters"    settings  sequence_labels
spatial_structures                  true    settings  spatial_structures
balance                             "scale" settings  balance_rule
balance_reference                   "smallest"  settings  balance_reference
discriminator_weight                .23     settings  discriminator_weight
sequence_weight                     .24     settings  sequence_weight
spatial_weight                      .25     settings  spatial_weight
pixel_weight                        .26     settings  pixel_weight
feature_weight                      .27     settings  feature_weight
style_kl_weight                     .28     settings  style_kl_weight
noise_kl_weight                     .29     settings  noise_kl_weight
feature_levels                      [1,3]   settings  feature_levels
reconstruction_discriminator_weight .31     settings  reconstruction_discriminator_weight
reconstruction_sequence_weight      .32     settings  reconstruction_sequence_weight
reconstruction_spatial_weight       .33     settings  reconstruction_spatial_weight
recognizer_rate                     .34     settings  recognizer_rate
reconstruction_rate                 .35     settings  reconstruction_rate
generator_rate                      .36     settings  generator_rate
discriminator_rate                  .37     settings  discriminator_rate
clip_norm                           .38     settings  clip_norm
average_decay                       .39     settings  average_decay
dense_ctc                           true    settings  dense_ctc
content_encoding                    "layout"    generator content_encoding
char_px                             64      generator char_px
char_width_px                       32      generator char_width_px
content_channels                    41      generator content_channels
generator_channels                  [42,43,44,45]   generator channels
style_part_dim                      46      generator style_part_dim
character_noise                     47      generator character_noise_dim
attention_px                        16      generator attention_px
upsample                            "first"     generator upsample
generator_spectral_norm             true    generator spectral
structure_dim                       48      generator structure_dim
component_dim                       49      generator component_dim
cell_dim                            50      generator cell_dim
map_channels                        [51]    generator map_channels
learn_boxes                         false    generator learn_boxes
bend_px                             3       generator bend_px
discriminator_channels              [52,53,54,55,56]    model discriminator_channels
discriminator_pool                  "mean"  model discriminator_pool
recognizer_channels                 [57,58,59,60,61]    model recognizer_channels
recognizer_hidden                   62      model recognizer_hidden
recurrent_sequence                  true    model recurrent_sequence
share_trunk                         false    model share_trunk
style_channels                      [63,64,65,66]   model style_channels
""".strip().splitlines()
]
CODE = """import dataclasses, json, sys
from absl import flags
from hwgen.cli import train
from hwgen.charset.encoding import Charset
from hwgen.settings import flags as settings_flags
from hwgen.settings.train import TrainSettings
from hwgen.training import session
for arguments in json.loads(sys.argv[1]):
    flags.FLAGS.unparse_flags()
    for flag in flags.FLAGS.flags_by_module_dict()[train.__name__]:
        flag.unparse()
    flags.FLAGS(['train', *arguments])
    model, settings, schedule = map(
        dataclasses.asdict, session.configurations(settings_flags.read_all(TrainSettings), Charset.load())
    )
    print(
        'found',
        json.dumps(dict(model=model, generator=model['generator'], settings=settings, schedule=schedule)),
    )
"""


def configured(*calls):
    done = forked.run(
        [sys.executable, '-P', '-c', CODE, json.dumps(calls)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=CHECKOUT,
    )
    assert done.returncode == 0, done.stderr
    return [
        json.loads(line.removeprefix('found '))
        for line in done.stdout.splitlines()
        if line.startswith('found ')
    ]


def typed(name, value):
    value = json.loads(value.replace('.', '0.', 1) if value.startswith('.') else value)
    if isinstance(value, bool):
        return value, f'--{"" if value else "no"}{name}'
    return value, f'--{name}={",".join(map(str, value)) if isinstance(value, list) else value}'


def test_every_flag_reaches_its_place():
    values = {name: typed(name, value) for name, value, _, _ in FLAGS}
    one, default, short, guide = configured(
        [flag for _, flag in values.values()],
        [],
        '--shortest_lines=9 --longest_lines=4 --char_px=64 --generator_channels=8,8,8,8'
        ' --product_dtype=float32'.split(),
        '--attention_perception --product_dtype=bfloat16'.split(),
    )
    for name, _, place, attribute in FLAGS:
        assert one[place][attribute] == values[name][0], name
        assert (short if name == 'char_width_px' else default)[place][attribute] != values[name][0], (
            f'{name}: a value that is the default shows nothing'
        )
    assert guide['model']['attention_perception'] and not one['model']['attention_perception']
    assert (short['settings']['product_dtype'], guide['settings']['product_dtype']) == ('float32', 'bfloat16')
    # lines are never longer than the longest
    assert (short['schedule']['shortest_lines'], short['schedule']['longest_lines']) == (4, 4)
    assert short['generator']['char_width_px'] == 64  # a cell is a square unless the width is told
    assert (
        one['model']['spatial_labels']
        == one['generator']['num_components'] + one['generator']['num_structures'] - 1
    )
    assert (
        one['model']['sequence_labels']
        == one['generator']['num_characters']
        > default['model']['sequence_labels']
    )
