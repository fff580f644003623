"""Protocol reader: an independent reader reads real lines and generated ones of the same texts."""

from typing import Any

from hwgen.evaluation.measuring.splits import SPLITS
from hwgen.evaluation.protocols.protocol import KINDS, Findings, Option, Protocol, Request
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
PP-OCR, a reader that this project never trained nor trains with, reads real lines and lines that the model
wrote with the same texts. The result is the character error rate (CER) of each kind, with its number of
lines and characters and a 95 % interval:
  real seen         lines by writers that are not in the training lines: the floor, what the reader can do
  real unseen       the same, every character one of those that have no image in training
  generated seen    the model's lines with the texts of `real seen`
  generated unseen  the model's lines with the texts of `real unseen`: characters it never saw
  punctuation, digits, latin  lines that hold many of these, a quarter as many of each kind: marks between
                    words, dates and numbers, English words, by writers of the embedded corpus (real) and by
                    the model; only the places of these symbols count, and a table tells symbol by symbol
--out receives reader.md, reader.tsv (every line with its reading) and reader.png (real beside generated,
the readings below) besides, of the first seed. The reader comes with the optional packages rapidocr and
onnxruntime: bin/evaluate installs them on first use (about 60 MB); elsewhere `pip install
"hwgen[reader]"`."""


class Reader(Protocol):
    """Character errors of PP-OCR."""

    name = 'reader'
    place = 0
    summary = 'Can an independent reader read it?'
    title = 'What an independent reader makes of it'
    description = _DESCRIPTION
    examples = (
        '',
        '--model=runs/demo/model --num_lines=500 --out=evaluations/mine',
        '--model= --true_aspect    (real lines only: what the reader makes of a collection)',
    )
    judges = ('reader',)
    splits = tuple(SPLITS)
    num_lines = 200
    real_alone = True
    options = (
        Option('crop', False, 'cut every line, real or generated, to its ink before it is read.'),
        Option(
            'true_aspect',
            False,
            'read real lines also as wide as they were written, not only scaled to the cells of the model.',
        ),
        Option('sheet_lines', 12, 'lines of each kind on the picture.'),
    )
    directions = {'cer': 'lower'}
    kinds = KINDS

    def conditions(self, request: Request) -> dict[str, Any]:
        """Lines that are cut are others."""
        return {'crop': request.options['crop']}

    def measure(self, task: Task) -> Findings:
        """Has real and generated lines read, and lines of punctuation, digits and Latin letters."""
        from hwgen.evaluation.measuring import reading, symbol_reading

        reader, crop = task.judges['reader'], task.options['crop']
        figures, tables = [], []
        conditions: list[reading.Condition] = []
        digests: dict[str, list[str]] = {'lines_sha256': [], 'symbol_lines_sha256': []}
        indices = {split: task.index(split) for split in SPLITS if split in task.info['splits']}
        for seed in task.seeds:
            options = {
                'model': task.model,
                'num_lines': task.num_lines,
                'seed': seed,
                'crop': crop,
                'truncation': task.truncation,
                'report': lambda line, seed=seed: task.report(f'seed {seed}: {line}'),
            }
            true_aspect = task.options['true_aspect']
            found = reading.reader_protocol(reader, indices, true_aspect=true_aspect, **options)
            of_symbols, table = symbol_reading.read_symbols(reader, info=task.info, **options)
            figures.append(reading.reading_figures(found + of_symbols))
            digests['lines_sha256'].append(reading.texts_digest(found))
            digests['symbol_lines_sha256'].append(reading.texts_digest(of_symbols))
            conditions = conditions or found + of_symbols
            tables.append(table)
        symbols = symbol_reading.summed(tables)
        of_kinds = {f'{side}_{kind}' for side in ('real', 'generated') for kind in symbol_reading.KINDS}
        interval_seed = reading.bootstrap_seed(task.seeds[0])
        summaries = [condition.summary(seed=interval_seed) for condition in conditions]
        facts = {
            'reader': reader.name,
            'num_lines': task.num_lines,
            'crop': crop,
            'conditions': [row for row in summaries if row['name'] not in of_kinds],
            'symbol_conditions': [row for row in summaries if row['name'] in of_kinds],
            'symbols': symbols,
        }
        return Findings(figures, facts, digests, samples=(conditions, summaries))

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """The report of the first seed: every line with its reading."""
        from PIL import ImageFont

        from hwgen.data.scribe import fonts
        from hwgen.evaluation.measuring import reading_report, symbol_reading

        conditions, summaries = found.samples
        facts = {name: found.facts[name] for name in ('reader', 'num_lines', 'crop')}
        paths = reading_report.write_report(
            task.out,
            conditions,
            summaries,
            title=self.title,
            facts={**task.facts, 'seeds': task.seeds, **facts},
            font=ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), reading_report.TEXT_PX),
            lines_on_sheet=task.options['sheet_lines'],
            further=symbol_reading.format_markdown(found.facts['symbols']),
        )
        task.report(
            f'\n{"seed " + str(task.seeds[0]):<28}{"N lines":>8}{"N chars":>9}{"CER":>8}   95 % interval'
        )
        for row in summaries:
            task.report(
                f'{row["name"].replace("_", " "):<28}{row["num_lines"]:>8}'
                f'{row["num_characters"]:>9}{row["cer"]:>8.3f}   '
                f'{row["cer_95_low"]:.3f} to {row["cer_95_high"]:.3f}'
            )
        return [(paths['png'].name, 'Real beside generated, and what was read')]

    def conclude(self, task: Task, found: Findings, result: dict[str, Any] | None) -> None:
        """Tells where the lines are."""
        task.report(f'lines     {task.place("reader.md")}, {task.place("reader.tsv")}')
