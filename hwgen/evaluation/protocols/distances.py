"""Protocols hct, scrabblegan, ganwriting and hwd: distances between real and generated lines."""

from hwgen.evaluation.protocols.protocol import KINDS, Findings, Protocol
from hwgen.evaluation.protocols.task import Task

# Which way the figures of distances are better; systems that are compared are measured by the same.
DIRECTIONS = {
    'fid': 'lower',
    'kid': 'lower',
    'geometry': 'lower',
    'hwd': 'lower',
    'is': 'higher',
    'copying': None,
    'copied': None,
}
OTHER_TEXTS = {'other_texts': 'written lines against the real ones that the floor is measured against'}

_HCT = """\
The protocols hct, scrabblegan, ganwriting and hwd measure distances in the features of a network; each cuts
and counts lines as the work of that name does it. Generated lines have the texts of one half of the real
ones; the other half is the floor, real lines against real ones. hct takes whole lines, scaled to the
model's cells, drawn hands, up to 20,000 a half: FID, KID, IS, geometry score (pixels, 5,000), and whether
training lines (up to 10,000) were copied: copying_z far below 0, copied_share above the floor. The names of
the figures hold the feature space and the number of lines: fid_recognizer_250. Compare those of one name
only; with few lines FID is too large, for the floor and the model alike. The network is the project's own,
trained on real lines for this alone (saved_models/features; made anew with --train_features=FOLDER, 20
minutes on two busy cores). What trained the generator cannot judge it and is refused. Inception and HWD's
VGG16 are taken from --feature_weights."""


class Distances(Protocol):
    """What the four have in common; the convention of each stands in `conventions.CONVENTIONS`."""

    judges = ('space',)
    real_alone = True
    directions = DIRECTIONS
    kinds = {**KINDS, **OTHER_TEXTS}

    def measure(self, task: Task) -> Findings:
        """Compares for every seed; where the convention says so, copies of training lines are looked for."""
        from hwgen.evaluation.measuring import conventions, distances

        space, model, training, training_index = task.judges['space'], task.model, None, None
        convention, cells = conventions.CONVENTIONS[self.name], {'char_px': 32, 'char_width_px': 32}
        if model is not None:
            cells = {'char_px': model.char_px, 'char_width_px': model.char_width_px}
        if convention.memorization and 'train' in task.info['splits']:
            training_index = task.index('train')
            training = distances.training_features(training_index, self.name, space=space, cells=cells)
            task.report(f'{len(training)} training lines to look for copies in')
        found = [
            distances.compare(
                task.index(),
                self.name,
                space=space,
                model=model,
                cells=cells,
                training=training,
                num_lines=task.num_lines,
                seed=seed,
                truncation=task.truncation,
                report=task.report,
            )
            for seed in task.seeds
        ]
        return Findings(
            [one.figures for one in found],
            {'convention': convention.source, 'feature_network': space.description},
            {'cells': cells, 'lines_sha256': [one.digest for one in found]},
            samples=(found[0], training_index),
        )

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """Real lines beside generated ones of the same texts; what lies closest to a training line."""
        from hwgen.evaluation.measuring import distances
        from hwgen.evaluation.reporting import picture_sheet

        first, training_index = found.samples
        beside = 'Real lines, and beside them generated ones of the same texts'
        pictures = [(f'{self.name}.png', 'Real lines' if task.model is None else beside)]
        picture_sheet.write_sheet(task.place(pictures[0][0]), first.sheet)
        if first.copies:
            caption = 'Generated lines that lie closest to a training line, and that line'
            pictures.append((f'{self.name}_copies.png', caption))
            numbers = distances.training_lines(training_index)
            rows = [
                [image, training_index.read_record(int(numbers[place])).image]
                for image, place in first.copies
            ]
            picture_sheet.write_sheet(task.place(pictures[1][0]), rows)
        return pictures


class Hct(Distances):
    """As HCT-GAN was measured."""

    name = 'hct'
    title = 'Distance from real lines: hct'
    place = 2
    summary = 'How far is it from real lines, as HCT-GAN (ICPR 2022) was measured?'
    description = _HCT
    examples = (
        '--protocol=hct --model=runs/demo/model --against=evaluations/hct/hct.json --out=evaluations/mine',
    )
    further_splits = ('train',)


class ScrabbleGan(Distances):
    """As ScrabbleGAN was measured."""

    name = 'scrabblegan'
    title = 'Distance from real lines: scrabblegan'
    place = 3
    summary = 'How far is it from real lines, as ScrabbleGAN (CVPR 2020) was measured?'
    description = 'As hct, on the whole split; for Inception lines are 299 px high and as wide as they are.'
    square = False


class GanWriting(Distances):
    """As GANwriting was measured."""

    name = 'ganwriting'
    title = 'Distance from real lines: ganwriting'
    place = 4
    summary = 'How far is it from real lines, as GANwriting (ECCV 2020) was measured?'
    description = """\
The left 64 px of the line at 64 px, in the hands of the real writers (read from up to 15 lines of the other
half): FID, KID, IS."""


class Hwd(Distances):
    """Handwriting distance."""

    name = 'hwd'
    title = 'Distance from real lines: hwd'
    place = 5
    summary = 'How far is it from the lines of the same writer, by handwriting distance (BMVC 2023)?'
    description = """\
Handwriting distance (HWD) of whole lines, writer by writer, in their hands; FID, KID, IS on squares as high
as the line."""
    kinds = {**Distances.kinds, 'other_hands': 'the mean distance between two different writers'}
    examples = ('--protocol=hwd --feature_space=vgg16_hwd --feature_weights=vgg16_10400.onnx',)
