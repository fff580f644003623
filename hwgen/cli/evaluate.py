"""Measures what a trained model writes.

--protocol=reader: PP-OCR, a reader that this project never trained nor trains with, reads real lines and lines that the model wrote with the same
texts. The result is the character error rate (CER) of each kind, with its number of lines and characters and a 95 % interval:
  real seen         lines by writers that are not in the training lines: the floor, what the reader can do
  real unseen       the same, every character one of those that have no image in training
  generated seen    the model's lines with the texts of `real seen`
  generated unseen  the model's lines with the texts of `real unseen`: characters it never saw

--out receives reader.json and reader.md (the figures), reader.tsv (every line with its reading) and reader.png (real beside generated, the
readings below). The same flags give the same figures.

--protocol=hands: can drawn styles be told apart as writers can? Lines of 8 writers, and lines of 8 drawn styles with the same texts, 12 each, are
attributed to the hand whose other lines they resemble most (ink, darkness, stroke width, slant, height, blank columns, centre); and the copies of
a character within one line are compared. --out receives hands.json and hands.png (a block of lines for each drawn style).

The reader comes with the optional packages rapidocr and onnxruntime: bin/evaluate installs them on first use (about 60 MB); elsewhere
`pip install "hwgen[reader]"`.

Examples:
  evaluate
  evaluate --model=runs/demo/model --num_lines=500 --out=evaluations/mine
  evaluate --model= --true_aspect    (real lines only: what the reader makes of a collection)
  evaluate --protocol=hands
"""

from absl import flags

from hwgen.cli.app import UserError, resource_path

_PROTOCOL = flags.DEFINE_enum('protocol', 'reader', ['reader', 'hands'], 'What is measured. reader: can an independent reader read it? '
                             'hands: can its styles be told apart?')
_MODEL = flags.DEFINE_string('model', None, 'Folder of the model, as train writes it. Default: saved_models/demo, the one that ships. Empty: none, real '
                             'lines only. Example: --model=runs/demo/model.')
_DATA = flags.DEFINE_string('data', 'tfrecords/demo', 'Folder of records with the splits test and unseen. tfrecords/demo is written first if it is '
                            'absent. Example: --data=tfrecords/mine.')
_NUM_LINES = flags.DEFINE_integer('num_lines', 200, 'Lines of each kind, at most. Example: --num_lines=500.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of the choice of lines, of the styles and of the intervals. Example: --seed=1.', lower_bound=0)
_OUT = flags.DEFINE_string('out', None, 'Folder of the report; a report there is replaced. Default: evaluations/PROTOCOL. Example: --out=evaluations/mine.')
_CROP = flags.DEFINE_bool('crop', False, 'Cut every line, real or generated, to its ink before it is read.')
_TRUE_ASPECT = flags.DEFINE_bool('true_aspect', False, 'Read real lines also as wide as they were written, not only scaled to the cells of the model.')
_TRUNCATION = flags.DEFINE_float('truncation', .8, 'Standard deviation of the styles drawn, by default that of generate: less is plainer. Example: --truncation=1.', lower_bound=0.)
_SHEET_LINES = flags.DEFINE_integer('sheet_lines', 12, 'Lines of each kind on the picture.', lower_bound=1)

_DEMO = 'tfrecords/demo'


def main(arguments):
    """Wires data, model, reader and report together; returns None."""
    del arguments
    import os

    from hwgen.data.shards import RecordIndex, read_info
    from hwgen.evaluation import protocols
    # Before the corpus is written: what may have to be installed, and what cannot be measured.
    if _PROTOCOL.value == 'reader':
        from hwgen.evaluation.independent_reader import IndependentReader
        reader = IndependentReader()
    elif _MODEL.value == '':
        raise UserError('--protocol=hands with an empty --model: expected the folder of a model')
    if _DATA.value == _DEMO and not os.path.exists(_DEMO):
        print(f'{_DEMO}: not there, writing the embedded corpus (a few minutes, once)', flush=True)
        from hwgen.data import prepare
        prepare.prepare_scribe(_DEMO)
    info = read_info(_DATA.value)
    indices = {split: RecordIndex(_DATA.value, split=split) for split in protocols.SPLITS if split in info['splits']}
    if 'test' not in indices:
        raise UserError(f'{_DATA.value}: no split test; expected a folder with lines by writers that are not in the training lines, it has '
                        f'{", ".join(info["splits"])}')
    model, writer = None, None
    if _MODEL.value != '':
        model = _MODEL.value or str(resource_path('saved_models/demo'))
        from hwgen.inference.writer import Writer
        writer = Writer.load(model)
    facts = _facts(info, writer)
    out = _OUT.value or f'evaluations/{_PROTOCOL.value}'
    if _PROTOCOL.value == 'reader':
        _measure_reading(reader, indices, writer, facts, out)
    else:
        _measure_hands(indices['test'], writer, facts, out)


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


def _measure_reading(reader, indices, writer, facts, out):
    from PIL import ImageFont

    from hwgen.data.scribe import fonts
    from hwgen.evaluation import protocols, report
    conditions = protocols.reader_protocol(
        reader, indices, writer=writer, num_lines=_NUM_LINES.value, seed=_SEED.value, true_aspect=_TRUE_ASPECT.value, crop=_CROP.value,
        truncation=_TRUNCATION.value, report=lambda line: print(line, flush=True))
    summaries = [condition.summary(seed=protocols.bootstrap_seed(_SEED.value)) for condition in conditions]
    facts = {**facts, 'reader': reader.name, 'num_lines': _NUM_LINES.value, 'crop': _CROP.value}
    paths = report.write_report(out, conditions, summaries, title='What an independent reader makes of it', facts=facts,
                                font=ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), report.TEXT_PX), lines_on_sheet=_SHEET_LINES.value)
    print(f'\n{"":<28}{"N lines":>8}{"N chars":>9}{"CER":>8}   95 % interval')
    for row in summaries:
        print(f'{row["name"].replace("_", " "):<28}{row["num_lines"]:>8}{row["num_characters"]:>9}{row["cer"]:>8.3f}   '
              f'{row["cer_95_low"]:.3f} to {row["cer_95_high"]:.3f}')
    print(f'\nreport    {paths["md"]}, {paths["json"]}, {paths["tsv"]}\npictures  {paths["png"]}')


def _measure_hands(index, writer, facts, out):
    import json
    import os

    from hwgen.evaluation import hands
    from hwgen.inference import picture_files
    summary, pictures = hands.hands_protocol(index, writer, seed=_SEED.value, truncation=_TRUNCATION.value)
    os.makedirs(out, exist_ok=True)
    figures, picture = os.path.join(out, 'hands.json'), os.path.join(out, 'hands.png')
    picture_files.write_file(figures, (json.dumps({**facts, **summary}, ensure_ascii=False, indent=1) + '\n').encode())
    blocks = [picture_files.stack(lines[:4], gap=.1) for lines in pictures.values()]
    picture_files.write_file(picture, picture_files.encode_png(picture_files.stack(blocks, gap=.25)))
    print(f'{summary["num_hands"]} hands, {summary["lines_per_hand"]} lines each: attributed to their own hand {summary["identified_generated"]:.3f} '
          f'of the generated lines, {summary["identified_real"]:.3f} of the real ones, {summary["chance"]:.3f} by chance')
    print(f'{summary["num_copies"]} pairs of copies of a character: {summary["equal_copies"]} equal, mean difference {summary["copy_distance"]:.3f}')
    print(f'\nreport    {figures}\npictures  {picture}')
