"""Measures what a trained model writes.

--protocol=reader: PP-OCR, a reader that this project never trained nor trains with, reads real lines and lines that the model wrote with the same
texts. The result is the character error rate (CER) of each kind, with its number of lines and characters and a 95 % interval:
  real seen         lines by writers that are not in the training lines: the floor, what the reader can do
  real unseen       the same, every character one of those that have no image in training
  generated seen    the model's lines with the texts of `real seen`
  generated unseen  the model's lines with the texts of `real unseen`: characters it never saw

--out receives reader.json and reader.md (the figures), reader.tsv (every line with its reading) and reader.png (real beside generated, the
readings below). The same flags give the same figures.

The reader comes with the optional packages rapidocr and onnxruntime: bin/evaluate installs them on first use (about 60 MB); elsewhere
`pip install "hwgen[reader]"`.

Examples:
  evaluate
  evaluate --model=runs/demo/model --num_lines=500 --out=evaluations/mine
  evaluate --model= --true_aspect    (real lines only: what the reader makes of a collection)
"""

from absl import flags

from hwgen.cli.app import UserError, resource_path

_PROTOCOL = flags.DEFINE_enum('protocol', 'reader', ['reader'], 'What is measured. reader: can an independent reader read it?')
_MODEL = flags.DEFINE_string('model', None, 'Folder of the model, as train writes it. Default: saved_models/demo, the one that ships. Empty: none, real '
                             'lines only. Example: --model=runs/demo/model.')
_DATA = flags.DEFINE_string('data', 'tfrecords/demo', 'Folder of records with the splits test and unseen. tfrecords/demo is written first if it is '
                            'absent. Example: --data=tfrecords/mine.')
_NUM_LINES = flags.DEFINE_integer('num_lines', 200, 'Lines of each kind, at most. Example: --num_lines=500.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of the choice of lines, of the styles and of the intervals. Example: --seed=1.', lower_bound=0)
_OUT = flags.DEFINE_string('out', 'evaluations/reader', 'Folder of the report; a report there is replaced. Example: --out=evaluations/mine.')
_CROP = flags.DEFINE_bool('crop', False, 'Cut every line, real or generated, to its ink before it is read.')
_TRUE_ASPECT = flags.DEFINE_bool('true_aspect', False, 'Read real lines also as wide as they were written, not only scaled to the cells of the model.')
_TRUNCATION = flags.DEFINE_float('truncation', .6, 'Standard deviation of the styles drawn, by default that of generate: less is plainer. Example: --truncation=1.', lower_bound=0.)
_SHEET_LINES = flags.DEFINE_integer('sheet_lines', 12, 'Lines of each kind on the picture.', lower_bound=1)

_DEMO = 'tfrecords/demo'


def main(arguments):
    """Wires data, model, reader and report together; returns None."""
    del arguments
    import os
    import shlex
    import sys

    from PIL import ImageFont

    import hwgen
    from hwgen.data.scribe import fonts
    from hwgen.data.shards import RecordIndex, read_info
    from hwgen.evaluation import protocols, report
    from hwgen.evaluation.independent_reader import IndependentReader
    reader = IndependentReader()
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
    conditions = protocols.reader_protocol(
        reader, indices, writer=writer, num_lines=_NUM_LINES.value, seed=_SEED.value, true_aspect=_TRUE_ASPECT.value, crop=_CROP.value,
        truncation=_TRUNCATION.value, report=lambda line: print(line, flush=True))
    summaries = [condition.summary(seed=protocols.bootstrap_seed(_SEED.value)) for condition in conditions]
    facts = {'protocol': 'reader', 'reader': reader.name, 'model': _MODEL.value or ('saved_models/demo' if model else 'none'),
             'data': {'folder': _DATA.value, **{name: info[name] for name in ('source', 'version', 'seed') if name in info}},
             'num_lines': _NUM_LINES.value, 'seed': _SEED.value, 'crop': _CROP.value, 'truncation': _TRUNCATION.value,
             'hwgen': hwgen.__version__, 'command': 'evaluate ' + shlex.join(sys.argv[2:])}
    if writer is not None:
        facts['trained'] = {name: value for name, value in writer.description.items() if name in ('step', 'info', 'charset')}
    paths = report.write_report(_OUT.value, conditions, summaries, title='What an independent reader makes of it', facts=facts,
                                font=ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), report.TEXT_PX), lines_on_sheet=_SHEET_LINES.value)
    print(f'\n{"":<28}{"N lines":>8}{"N chars":>9}{"CER":>8}   95 % interval')
    for row in summaries:
        print(f'{row["name"].replace("_", " "):<28}{row["num_lines"]:>8}{row["num_characters"]:>9}{row["cer"]:>8.3f}   '
              f'{row["cer_95_low"]:.3f} to {row["cer_95_high"]:.3f}')
    print(f'\nreport    {paths["md"]}, {paths["json"]}, {paths["tsv"]}\npictures  {paths["png"]}')
