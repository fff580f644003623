"""Measures what a trained model writes.

--protocol=reader: PP-OCR, a reader that this project never trained nor trains with, reads real lines and lines that the model wrote with the same
texts. The result is the character error rate (CER) of each kind, with its number of lines and characters and a 95 % interval:
  real seen         lines by writers that are not in the training lines: the floor, what the reader can do
  real unseen       the same, every character one of those that have no image in training
  generated seen    the model's lines with the texts of `real seen`
  generated unseen  the model's lines with the texts of `real unseen`: characters it never saw
  punctuation, digits, latin  lines that hold many of these, a quarter as many of each kind: marks between words, dates and numbers, English words, by
                    writers of the embedded corpus (real) and by the model; only the places of these symbols count, and a table tells symbol by symbol
What a model was not shown it writes here all the same (as with generate --allow_unseen), in every protocol: what it cannot write shall count.
Beside the result --out receives reader.md, reader.tsv (every line with its reading) and reader.png (real beside generated, the readings below), of the
first seed.

--protocol=hct, scrabblegan, ganwriting, hwd: distances between real and generated lines in the features of a network, each cut and counted as the
work of that name does it. Generated lines have the texts of one half of the real ones; the other half is the floor, real lines against real ones.
  hct          whole lines, scaled to the model's cells, drawn hands, up to 20,000 a half: FID, KID, IS, geometry score (pixels, 5,000), and whether
               training lines (up to 10,000) were copied: copying_z far below 0, copied_share above the floor
  scrabblegan  the same on the whole split; for Inception 299 px high and as wide as the line is
  ganwriting   the left 64 px of the line at 64 px, in the hands of the real writers (read from up to 15 lines of the other half): FID, KID, IS
  hwd          handwriting distance (HWD) of whole lines, writer by writer, in their hands; FID, KID, IS on squares as high as the line
The names of the figures hold the feature space and the number of lines: fid_recognizer_250. Compare those of one name only; with few lines FID is too
large, for the floor and the model alike. The network is the project's own, trained on real lines for this alone (saved_models/features; made anew
with --train_features=FOLDER, 20 minutes on two busy cores). What trained the generator cannot judge it and is refused. Inception and HWD's VGG16 are taken from
--feature_weights.

These protocols run for three seeds (of lines, hands and whatever else is drawn). --out receives PROTOCOL.json (every figure with mean and standard
deviation over the seeds, the floor beside it, hashes of the lines and of the network), PROTOCOL.html (the same with plots and sheets) and the sheets.
--against holds it against another such file and says what lies within the spreads. The same flags give the same bytes on one machine.

--protocol=hands: can drawn styles be told apart as writers can? Lines of 8 writers, and lines of 8 drawn styles with the same texts, 12 each, are
attributed to the hand whose other lines they resemble most (ink, darkness, stroke width, slant, height, blank columns, centre); and the copies of
a character are compared, within one line and between hands. --out receives hands.json and hands.png (a block of lines for each drawn style).

--protocol=interpolation: do pictures change evenly from style to style, and from character to character (components, structure and boxes interpolated)?
Perceptual path length, largest step over mean step, detour, and a cross-fade of the ends beside them; sheets of such rows, of one style and of one text.
--protocol=neighbours: does what stands beside a character change it? Its cell with one neighbour exchanged, 1 to 3 cells away, beside the character
written alone, two copies in one line, and copies in real lines. Both measure for three seeds, in pixels and in a feature space, and write as those above.

--protocol=shots: how well are characters written that training lines show never, once, a few times (`prepare --shots=0,1,5,20`)? The share of each group's
characters that PP-OCR misreads, and of their structures and components that the feature network misreads: real, written by --before, by --model.
--protocol=nonsense: are combinations of components that are in no table written as asked? Read by the feature network, beside characters that exist.

--protocol=comparison: the model and the systems of --compare write the same texts, and all are measured as hct does (without the search for copies) and
read, by PP-OCR and by the feature network (which reads structures and components), beside the floor of real lines. --compare is a model's folder; handright, a
simulator from fonts; or the folder of pictures that any other system wrote, with their texts in a table (labels.tsv, label.txt, *.jsonl) or in text files beside them.
--texts_out=FILE writes the texts that such a system needs (FILE.tsv: as the table of its folder), for the same --split, --num_lines and seeds.

--protocol=ablation: trains every row of a plan (a folder with plan.toml and a file of flags for each row), measures all as comparison does, characters
without images in training and the distance between drawn hands besides, and puts them into one table. The plan that ships takes about two hours of two cores.
Each row is a training of its own: what is done stays done, and the same command goes on. A seed of --runs is measured on the lines of that seed.

The reader comes with the optional packages rapidocr and onnxruntime: bin/evaluate installs them on first use (about 60 MB); elsewhere
`pip install "hwgen[reader]"`.

Examples:
  evaluate
  evaluate --model=runs/demo/model --num_lines=500 --out=evaluations/mine
  evaluate --model= --true_aspect    (real lines only: what the reader makes of a collection)
  evaluate --protocol=hands
  evaluate --protocol=hct --model=runs/demo/model --against=evaluations/hct/hct.json --out=evaluations/mine
  evaluate --protocol=comparison --texts_out=other/labels.tsv
  evaluate --protocol=comparison --compare=handright --compare=zi2zi=other --out=evaluations/mine
  evaluate --protocol=shots --data=tfrecords/shots --model=runs/shots/model
  evaluate --protocol=ablation --truncation=1
  evaluate --protocol=ablation --rows=components_both,layout --jobs=1
  evaluate --protocol=hwd --feature_space=vgg16_hwd --feature_weights=vgg16_10400.onnx
"""

