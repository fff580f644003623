"""Measures what a trained model writes.

--protocol=reader: PP-OCR, a reader that this project never trained nor trains with, reads real lines and lines that the model wrote with the same
texts. The result is the character error rate (CER) of each kind, with its number of lines and characters and a 95 % interval:
  real seen         lines by writers that are not in the training lines: the floor, what the reader can do
  real unseen       the same, every character one of those that have no image in training
  generated seen    the model's lines with the texts of `real seen`
  generated unseen  the model's lines with the texts of `real unseen`: characters it never saw
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

--protocol=shots: how well are characters written that training lines show never, once, a few times (`prepare --shots=0,1,5,20`)? The share of each group's
characters that PP-OCR misreads, and of their structures and components that the feature network misreads: real, written by --before, by --model.
--protocol=nonsense: are combinations of components that are in no table written as asked? Read by the feature network, beside characters that exist.

The reader comes with the optional packages rapidocr and onnxruntime: bin/evaluate installs them on first use (about 60 MB); elsewhere
`pip install "hwgen[reader]"`.

Examples:
  evaluate
  evaluate --model=runs/demo/model --num_lines=500 --out=evaluations/mine
  evaluate --model= --true_aspect    (real lines only: what the reader makes of a collection)
  evaluate --protocol=hands
  evaluate --protocol=hct --model=runs/demo/model --against=evaluations/hct/hct.json --out=evaluations/mine
  evaluate --protocol=shots --data=tfrecords/shots --model=runs/shots/model
  evaluate --protocol=nonsense
  evaluate --protocol=hwd --feature_space=vgg16_hwd --feature_weights=vgg16_10400.onnx
"""

from absl import flags

from hwgen.cli.app import UserError, resource_path

_DISTANCES = ['hct', 'scrabblegan', 'ganwriting', 'hwd']

_PROTOCOL = flags.DEFINE_enum('protocol', 'reader', ['reader', 'hands', 'shots', 'nonsense', *_DISTANCES], 'What is measured. reader: can an independent reader read it? '
                             'hands: can its styles be told apart? shots, nonsense: can it write what it hardly or never saw? hct, scrabblegan, ganwriting, hwd: how far is it from real lines, by the conventions of that work?')
_MODEL = flags.DEFINE_string('model', None, 'Folder of the model, as train writes it. Default: saved_models/demo, the one that ships. Empty: none, real '
                             'lines only. Example: --model=runs/demo/model.')
_BEFORE = flags.DEFINE_string('before', None, 'shots: the model before it was trained on the shots. Default: saved_models/demo. Example: --before=runs/demo/model.')
_DATA = flags.DEFINE_string('data', 'tfrecords/demo', 'Folder of records with the splits test and unseen. tfrecords/demo is written first if it is '
                            'absent. Example: --data=tfrecords/mine.')
