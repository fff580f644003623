"""What `evaluate` does for the protocols reader, hands, hct, scrabblegan, ganwriting and hwd, and the report that all protocols write."""

import dataclasses
import os

from PIL import ImageFont

from hwgen import files
from hwgen.charset.printable import as_json
from hwgen.data.scribe import fonts
from hwgen.data.shards import RecordIndex
from hwgen.evaluation import distribution_protocol as distances
from hwgen.evaluation import hands, protocols, report, result_page, results, symbol_reading
from hwgen.inference import picture_files


def say(line):
    """Tells about progress."""
    print(line, flush=True)


@dataclasses.dataclass
class Task:
    """What is to be measured, and where the report goes.

    Attributes:
        protocol: str.
        data: str, folder of the records; split: str, of those protocols that take any; info: dict, its info.json.
        judges: dict of `space`, `reader`, `component_reader`, those that the protocol needs.
        writer: Writer or another system, or None.
        out: str, folder of the report.
        seeds: list of int.
        num_lines: int or None: what the protocol says.
        truncation: float.
        measured_under: dict of JSON values, what must be equal for two results to be comparable.
        facts: dict of JSON values, what else the figures depend on.
        there: dict, a result to compare with, or None; against: str, its file.
    """

    protocol: str
    data: str
    split: str
    info: dict
    judges: dict
    writer: object
    out: str
    seeds: list
    num_lines: int | None
    truncation: float
    measured_under: dict
    facts: dict
    there: dict | None
    against: str | None

    def index(self, split=None):
        """RecordIndex of a split; None: the task's own."""
        return RecordIndex(self.data, split=split or self.split)

    def place(self, name):
        """Path of a file of the report, whose folder is made."""
        os.makedirs(self.out, exist_ok=True)
        return os.path.join(self.out, name)

    def write(self, figures, *, title, pictures=(), by_system=False, **facts):
        """The result file and its page, a table on the terminal, and the comparison where one is asked for.

        Args:
            figures: list, one a seed, for `results.gather`.
            title: str.
            pictures: list of (file name in `out`, caption).
            by_system: bool, the kinds are systems that were compared.
            **facts: JSON values besides those of the task.

        Returns:
            list of `results.gather`.
        """
        result = {**self.facts, 'seeds': self.seeds, **facts, 'measured_under': self.measured_under, 'figures': results.gather(figures)}
        places, compared = {kind: self.place(f'{self.protocol}.{kind}') for kind in ('json', 'html')}, None
        results.write_result(places['json'], result)
        print()
        for row in result['figures']:
            print(f'{row["name"]:<32} ' + '  '.join(f'{kind.replace("_", " ")} {results.describe(row[kind])}' for kind in results.kinds(row)))
        if self.there is not None:
            results.check_comparable(self.measured_under, self.there['measured_under'], place=self.against)
            compared = results.differences(result, self.there)
            print(f'\nagainst {self.against}')
            for row in compared:
                verdict = {True: 'within the spreads', False: 'beyond the spreads', None: ''}[row['within']]
                print(f'{row["name"]:<32}{row["kind"].replace("_", " "):<12} {row["here"]:>9.4g} {row["there"]:>9.4g} {row["difference"]:>+9.3g}  {verdict}')
        page = result_page.format_page(result, title=title, pictures=pictures, differences=compared, against=self.against or '', systems=by_system)
        result_page.write_page(places['html'], page)
        print(f'\nreport    {places["html"]}, {places["json"]}')
        if pictures:
            print(f'pictures  {", ".join(os.path.join(self.out, name) for name, _ in pictures)}')
        return result['figures']