import contextlib

from absl import flags

from hwgen.charset.printable import printable
from hwgen.cli.app import UserError
from hwgen.cli.places import corpus_place
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model
from hwgen.settings.resources import resource_path

_DISTANCES = ['hct', 'scrabblegan', 'ganwriting', 'hwd']
# Who judges: a feature space, the independent reader (PP-OCR), the reader of components.
_JUDGES = {'reader': ('reader',), 'hands': (), **dict.fromkeys([*_DISTANCES, 'interpolation', 'neighbours'], ('space',)), 'shots': ('reader', 'component_reader'),
           'nonsense': ('component_reader',), **dict.fromkeys(['comparison', 'ablation'], ('space', 'reader', 'component_reader'))}

_PROTOCOL = flags.DEFINE_enum('protocol', 'reader', list(_JUDGES), 'What is measured. reader: can an independent reader read it? hands: can its styles be told '
                             'apart? hct, scrabblegan, ganwriting, hwd: how far is it from real lines, by the conventions of that work? interpolation: how evenly '
                             'does it go from one to another? neighbours: do they change a character? shots, nonsense: can it write what it hardly or never saw? '
                             'comparison: several systems; ablation: what each part is worth.')
_MODEL = flags.DEFINE_string('model', None, 'Folder of the model, or a run directory of train. Default: saved_models/demo, the one that ships. Empty: none, real '
                             'lines only. Example: --model=runs/demo.')
_DATA = flags.DEFINE_string('data', None, 'Folder of records with the splits test and unseen. Default: tfrecords/demo-1.1 for models that learned from version 1.1 of the '
                            'embedded corpus, as the one that ships did, else tfrecords/demo; for ablation tfrecords/ablation. What the protocol reads of these is written first where it is absent. Example: --data=tfrecords/mine.')
_SPLIT = flags.DEFINE_string('split', 'test', 'Lines of hct, scrabblegan, ganwriting, hwd and comparison; texts of interpolation and neighbours. Example: --split=unseen.')
_NUM_LINES = flags.DEFINE_integer('num_lines', None, 'Lines (pairs, places) of each kind, at most. Default: 200 for reader, 250 for shots and nonsense, else what the protocol says. '
                                  'Example: --num_lines=500.',
                                  lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'First seed: of the choice of lines, of the styles and of the intervals. Example: --seed=1.', lower_bound=0)
_SEEDS = flags.DEFINE_integer('seeds', 3, 'How many seeds, from --seed on; hands takes one. Example: --seeds=1.', lower_bound=1)
_SPACE = flags.DEFINE_enum('feature_space', 'recognizer', ['recognizer', 'inception', 'vgg16_hwd'], 'Whose features distances are measured in. recognizer: '
                           'the project\'s own; inception, vgg16_hwd: with --feature_weights.')
_WEIGHTS = flags.DEFINE_string('feature_weights', None, 'The network: .onnx, .keras, .h5 or the folder of a SavedModel; for recognizer the folder that '
                               '--train_features wrote, by default saved_models/features. Example: --feature_weights=inception_v3.onnx.')
_TRAIN_FEATURES = flags.DEFINE_string('train_features', None, 'Measures nothing, but trains the feature network on the train lines of --data, with the seed of the '
                                      'one that ships, and writes it to this folder. Example: --train_features=features.')