_SPLIT = flags.DEFINE_string('split', 'test', 'Real lines of hct, scrabblegan, ganwriting and hwd. Example: --split=unseen.')
_NUM_LINES = flags.DEFINE_integer('num_lines', None, 'Lines of each kind, at most. Default: 200 for reader, 250 for shots and nonsense, else what the protocol says. Example: --num_lines=500.',
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
_OUT = flags.DEFINE_string('out', None, 'Folder of the report; a report there is replaced. Default: evaluations/PROTOCOL. Example: --out=evaluations/mine.')
_CROP = flags.DEFINE_bool('crop', False, 'reader: cut every line, real or generated, to its ink before it is read.')
_TRUE_ASPECT = flags.DEFINE_bool('true_aspect', False, 'reader: read real lines also as wide as they were written, not only scaled to the cells of the model.')
_TRUNCATION = flags.DEFINE_float('truncation', .8, 'Standard deviation of the styles drawn, by default that of generate: less is plainer. Example: --truncation=1.', lower_bound=0.)
_SHEET_LINES = flags.DEFINE_integer('sheet_lines', 12, 'reader: lines of each kind on the picture.', lower_bound=1)

_DEMO = 'tfrecords/demo'
_READER_LINES, _NOVEL_LINES = 200, 250


def main(arguments):
    """Wires data, model, reader or feature space, and report together; returns None."""
    del arguments
    from hwgen.evaluation import results
    # Before the corpus is written: what may have to be installed, and what cannot be measured.
    judge, there = None, results.read_result(_AGAINST.value) if _AGAINST.value else None
    if _TRAIN_FEATURES.value is None:
        judge = _judge()
    if there is not None:
        if _PROTOCOL.value == 'hands':
            raise UserError('--against with --protocol=hands: expected another protocol')
        results.check_comparable(_measured_under(judge), there['measured_under'], place=_AGAINST.value)
    info = _read_info()
    if _TRAIN_FEATURES.value is not None:
        _train_features(_TRAIN_FEATURES.value)
        return
    split = _SPLIT.value if _PROTOCOL.value in _DISTANCES else 'test'
    if split not in info['splits']:
        raise UserError(f'{_DATA.value}: no split {split}; expected a folder with lines by writers that are not in the training lines, it has '
                        f'{", ".join(info["splits"])}')
    writer = None
    if _MODEL.value != '':
        from hwgen.inference.writer import Writer
        writer = Writer.load(_MODEL.value or str(resource_path('saved_models/demo')))
    out, facts = _OUT.value or f'evaluations/{_PROTOCOL.value}', _facts(info, writer)
    if _PROTOCOL.value == 'hands':
        _measure_hands(writer, facts, out)
    else:
        facts |= {'seeds': list(range(_SEED.value, _SEED.value + _SEEDS.value))}
        measure = {'reader': _measure_reading, 'shots': _measure_shots, 'nonsense': _measure_nonsense}.get(_PROTOCOL.value, _measure_distances)
        measure(judge, info, writer, {**facts, 'measured_under': _measured_under(judge, info)}, there, out)


def _judge():
    """The reader or the feature space; None for hands."""
    if _PROTOCOL.value == 'reader':
        from hwgen.evaluation.independent_reader import IndependentReader
        return IndependentReader()
    if _PROTOCOL.value == 'hands':
        if _MODEL.value == '':
            raise UserError('--protocol=hands with an empty --model: expected the folder of a model')
        return None
    if _PROTOCOL.value in ('shots', 'nonsense'):
        return _novel_judge()
    from hwgen.evaluation import distribution_protocol, feature_space
    weights = _WEIGHTS.value
    if weights is None and _SPACE.value == 'recognizer':
        weights = str(resource_path('saved_models/features'))
    return feature_space.open_space(_SPACE.value, weights, square=distribution_protocol.PROTOCOLS[_PROTOCOL.value].square)


def _novel_judge():
    """The component reader, and for shots the independent reader beside it: dict name -> reader."""
    if _MODEL.value == '':
        raise UserError(f'--protocol={_PROTOCOL.value} with an empty --model: expected the folder of a model')
    from hwgen.evaluation.component_reader import ComponentReader
    from hwgen.evaluation.independent_reader import IndependentReader
    found = {'ppocr': IndependentReader()} if _PROTOCOL.value == 'shots' else {}
    return found | {'components': ComponentReader(_WEIGHTS.value or str(resource_path('saved_models/features')))}


def _read_info():
    """info.json of the data; the embedded corpus is written where the default is asked for and not there."""
    import os

    from hwgen.data.shards import read_info
    if _DATA.value == _DEMO and not os.path.exists(_DEMO):
        print(f'{_DEMO}: not there, writing the embedded corpus (a few minutes, once)', flush=True)
        from hwgen.data import prepare
        prepare.prepare_scribe(_DEMO)
    return read_info(_DATA.value)


def _train_features(folder):
    import tensorflow as tf

    from hwgen.evaluation import feature_recognizer
    tf.config.experimental.enable_op_determinism()
    network, description = feature_recognizer.train(_DATA.value, report=lambda line: print(line, flush=True))
    for split in feature_recognizer.measured_splits(_DATA.value):
        error, num_lines, num_labels = feature_recognizer.label_error(network, _DATA.value, split=split)
        description.setdefault('label_error', {})[split] = {'error': round(error, 4), 'num_lines': num_lines, 'num_labels': num_labels}
        print(f'{split}: {error:.3f} of {num_labels} structures and components of {num_lines} lines are read wrong', flush=True)
    feature_recognizer.save(folder, network, description)
    print(f'\nfeature network  {folder}')


def _measured_under(judge, info=None):
    """What must be equal for two results to be comparable."""
    under = {'protocol': _PROTOCOL.value, 'num_lines': _NUM_LINES.value, 'first_seed': _SEED.value, 'seeds': _SEEDS.value}
    if _PROTOCOL.value == 'reader':
        under |= {'reader': judge.name, 'num_lines': _NUM_LINES.value or _READER_LINES, 'crop': _CROP.value}
    elif _PROTOCOL.value in ('shots', 'nonsense'):
        under |= {'readers': [reader.name for reader in judge.values()], 'feature_sha256': judge['components'].digest, 'num_lines': _NUM_LINES.value or _NOVEL_LINES}
    elif _PROTOCOL.value in _DISTANCES:
        under |= {'split': _SPLIT.value, 'feature_space': judge.name, 'feature_sha256': judge.digest}
    if info is not None:
        under['data'] = {name: info[name] for name in ('source', 'version', 'seed') if name in info}
    return under


def _facts(info, writer):
    """What the figures depend on, for the report."""
    import shlex
    import sys

    import hwgen
    facts = {'protocol': _PROTOCOL.value, 'model': _MODEL.value or ('saved_models/demo' if writer else 'none'),
             'data': {'folder': _DATA.value, **{name: info[name] for name in ('source', 'version', 'seed') if name in info}},
             'seed': _SEED.value, 'truncation': _TRUNCATION.value, 'hwgen': hwgen.__version__, 'command': 'evaluate ' + shlex.join(sys.argv[2:])}
    if writer is not None:
        facts['trained'] = {name: value for name, value in writer.description.items() if name in ('step', 'info', 'charset')}
    return facts


def _measure_reading(reader, info, writer, facts, there, out):
    from PIL import ImageFont

    from hwgen.data.scribe import fonts
    from hwgen.data.shards import RecordIndex
    from hwgen.evaluation import protocols, report
    indices = {split: RecordIndex(_DATA.value, split=split) for split in protocols.SPLITS if split in info['splits']}
    num_lines, by_seed, figures = _NUM_LINES.value or _READER_LINES, {}, []
    for seed in facts['seeds']:
        conditions = protocols.reader_protocol(
            reader, indices, writer=writer, num_lines=num_lines, seed=seed, true_aspect=_TRUE_ASPECT.value, crop=_CROP.value,
            truncation=_TRUNCATION.value, report=lambda line, seed=seed: print(f'seed {seed}: {line}', flush=True))
        figures.append(protocols.reading_figures(conditions))
        facts['measured_under'].setdefault('lines_sha256', []).append(protocols.texts_digest(conditions))
        by_seed.setdefault('first', conditions)
    conditions = by_seed['first']
    summaries = [condition.summary(seed=protocols.bootstrap_seed(_SEED.value)) for condition in conditions]
    page_facts = {name: value for name, value in facts.items() if name != 'measured_under'} | {'reader': reader.name, 'num_lines': num_lines, 'crop': _CROP.value}
    paths = report.write_report(out, conditions, summaries, title='What an independent reader makes of it', facts=page_facts,
                                font=ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), report.TEXT_PX), lines_on_sheet=_SHEET_LINES.value)
    print(f'\n{"seed " + str(_SEED.value):<28}{"N lines":>8}{"N chars":>9}{"CER":>8}   95 % interval')
    for row in summaries:
        print(f'{row["name"].replace("_", " "):<28}{row["num_lines"]:>8}{row["num_characters"]:>9}{row["cer"]:>8.3f}   '
              f'{row["cer_95_low"]:.3f} to {row["cer_95_high"]:.3f}')
    _write({**page_facts, 'measured_under': facts['measured_under'], 'conditions': summaries}, figures, there, out,
           title='What an independent reader makes of it', pictures=[(paths['png'].name, 'Real beside generated, and what was read')])
    print(f'lines     {paths["md"]}, {paths["tsv"]}\npictures  {paths["png"]}')


