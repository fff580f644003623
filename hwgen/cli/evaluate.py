"""Measures what a trained model writes.

Each protocol is a fixed way to measure, so that two models, or two people, get figures that can be compared.
The protocols, in the order of --protocol:
"""

import shlex
import sys
from typing import Any

from absl import flags

from hwgen.evaluation import session
from hwgen.evaluation.judges import panel
from hwgen.evaluation.protocols import registry
from hwgen.evaluation.protocols.protocol import Option
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.model_folder import DEFAULT_MODEL

_PROTOCOLS = registry.find_protocols()
_GENERAL = """\
What a model was not shown it writes in every protocol all the same (as with generate --allow_unseen): what
it cannot write shall count.

Most protocols run for three seeds (of lines, hands and whatever else is drawn). --out receives
PROTOCOL.json (every figure with mean and standard deviation over the seeds, the floor beside it, hashes of
the lines and of the network), PROTOCOL.html (the same with plots and sheets) and the sheets. --against
holds it against another such file and says what lies within the spreads. The same flags give the same bytes
on one machine. How a protocol of one's own is added: docs/extending.md."""


def _format_help() -> str:
    """What the protocols say of themselves."""
    parts = [f'--protocol={name}: {one.summary}\n{one.description}' for name, one in _PROTOCOLS.items()]
    examples = [f'  evaluate {example}'.rstrip() for one in _PROTOCOLS.values() for example in one.examples]
    return '\n\n'.join([*parts, _GENERAL, '\n'.join(['Examples:', *examples])]) + '\n'


__doc__ = f'{__doc__}\n{_format_help()}'


def _define_option(option: Option, owners: list[str]) -> None:
    """A protocol's own setting as a flag."""
    told = f'{", ".join(owners)}: {option.help}'
    if isinstance(option.default, bool):
        flags.DEFINE_bool(option.name, option.default, told)
    elif isinstance(option.default, int):
        flags.DEFINE_integer(option.name, option.default, told, lower_bound=1)
    elif isinstance(option.default, tuple):
        flags.DEFINE_list(option.name, list(option.default) or None, told)
    else:
        flags.DEFINE_string(option.name, option.default, told)