_AGAINST = flags.DEFINE_string('against', None, 'Result to compare with, as this command writes it. Example: --against=evaluations/hct/hct.json.')
_COMPARE = flags.DEFINE_multi_string('compare', [], 'comparison: a system beside --model; may be given several times: the folder of a model or of pictures with their texts, or '
                                     'handright. NAME=FOLDER names it. Example: --compare=zi2zi=other.')
_TEXTS_OUT = flags.DEFINE_string('texts_out', None, 'comparison: measures nothing, but writes the texts that every system has to write to this file; .tsv: with names of '
                                 'pictures. Example: --texts_out=other/labels.tsv.')
_BEFORE = flags.DEFINE_string('before', None, 'shots: the model before it was trained on the shots. Default: saved_models/demo. Example: --before=runs/demo/model.')
_PLAN = flags.DEFINE_string('plan', None, 'ablation: folder of the plan. Default: experiments/ablation. Example: --plan=mine.')
_BASE = flags.DEFINE_string('base_flags', None, "ablation: flags of all rows in place of the plan's. Example: --base_flags=experiments/ablation/paper.flags.")
_ROWS = flags.DEFINE_list('rows', None, 'ablation: some rows of the plan. Example: --rows=components_both,layout.')
_RUNS = flags.DEFINE_string('runs', 'runs/ablation', 'ablation: folder of the trainings.')
_JOBS = flags.DEFINE_integer('jobs', 2, 'ablation: trainings at a time, each on its share of the processors: two of one thread were twice as fast as one of two.', lower_bound=1)
_OUT = flags.DEFINE_string('out', None, 'Folder of the report; a report there is replaced. Default: evaluations/PROTOCOL. Example: --out=evaluations/mine.')
_CROP = flags.DEFINE_bool('crop', False, 'reader: cut every line, real or generated, to its ink before it is read.')
_TRUE_ASPECT = flags.DEFINE_bool('true_aspect', False, 'reader: read real lines also as wide as they were written, not only scaled to the cells of the model.')
_TRUNCATION = flags.DEFINE_float('truncation', DEFAULT_TRUNCATION, 'Standard deviation of the styles drawn, by default that of generate: less is plainer. Example: --truncation=1.', lower_bound=0.)
_SHEET_LINES = flags.DEFINE_integer('sheet_lines', 12, 'reader: lines of each kind on the picture.', lower_bound=1)

_CORPORA = {'ablation': 'tfrecords/ablation'}  # that the other protocols take: `_own_corpus`
_OWN_SPLITS = {'hands': ['test'], **dict.fromkeys(['reader', 'shots', 'nonsense'], ['test', 'unseen'])}  # that a protocol reads whatever --split says
_READER_LINES, _NOVEL_LINES = 200, 250


def main(arguments):
    """Wires data, model, judges and report together; returns None."""
    del arguments
    from hwgen.cli import experiments, measurements
    from hwgen.evaluation import results
    from hwgen.inference import picture_formats
    from hwgen.inference.description import read_description
    protocol = _PROTOCOL.value
    picture_formats.check_folder(_OUT.value or 'evaluations', flag='--out')
    # Before the corpus is written: what may have to be installed, and what cannot be measured.
    there = results.read_result(_AGAINST.value) if _AGAINST.value else None
    if (_COMPARE.value or _TEXTS_OUT.value) and protocol != 'comparison':
        raise UserError(f'--compare or --texts_out with --protocol={protocol}: expected --protocol=comparison')
    if _MODEL.value == '' and protocol not in ('reader', 'comparison', *_DISTANCES):
        raise UserError(f'--protocol={protocol} with an empty --model: expected the folder of a model')
    judges, systems = {}, {}
    if _TRAIN_FEATURES.value is None and _TEXTS_OUT.value is None:
        if _MODEL.value != '' and protocol not in ('ablation', 'comparison'):
            read_description(_model_folder())
        judges = _open_judges(_JUDGES[protocol])
        systems = _open_systems() if protocol == 'comparison' else {}
    if there is not None:
        if protocol == 'hands':
            raise UserError('--against with --protocol=hands: expected another protocol')
        results.check_comparable(_measured_under(judges), there['measured_under'], place=_AGAINST.value)
    plan = _read_plan() if protocol == 'ablation' else None
    data = corpus_place(_DATA.value or _CORPORA.get(protocol) or _own_corpus(_model_folder()))
    info = _read_info(data, plan)
    if _TRAIN_FEATURES.value is not None:
        _train_features(_TRAIN_FEATURES.value, data)
        return
    needed = 'test' if protocol in ('reader', 'hands', 'shots', 'nonsense', 'ablation') else _SPLIT.value
    if needed not in info['splits']:
        raise UserError(f'{data}: no split {needed}; expected a folder with lines by writers that are not in the training lines, it has '
                        f'{", ".join(info["splits"])}')
    if _TEXTS_OUT.value is not None:
        _write_texts(data)
        return
    writer = _open_model(systems)
    if protocol != 'ablation' and not systems:
        _tell_of_other_corpus(info, writer)
    task = measurements.Task(
        protocol=protocol, data=data, split=_SPLIT.value, info=info, judges=judges, writer=writer, out=_OUT.value or f'evaluations/{protocol}',
        seeds=list(range(_SEED.value, _SEED.value + _SEEDS.value)), num_lines=_NUM_LINES.value, truncation=_TRUNCATION.value,
        measured_under=_measured_under(judges, info), facts=_facts(data, info, writer), there=there, against=_AGAINST.value)
    if protocol == 'reader':
        task.num_lines = _NUM_LINES.value or _READER_LINES
        measurements.measure_reading(task, crop=_CROP.value, true_aspect=_TRUE_ASPECT.value, sheet_lines=_SHEET_LINES.value)
    elif protocol == 'hands':
        measurements.measure_hands(task)
    elif protocol in _DISTANCES:
        measurements.measure_distances(task)
    elif protocol == 'interpolation':
        experiments.measure_interpolation(task)
    elif protocol == 'neighbours':
        experiments.measure_neighbours(task)
    elif protocol == 'shots':
        task.num_lines = _NUM_LINES.value or _NOVEL_LINES
        experiments.measure_shots(task, before=find_model(_BEFORE.value or DEFAULT_MODEL))
    elif protocol == 'nonsense':
        task.num_lines = _NUM_LINES.value or _NOVEL_LINES
        experiments.measure_nonsense(task)
    elif protocol == 'comparison':
        experiments.measure_comparison(task, systems)
    else:
        experiments.measure_ablation(task, plan, runs=_RUNS.value, num_parallel=_JOBS.value)