def _measure_shots(judges, info, writer, facts, there, out):
    import functools
    import os

    from hwgen.charset.encoding import Charset
    from hwgen.data.shards import RecordIndex
    from hwgen.evaluation import character_errors, result_page, shots
    from hwgen.inference import picture_files
    from hwgen.inference.writer import Writer
    groups = shots.groups_of(info, Charset.load())
    before = _BEFORE.value or str(resource_path('saved_models/demo'))
    readers = {'ppocr': functools.partial(character_errors.read_characters, judges['ppocr']),
               'components': functools.partial(character_errors.read_components, judges['components'])}
    found = [shots.read_lines(readers, {split: RecordIndex(_DATA.value, split=split) for split in ('test', 'unseen')},
                              {'before': Writer.load(before), 'after': writer}, groups=groups, num_lines=_NUM_LINES.value or _NOVEL_LINES, seed=seed,
                              truncation=_TRUNCATION.value, report=lambda line: print(line, flush=True)) for seed in facts['seeds']]
    facts['measured_under'] |= {'shots': info['shots'], 'lines_sha256': [one.digest for one in found]}
    rows = shots.intervals(found, groups, seed=_SEED.value)
    os.makedirs(out, exist_ok=True)
    picture_files.write_file(os.path.join(out, 'shots.md'), shots.format_markdown(rows).encode())
    result_page.write_sheet(os.path.join(out, 'shots.png'), shots.sheet_rows(found[0], groups))
    _write({**facts, 'before': _BEFORE.value or 'saved_models/demo', 'conditions': rows}, [shots.figures(one, groups) for one in found], there, out,
           title='Characters seen never, once, a few times', pictures=[('shots.png', 'The first characters of each group: real, before, after')])
    print(f'intervals {os.path.join(out, "shots.md")}\npictures  {os.path.join(out, "shots.png")}')