_PROTOCOL = flags.DEFINE_enum(
    'protocol',
    'reader',
    list(_PROTOCOLS),
    'What is measured. ' + ' '.join(f'{name}: {one.summary}' for name, one in _PROTOCOLS.items()),
)
_MODEL = flags.DEFINE_string(
    'model',
    None,
    f'Folder of the model, or a run directory of train. Default: {DEFAULT_MODEL}. '
    'Empty: none, real '
    'lines only. Example: --model=runs/demo.',
)
_DATA = flags.DEFINE_string(
    'data',
    None,
    'Folder of records with the splits test and unseen. Default: the embedded corpus that fits the model, of '
    'the version that it learned from and the characters that it has seen: tfrecords/wide for '
    'saved_models/spaced64, tfrecords/demo-1.1 for saved_models/demo, tfrecords/demo where nothing is known; '
    'for ablation tfrecords/ablation. What the '
    'protocol reads of these is written first where it is absent. Example: --data=tfrecords/mine.',
)
_SPLIT = flags.DEFINE_string(
    'split',
    'test',
    'Lines of the protocols that take any: '
    f'{", ".join(name for name, one in _PROTOCOLS.items() if one.splits is None)}. '
    'Example: --split=unseen.',
)
_NUM_LINES = flags.DEFINE_integer(
    'num_lines',
    None,
    'Lines (pairs, places) of each kind, at most. Default: '
    + ', '.join(f'{one.num_lines} for {name}' for name, one in _PROTOCOLS.items() if one.num_lines)
    + ', else what the protocol says. Example: --num_lines=500.',
    lower_bound=1,
)
_SEED = flags.DEFINE_integer(
    'seed',
    0,
    'First seed: of the choice of lines, of the styles and of the intervals. Example: --seed=1.',
    lower_bound=0,
)
_SEEDS = flags.DEFINE_integer(
    'seeds',
    session.DEFAULT_SEEDS,
    "How many seeds, from --seed on; those of ablation are its plan's. Example: --seeds=1.",
    lower_bound=1,
)
_SPACE = flags.DEFINE_enum(
    'feature_space',
    'recognizer',
    panel.SPACES,
    "Whose features distances are measured in. recognizer: the project's own; inception, vgg16_hwd: with "
    '--feature_weights.',
)
_WEIGHTS = flags.DEFINE_string(
    'feature_weights',
    None,
    'The network: .onnx, .keras, .h5 or the folder of a SavedModel; for recognizer the folder that '
    '--train_features wrote, by '
    'default saved_models/features. Example: --feature_weights=inception_v3.onnx.',
)
_TRAIN_FEATURES = flags.DEFINE_string(
    'train_features',
    None,
    'Measures nothing, but trains the feature network on the train lines of --data, with the seed of the '
    'one that ships, and '
    'writes it to this folder. Example: --train_features=features.',
)
_AGAINST = flags.DEFINE_string(
    'against',
    None,
    'Result to compare with, as this command writes it. Example: --against=evaluations/hct/hct.json.',
)
_COMPARE = flags.DEFINE_multi_string(
    'compare',
    [],
    'comparison: a system beside --model; may be given several times: the folder of a model or of pictures '
    'with their texts, '
    'or handright. NAME=FOLDER names it. Example: --compare=zi2zi=other.',
)
_TEXTS_OUT = flags.DEFINE_string(
    'texts_out',
    None,
    'comparison: measures nothing, but writes the texts that every system has to write to this file; .tsv: '
    'with names of '
    'pictures. Example: --texts_out=other/labels.tsv.',
)
_OUT = flags.DEFINE_string(
    'out',
    None,
    'Folder of the report; a report there is replaced. Default: evaluations/PROTOCOL. Example: '
    '--out=evaluations/mine.',
)
_TRUNCATION = flags.DEFINE_float(
    'truncation',
    DEFAULT_TRUNCATION,
    'Standard deviation of the styles drawn, by default that of generate: less is plainer. Example: '
    '--truncation=1.',
    lower_bound=0.0,
)
_OPTIONS = {option.name: option for one in _PROTOCOLS.values() for option in one.options}
for _option in _OPTIONS.values():
    _define_option(_option, [name for name, one in _PROTOCOLS.items() if _option in one.options])


def main(arguments: list[str]) -> None:
    """Hands the flags to the session."""
    del arguments
    from hwgen.data.preparing.corpus_place import corpus_place
    from hwgen.inference import picture_formats

    picture_formats.check_folder(_OUT.value or 'evaluations', flag='--out')
    protocol = _PROTOCOLS[_PROTOCOL.value]
    model = None if _MODEL.value == '' else _MODEL.value or DEFAULT_MODEL
    data = corpus_place(_DATA.value or session.default_data(protocol, model))
    drawn: dict[str, Any] = {
        'split': _SPLIT.value,
        'seed': _SEED.value,
        'seeds': _SEEDS.value,
        'num_lines': _NUM_LINES.value,
    }
    options: dict[str, Any] = {option.name: flags.FLAGS[option.name].value for option in protocol.options}
    if _TRAIN_FEATURES.value is not None:
        session.train_features(_TRAIN_FEATURES.value, data=data)
    elif _TEXTS_OUT.value is not None:
        session.write_texts(_TEXTS_OUT.value, protocol.name, data=data, **drawn)
    else:
        session.evaluate(
            model,
            protocol.name,
            data=data,
            out=_OUT.value,
            truncation=_TRUNCATION.value,
            feature_space=_SPACE.value,
            feature_weights=_WEIGHTS.value,
            against=_AGAINST.value,
            compare=_COMPARE.value,
            command='evaluate ' + shlex.join(sys.argv[2:]),
            **drawn,
            **options,
        )