def _open_judges(names):
    """dict of `space`, `reader` and `component_reader`, those that the protocol needs."""
    from hwgen.evaluation import distribution_protocol, feature_space
    judges, weights = {}, _WEIGHTS.value
    if weights is None and _SPACE.value == 'recognizer':
        weights = str(resource_path('saved_models/features'))
    if 'space' in names:
        measured = distribution_protocol.PROTOCOLS.get(_PROTOCOL.value)
        judges['space'] = feature_space.open_space(_SPACE.value, weights, square=measured is None or measured.square)
    if 'component_reader' in names:
        from hwgen.evaluation.component_reader import ComponentReader
        judges['component_reader'] = ComponentReader.load(weights if _SPACE.value == 'recognizer' else str(resource_path('saved_models/features')))
    if 'reader' in names:
        from hwgen.evaluation.independent_reader import IndependentReader
        judges['reader'] = IndependentReader()
    return judges


def _open_model(systems):
    """The model that is measured, or the first of several systems; None for real lines alone, or where a plan says what is measured."""
    if systems:
        return None if _MODEL.value == '' else next(iter(systems.values()))
    if _MODEL.value == '' or _PROTOCOL.value == 'ablation':
        return None
    from hwgen.inference.writer import Writer
    # What a model cannot write shall count: nothing is refused.
    return Writer.load(_model_folder(), allow_unseen=True)


def _model_folder():
    """The folder of --model, also where that is a run directory."""
    return find_model(_MODEL.value or DEFAULT_MODEL)


def _own_corpus(model):
    """The folder of the embedded corpus whose version a model learned from: what it has not seen is told by that one alone."""
    import json
    import pathlib

    from hwgen.data.prepare import EMBEDDED
    version = None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # whoever opens the model says what is wrong with it
        version = json.loads((pathlib.Path(model) / 'generator.json').read_text(encoding='utf-8'))['info']['data']['version']
    return next((folder for folder, settings in EMBEDDED.items() if version and settings.get('version') == version), 'tfrecords/demo')


def _tell_of_other_corpus(info, writer):
    """A word where a model is measured on another version of the embedded corpus than it learned from."""
    learned = (writer.description.get('info') or {}).get('data') or {} if writer is not None else {}
    if learned.get('source') == info.get('source') == 'scribe' and learned.get('version') != info.get('version'):
        print(f'note: the model learned from version {learned.get("version")} of the embedded corpus, the data is version {info.get("version")}: its split '
              'unseen holds characters that the model may have seen, and its writers are others', flush=True)


