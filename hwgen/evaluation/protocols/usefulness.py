"""Protocol usefulness: does what it writes teach as much as what it learned from?"""

from typing import Any

from hwgen.evaluation.protocols.protocol import Findings, Option, Protocol, ProtocolError, Request
from hwgen.evaluation.protocols.task import Task

_PEOPLE_COPIES = 5  # of each numeral by each of the people
_PICTURES_PX = (32, 64)
_DESCRIPTION = """\
A small network learns characters that are taken for one another from what the model writes, another one
from as many lines of the corpus that the model learned from (the same texts, by as many of its training
writers, scaled to the model's cells: floor), a third one from these as they were written (as_written). All
read hands that taught nothing: simulated ones of the other kind (pens for a corpus of fonts, fonts for one
of pens, held-out writers of both for a corpus of both), and people's numerals where --numbers names them.
reads_* is the share read right; loss_* is what the network taught by the model reads less. A writer is
good when it loses at most 2 points. Drawn styles are as wide as --truncation; as wide as in training with
--truncation=1. --out receives usefulness.md (95 % intervals over networks and hands, paired for the losses;
verdicts) and usefulness_lines.png besides."""


class Usefulness(Protocol):
    """What written characters teach, beside as many of the corpus."""

    name = 'usefulness'
    place = 12
    summary = 'Does what it writes teach as much as what it learned from?'
    title = 'What it teaches, beside what it learned from'
    description = _DESCRIPTION
    examples = ('--protocol=usefulness --truncation=1 --numbers=handwritten_numbers.npz',)
    splits = ('test',)
    num_lines = 2000
    options = (
        Option(
            'numbers',
            None,
            "people's numerals: an .npz of images, code, writer and sample (docs/evaluation.md). Default:"
            ' none, people are left out. Example: --numbers=handwritten_numbers.npz.',
        ),
        Option('network_steps', 1200, 'steps of each small network, of 64 pictures.'),
        Option('picture_px', _PICTURES_PX[0], 'height and width of the pictures that are learned: 32 or 64.'),
        Option('lookalikes', 158, 'characters that are told apart, at most; the numerals are first.'),
        Option('tested_hands', 40, 'simulated hands of each kind that are read, at most.'),
    )
    directions = {'reads': None, 'loss': 'lower'}
    kinds = {
        'generated': 'taught by the model; of a loss: beside the corpus in the cells of the model',
        'floor': "taught by the corpus, in the model's cells: what a writer without loss could reach",
        'as_written': 'taught by the corpus as it was written; of a loss: beside that',
    }

    def open(self, request: Request) -> Any:
        """People's scans: uint8 [people, 15, copies, H, W] and the SHA-256 of their file; None: none."""
        import hashlib
        import pathlib

        from hwgen.evaluation.measuring import people

        if request.options['picture_px'] not in _PICTURES_PX:
            raise ProtocolError(f'--picture_px={request.options["picture_px"]}: expected 32 or 64')
        path = request.options['numbers']
        if not path:
            return None
        if not pathlib.Path(path).is_file():
            raise ProtocolError(f"--numbers={path}: no such file; expected an .npz of people's numerals")
        scans = people.read_people(path)
        return scans, hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()

    def conditions(self, request: Request) -> dict[str, Any]:
        """Other networks and other hands give other figures."""
        names = ('network_steps', 'picture_px', 'lookalikes', 'tested_hands')
        return {name: request.options[name] for name in names}

    def measure(self, task: Task) -> Findings:
        """Teaches three networks for every seed, and has them read."""
        from hwgen.evaluation.measuring import usefulness, usefulness_lines, usefulness_report

        options = task.options
        plan = usefulness_lines.plan_of(task.info)
        characters = usefulness_lines.choose_characters(task.info, count=options['lookalikes'])
        sizes = {'side_px': options['picture_px']}
        tested = usefulness.draw_tested(plan, characters, num_hands=options['tested_hands'], **sizes)
        digests = usefulness.digests_of(tested)
        left_out = None
        if task.opened is None:
            left_out = 'people: no --numbers'
            task.report('people are left out: --numbers names no file')
        else:
            of_people = usefulness.people_tested(task.opened[0], characters, copies=_PEOPLE_COPIES, **sizes)
            if not of_people:
                left_out = 'people: fewer than two numerals are told apart'
                task.report('people are left out: fewer than two numerals are told apart')
            tested |= of_people
        found = [
            usefulness.teach(
                task.model,
                plan,
                characters,
                tested,
                num_lines=task.num_lines or self.num_lines,
                steps=options['network_steps'],
                seed=seed,
                truncation=task.truncation,
                report=task.report,
                **sizes,
            )
            for seed in task.seeds
        ]
        rows = usefulness_report.intervals(found, seed=task.seeds[0])
        facts = {
            'characters': characters,
            'num_lines': [one.num_lines for one in found],
            'num_hands': [one.num_hands for one in found],
            'num_pictures': [one.num_pictures for one in found],
            'cells_px': [task.model.char_px, task.model.char_width_px],
            'conditions': rows,
            'left_out': left_out,
        }
        under = {
            'cells': {'char_px': task.model.char_px, 'char_width_px': task.model.char_width_px},
            'lines_sha256': [one.digest for one in found],
            'tested_sha256': digests,
        }
        if task.opened is not None:
            under['numbers_sha256'] = task.opened[1]
        figures = [usefulness.figures(one) for one in found]
        return Findings(figures, facts, under, samples=(found[0], tested, characters))

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """What taught and what was read, and the table of intervals."""
        from PIL import ImageFont

        from hwgen import files
        from hwgen.data.scribe import fonts
        from hwgen.evaluation.measuring import usefulness_report

        table = usefulness_report.format_markdown(found.facts['conditions'])
        files.write_file(task.place('usefulness.md'), table.encode())
        names = {'characters': 'usefulness.png', 'lines': 'usefulness_lines.png'}
        usefulness_report.write_sheets(
            {kind: task.place(name) for kind, name in names.items()},
            *found.samples,
            font=ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), 18),
        )
        return [
            (names['characters'], 'Characters as the networks see them: what taught, and what was read'),
            (
                names['lines'],
                "Lines by the corpus' writers in the model's cells, and the same texts by the model",
            ),
        ]

    def conclude(self, task: Task, found: Findings, result: dict[str, Any] | None) -> None:
        """Tells the losses and what they mean."""
        for row in found.facts['conditions']:
            loss, low, high = row['loss']
            task.report(
                f'{row["tested"].replace("_", " ")}, {row["num_pictures"]} pictures by {row["num_hands"]}'
                f' hands, {row["num_networks"]} networks: lost {loss:+.3f} ({low:+.3f} to {high:+.3f}),'
                f' {row["verdict"]}'
            )
        task.report(f'intervals {task.place("usefulness.md")}')