def _measure_nonsense(judges, info, writer, facts, there, out):
    import os

    from hwgen.charset.encoding import Charset
    from hwgen.data.shards import RecordIndex
    from hwgen.evaluation import nonsense, nonsense_sheet
    from hwgen.inference import picture_files
    charset, indices = Charset.load(), {split: RecordIndex(_DATA.value, split=split) for split in ('test', 'unseen')}
    known = nonsense.known_codes(charset)
    found = [nonsense.read_lines(judges['components'], indices, writer, vocabulary=info['vocabulary'], charset=charset, known=known,
                                 num_lines=_NUM_LINES.value or _NOVEL_LINES, seed=seed, truncation=_TRUNCATION.value,
                                 report=lambda line: print(line, flush=True)) for seed in facts['seeds']]
    facts['measured_under'] |= {'lines_sha256': [nonsense.digest(one) for one in found]}
    glyphs, = (lines for lines in found[0] if lines.kind == 'nonsense')
    place = os.path.join(out, 'nonsense.png')
    picture_files.write_file(place, picture_files.encode_png(nonsense_sheet.draw_sheet(charset, glyphs.units, glyphs.images)))
    picture_files.write_file(os.path.join(out, 'nonsense.txt'), ''.join(''.join(line) + '\n' for line in glyphs.units).encode())
    rows, costs = nonsense.intervals(found, seed=_SEED.value), nonsense.recombining(found, seed=_SEED.value)
    table = nonsense.format_markdown(rows, costs)
    picture_files.write_file(os.path.join(out, 'nonsense.md'), table.encode())
    print(f'\n{table}')
    _write({**facts, 'conditions': rows, 'recombining': costs}, [nonsense.figures(one) for one in found], there, out,
           title='Combinations of components that are in no table', pictures=[('nonsense.png', 'Written, and beside it what was asked (boxes of the structure)')])
    print(f'sequences {os.path.join(out, "nonsense.txt")}\npictures  {place}')