def _open_systems():
    """The systems of --model and --compare, before the corpus is written: what is missing shows here."""
    from hwgen.evaluation import systems
    model = _model_folder()
    names = [] if _MODEL.value == '' else [f'{systems.name_of(model)}={model}']
    if not names and not _COMPARE.value:
        raise UserError('--protocol=comparison with an empty --model and no --compare: expected a system')
    return systems.open_systems([*names, *_COMPARE.value])


def _read_plan():
    from hwgen.evaluation import training_plan
    return training_plan.read_plan(_PLAN.value or str(resource_path('experiments/ablation')), base=_BASE.value, rows=_ROWS.value)


def _write_texts(data):
    from hwgen.data.shards import RecordIndex
    from hwgen.evaluation import comparison, systems
    seeds = range(_SEED.value, _SEED.value + _SEEDS.value)
    texts = [text for of_seed in comparison.protocol_texts(RecordIndex(data, split=_SPLIT.value), seeds=seeds, num_lines=_NUM_LINES.value) for text in of_seed]
    systems.write_texts(_TEXTS_OUT.value, texts)
    print(f'{printable(_TEXTS_OUT.value)}: {len(texts)} lines to write, those of {len(seeds)} seeds')


def _read_info(data, plan):
    """info.json of the data; of an embedded corpus the splits that the protocol reads are written where they are not there."""
    from hwgen.data import prepare
    from hwgen.data.shards import read_info
    settings = plan.data if plan is not None and data == _CORPORA['ablation'] else None
    prepare.ensure_embedded(data, _splits_read(), settings=settings, report=lambda line: print(printable(line), flush=True))
    return read_info(data)


def _splits_read():
    """The splits that this call reads."""
    protocol = _PROTOCOL.value
    if _TRAIN_FEATURES.value is not None or protocol == 'ablation':
        return ['train', 'validation', 'test', 'unseen']
    if protocol in _OWN_SPLITS:
        return _OWN_SPLITS[protocol]
    # hct looks for copies of training lines, neighbours for real copies of a character among them.
    return list(dict.fromkeys([_SPLIT.value, *(['train'] if protocol in ('hct', 'neighbours') and _TEXTS_OUT.value is None else [])]))


def _train_features(folder, data):
    import tensorflow as tf

    from hwgen.evaluation import feature_recognizer
    tf.config.experimental.enable_op_determinism()
    network, description = feature_recognizer.train(data, report=lambda line: print(printable(line), flush=True))
    for split in feature_recognizer.measured_splits(data):
        error, num_lines, num_labels = feature_recognizer.label_error(network, data, split=split)
        description.setdefault('label_error', {})[split] = {'error': round(error, 4), 'num_lines': num_lines, 'num_labels': num_labels}
        print(f'{split}: {error:.3f} of {num_labels} structures and components of {num_lines} lines are read wrong', flush=True)
    feature_recognizer.save(folder, network, description)
    print(f'\nfeature network  {folder}')


def _measured_under(judges, info=None):
    """What must be equal for two results to be comparable."""
    under = {'protocol': _PROTOCOL.value, 'num_lines': _NUM_LINES.value, 'first_seed': _SEED.value, 'seeds': _SEEDS.value}
    if 'space' in judges:
        under |= {'split': _SPLIT.value, 'feature_space': judges['space'].name, 'feature_sha256': judges['space'].digest}
    if 'reader' in judges:
        under['reader'] = judges['reader'].name
    if 'component_reader' in judges:
        under['component_reader_sha256'] = judges['component_reader'].digest
    if _PROTOCOL.value == 'reader':
        under |= {'num_lines': _NUM_LINES.value or _READER_LINES, 'crop': _CROP.value}
    if _PROTOCOL.value == 'ablation':  # the seeds are those of the plan's rows
        under |= {'first_seed': None, 'seeds': None, 'truncation': _TRUNCATION.value}
    if info is not None:
        under['data'] = {name: info[name] for name in ('source', 'version', 'seed') if name in info}
    return under


def _facts(data, info, writer):
    """What the figures depend on, for the report."""
    import shlex
    import sys

    import hwgen
    facts = {'protocol': _PROTOCOL.value, 'model': _MODEL.value or ('saved_models/demo' if writer else 'none'),
             'data': {'folder': data, **{name: info[name] for name in ('source', 'version', 'seed') if name in info}},
             'seed': _SEED.value, 'truncation': _TRUNCATION.value, 'hwgen': hwgen.__version__, 'command': 'evaluate ' + shlex.join(sys.argv[2:])}
    if writer is not None:
        facts['trained'] = {name: value for name, value in writer.description.items() if name in ('step', 'info', 'charset')}
    return facts