def measure_reading(task, *, crop, true_aspect, sheet_lines):
    """Protocol reader.

    Args:
        task: Task.
        crop: bool, lines are cut to their ink.
        true_aspect: bool, real lines are also read as wide as they were written.
        sheet_lines: int, lines of each kind on the picture.
    """
    reader, figures, conditions, symbols = task.judges['reader'], [], None, []
    indices = {split: task.index(split) for split in protocols.SPLITS if split in task.info['splits']}
    for seed in task.seeds:
        options = dict(writer=task.writer, num_lines=task.num_lines, seed=seed, crop=crop, truncation=task.truncation,
                       report=lambda line, seed=seed: say(f'seed {seed}: {line}'))
        found = protocols.reader_protocol(reader, indices, true_aspect=true_aspect, **options)
        of_symbols, table = symbol_reading.read_symbols(reader, info=task.info, **options)
        figures.append(protocols.reading_figures(found + of_symbols))
        for name, lines in (('lines_sha256', found), ('symbol_lines_sha256', of_symbols)):
            task.measured_under.setdefault(name, []).append(protocols.texts_digest(lines))
        conditions = conditions or found + of_symbols
        symbols.append(table)
    symbols, of_kinds = symbol_reading.summed(symbols), {f'{side}_{kind}' for side in ('real', 'generated') for kind in symbol_reading.KINDS}
    summaries = [condition.summary(seed=protocols.bootstrap_seed(task.seeds[0])) for condition in conditions]
    facts = {'reader': reader.name, 'num_lines': task.num_lines, 'crop': crop}
    title = 'What an independent reader makes of it'
    paths = report.write_report(task.out, conditions, summaries, title=title, facts={**task.facts, 'seeds': task.seeds, **facts},
                                font=ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), report.TEXT_PX), lines_on_sheet=sheet_lines,
                                further=symbol_reading.format_markdown(symbols))
    print(f'\n{"seed " + str(task.seeds[0]):<28}{"N lines":>8}{"N chars":>9}{"CER":>8}   95 % interval')
    for row in summaries:
        print(f'{row["name"].replace("_", " "):<28}{row["num_lines"]:>8}{row["num_characters"]:>9}{row["cer"]:>8.3f}   '
              f'{row["cer_95_low"]:.3f} to {row["cer_95_high"]:.3f}')
    task.write(figures, title=title, pictures=[(paths['png'].name, 'Real beside generated, and what was read')], **facts,
               conditions=[row for row in summaries if row['name'] not in of_kinds], symbol_conditions=[row for row in summaries if row['name'] in of_kinds], symbols=symbols)
    print(f'lines     {paths["md"]}, {paths["tsv"]}')


def measure_distances(task):
    """Protocols hct, scrabblegan, ganwriting and hwd.

    Args:
        task: Task.
    """
    name, space, writer, training, training_index = task.protocol, task.judges['space'], task.writer, None, None
    protocol, cells = distances.PROTOCOLS[name], dict(char_px=32, char_width_px=32)
    if writer is not None:
        cells = dict(char_px=writer.char_px, char_width_px=writer.char_width_px)
    if protocol.memorization and 'train' in task.info['splits']:
        training_index = task.index('train')
        training = distances.training_features(training_index, name, space=space, cells=cells)
        say(f'{len(training)} training lines to look for copies in')
    found = [distances.compare(task.index(), name, space=space, writer=writer, cells=cells, training=training, num_lines=task.num_lines, seed=seed,
                               truncation=task.truncation, report=say) for seed in task.seeds]
    task.measured_under |= {'cells': cells, 'lines_sha256': [one.digest for one in found]}
    pictures = [(f'{name}.png', 'Real lines, and beside them generated ones of the same texts' if writer is not None else 'Real lines')]
    result_page.write_sheet(task.place(pictures[0][0]), found[0].sheet)
    if found[0].copies:
        pictures.append((f'{name}_copies.png', 'Generated lines that lie closest to a training line, and that line'))
        numbers = distances.training_lines(training_index)
        result_page.write_sheet(task.place(pictures[1][0]), [[image, training_index.read_record(int(numbers[place])).image] for image, place in found[0].copies])
    task.write([one.figures for one in found], title=f'Distance from real lines: {name}', pictures=pictures, convention=protocol.source, feature_network=space.description)


def measure_hands(task):
    """Protocol hands, for the first seed.

    Args:
        task: Task.
    """
    summary, pictures = hands.hands_protocol(task.index('test'), task.writer, seed=task.seeds[0], truncation=task.truncation)
    figures, picture = task.place('hands.json'), task.place('hands.png')
    files.write_json(figures, as_json({**task.facts, **summary}))
    blocks = [picture_files.stack(lines[:4], gap=.1) for lines in pictures.values()]
    files.write_file(picture, picture_files.encode_png(picture_files.stack(blocks, gap=.25)))
    print(f'{summary["num_hands"]} hands, {summary["lines_per_hand"]} lines each: attributed to their own hand {summary["identified_generated"]:.3f} '
          f'of the generated lines, {summary["identified_real"]:.3f} of the real ones, {summary["chance"]:.3f} by chance')
    print(f'{summary["num_copies"]} pairs of copies of a character: {summary["equal_copies"]} equal, mean difference {summary["copy_distance"]:.3f}')
    real = summary['hand_distance_real']
    print(f'a character in two hands: mean difference {summary["hand_distance"]:.3f}' + ('' if real is None else f'; by two real writers {real:.3f}'))
    print(f'\nreport    {figures}\npictures  {picture}')