def _measure_distances(space, info, writer, facts, there, out):
    import os

    from hwgen.data.shards import RecordIndex
    from hwgen.evaluation import distribution_protocol as distances
    from hwgen.evaluation import result_page
    name, index, training, training_index = _PROTOCOL.value, RecordIndex(_DATA.value, split=_SPLIT.value), None, None
    protocol, cells = distances.PROTOCOLS[name], dict(char_px=32, char_width_px=32)
    if writer is not None:
        cells = dict(char_px=writer.char_px, char_width_px=writer.char_width_px)
    if protocol.memorization and 'train' in info['splits']:
        training_index = RecordIndex(_DATA.value, split='train')
        training = distances.training_features(training_index, name, space=space, cells=cells)
        print(f'{len(training)} training lines to look for copies in', flush=True)
    found = [distances.compare(index, name, space=space, writer=writer, cells=cells, training=training, num_lines=_NUM_LINES.value, seed=seed,
                               truncation=_TRUNCATION.value, report=lambda line: print(line, flush=True)) for seed in facts['seeds']]
    facts['measured_under'] |= {'cells': cells, 'lines_sha256': [one.digest for one in found]}
    os.makedirs(out, exist_ok=True)
    pictures = [(f'{name}.png', 'Real lines, and beside them generated ones of the same texts' if writer is not None else 'Real lines')]
    result_page.write_sheet(os.path.join(out, pictures[0][0]), found[0].sheet)
    if found[0].copies:
        pictures.append((f'{name}_copies.png', 'Generated lines that lie closest to a training line, and that line'))
        numbers = distances.training_lines(training_index)
        result_page.write_sheet(os.path.join(out, pictures[1][0]), [[image, training_index.read_record(int(numbers[place])).image] for image, place in found[0].copies])
    facts = {**facts, 'convention': protocol.source, 'feature_network': space.description}
    _write(facts, [one.figures for one in found], there, out, title=f'Distance from real lines: {name}', pictures=pictures)
    print(f'pictures  {", ".join(os.path.join(out, file) for file, _ in pictures)}')


def _write(facts, figures, there, out, *, title, pictures):
    """The result file and its page, a table on the terminal, and the comparison where one is asked for."""
    import os

    from hwgen.evaluation import result_page, results
    result = {**facts, 'figures': results.gather(figures)}
    places = {kind: os.path.join(out, f'{_PROTOCOL.value}.{kind}') for kind in ('json', 'html')}
    compared = None
    results.write_result(places['json'], result)
    print()
    for row in result['figures']:
        print(f'{row["name"]:<32}' + '  '.join(f'{kind.replace("_", " ")} {results.describe(row[kind])}' for kind in results.kinds(row)))
    if there is not None:
        results.check_comparable(result['measured_under'], there['measured_under'], place=_AGAINST.value)
        compared = results.differences(result, there)
        print(f'\nagainst {_AGAINST.value}')
        for row in compared:
            verdict = {True: 'within the spreads', False: 'beyond the spreads', None: ''}[row['within']]
            print(f'{row["name"]:<32}{row["kind"].replace("_", " "):<12} {row["here"]:>9.4g} {row["there"]:>9.4g} {row["difference"]:>+9.3g}  {verdict}')
    page = result_page.format_page(result, title=title, pictures=pictures, differences=compared, against=_AGAINST.value or '')
    result_page.write_page(places['html'], page)
    print(f'\nreport    {places["html"]}, {places["json"]}')


def _measure_hands(writer, facts, out):
    import json
    import os

    from hwgen.data.shards import RecordIndex
    from hwgen.evaluation import hands
    from hwgen.inference import picture_files
    index = RecordIndex(_DATA.value, split='test')
    summary, pictures = hands.hands_protocol(index, writer, seed=_SEED.value, truncation=_TRUNCATION.value)
    os.makedirs(out, exist_ok=True)
    figures, picture = os.path.join(out, 'hands.json'), os.path.join(out, 'hands.png')
    picture_files.write_file(figures, (json.dumps({**facts, **summary}, ensure_ascii=False, indent=1) + '\n').encode())
    blocks = [picture_files.stack(lines[:4], gap=.1) for lines in pictures.values()]
    picture_files.write_file(picture, picture_files.encode_png(picture_files.stack(blocks, gap=.25)))
    print(f'{summary["num_hands"]} hands, {summary["lines_per_hand"]} lines each: attributed to their own hand {summary["identified_generated"]:.3f} '
          f'of the generated lines, {summary["identified_real"]:.3f} of the real ones, {summary["chance"]:.3f} by chance')
    print(f'{summary["num_copies"]} pairs of copies of a character: {summary["equal_copies"]} equal, mean difference {summary["copy_distance"]:.3f}')
    real = summary['hand_distance_real']
    print(f'a character in two hands: mean difference {summary["hand_distance"]:.3f}' + ('' if real is None else f'; by two real writers {real:.3f}'))
    print(f'\nreport    {figures}\npictures  {picture}')
