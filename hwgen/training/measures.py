"""What the figures and pictures of a run are called, what they mean, and what is good; for the progress
line and TensorBoard.
"""

import re

from hwgen.training.interface import Plan

PHASE_NAMES = dict(
    recognizers='recognisers',
    reconstruction='generator by rebuilding',
    adversarial='generator against discriminator',
)
SHOWN = {  # what the progress line tells of each phase
    'recognizers': ('metric/label_error_real', 'loss/sequence_real', 'loss/spatial_real'),
    'reconstruction': (
        'loss/pixel',
        'loss/feature',
        'loss/style_kl',
        'loss/noise_kl',
        'metric/label_error_real',
    ),
    'adversarial': (
        'score/real',
        'score/unlabelled',
        'score/fake',
        'judge/right',
        'judge/right_drawn',
        'ink/real',
        'ink/reconstructed',
        'ink/drawn',
        'metric/label_error_fake',
        'loss/pixel',
        'loss/feature',
        'metric/label_error_real',
    ),
}
# tag, as a regular expression: what a person calls it, what is good (measured: docs/results/recipe.md) or '',
# what it is.
_MEASURES = [
    (re.compile(tag), words, good, means)
    for tag, words, good, means in (
        (
            r'loss/pixel',
            'rebuilding error',
            'below 0.12',
            (
                'Mean difference of a real line and the line that the generator writes from its text and'
                ' style, per pixel. Falls. saved_models/demo ended at 0.12, one fine-tuned on a single'
                ' hand at 0.06.'
            ),
        ),
        (
            r'loss/feature',
            'rebuilding error in features',
            '',
            'The same, seen through the recognisers: whether strokes are where they should be. Falls.',
        ),
        (
            r'loss/style_kl',
            'nats of style',
            '',
            (
                'How much the style vector tells of a line, in nats. Near 0 all hands are one; it settles at'
                ' tens.'
            ),
        ),
        (
            r'loss/noise_kl',
            'nats of a character',
            '',
            "How much a character's own noise tells of it, in nats. Settles at a few.",
        ),
        (
            r'loss/noise_prior',
            'nats of a character beyond its prior',
            '',
            'How far the noise of a character lies from what --noise_prior=learned says of it, in nats. Falls'
            ' below loss/noise_kl.',
        ),
        (
            r'loss/sequence_real',
            'reading loss',
            '',
            'CTC loss of the sequence recogniser (SRM) on real lines, per character. Falls.',
        ),
        (
            r'loss/spatial_real',
            'counting loss',
            '',
            'ACE loss of the spatial recogniser (SPM) on real lines. Falls.',
        ),
        (
            r'loss/sequence_fake',
            'reading loss of written lines',
            '',
            (
                'CTC loss of the frozen SRM on written lines, per character. Falls where they become readable'
                ' to it.'
            ),
        ),
        (
            r'loss/spatial_fake',
            'counting loss of written lines',
            '',
            'ACE loss of the frozen SPM on written lines. Falls likewise.',
        ),
        (
            r'loss/discriminator',
            "discriminator's loss",
            '',
            (
                'Hinge loss of the discriminator: 2 where it cannot tell real from written lines, 0 where it'
                ' always can.'
            ),
        ),
        (
            r'loss/discriminator_fake',
            "generator's loss",
            '',
            'Hinge loss of the generator: minus the score of its lines.',
        ),
        (
            r'score/real',
            'score of real lines',
            '',
            (
                "The discriminator's mean score of real lines. While it stays near that of written ones,"
                ' neither side has won.'
            ),
        ),
        (
            r'score/unlabelled',
            'score of unlabelled lines',
            '',
            (
                "The discriminator's mean score of --unlabelled lines; expected near that of the other real"
                ' ones.'
            ),
        ),
        (r'score/fake', 'score of written lines', '', "The discriminator's mean score of written lines."),
        (
            r'loss/judge(_drawn)?',
            'what the judge of pairs holds against lines',
            '',
            (
                "The generator's pairing loss: 0.69 where the judge cannot tell real from written lines, more"
                ' where it can. Of reconstructions, or of lines in drawn hands.'
            ),
        ),
        (
            r'judge/loss(_drawn)?',
            "judge's loss",
            '',
            (
                "The judge's pairing loss: 0.69 where it cannot tell the lines of a pair apart, 0 where it"
                ' always can. Of pairs with reconstructions, or with lines in drawn hands.'
            ),
        ),
        (
            r'judge/right',
            'pairs ranked right',
            '',
            (
                'Share of the pairs of a real line and its reconstruction whose real line the judge takes for'
                ' the more real; 0.5 is guessing. It was 0.71 to 0.79 where the game paid.'
            ),
        ),
        (
            r'judge/right_drawn',
            'pairs with drawn hands ranked right',
            '',
            (
                'The same of pairs of a real line and the same text in a drawn hand. It was 0.48 to 0.60'
                ' where the game paid.'
            ),
        ),
        (
            r'judge/margin(_drawn)?',
            "judge's margin",
            '',
            'Mean score of real lines less that of written ones, a patch.',
        ),
        (
            r'judge/r[12](_drawn)?',
            "slope of the judge's score",
            '',
            (
                "Squared norm of the gradient of the judge's score on its input, a patch: R1 on real lines,"
                ' R2 on written ones.'
            ),
        ),
        (
            r'ink/real',
            'mean ink of real lines',
            '',
            'Mean ink of the real lines of the step: 0 is paper, 1 a black line.',
        ),
        (
            r'ink/reconstructed',
            'mean ink of rebuilt lines',
            '',
            'The same of their reconstructions. It should come to agree with that of the real lines.',
        ),
        (
            r'ink/drawn',
            'mean ink of drawn lines',
            '',
            'The same of lines in drawn hands. Likewise, over many steps.',
        ),
        (
            r'metric/label_error_real',
            'misread of real lines',
            'below 0.4',
            (
                'Share of the labels (structures and components) that SRM misreads on the real lines of the'
                ' step. Falls; 0.4 on unseen writers was good enough to teach the generator.'
            ),
        ),
        (
            r'metric/label_error_fake',
            'misread of written lines',
            '',
            (
                "Share of the labels that the run's own SRM misreads on written lines. A measure of progress"
                ' only: it taught the generator.'
            ),
        ),
        (
            r'metric/label_error_validation_\d+',
            'misread of real lines of unseen writers',
            'below 0.4',
            (
                'Share of the labels that SRM misreads on real lines of writers that it never saw; the number'
                ' of lines ends the name.'
            ),
        ),
        (
            r'metric/label_error_seen_\d+',
            'misread of written lines, characters with images',
            '',
            (
                "Share of the labels that the run's own SRM misreads on the lines of the sheet `seen`. It"
                ' reads badly what it learned on few lines: after fine-tuning, look at the sheet instead.'
            ),
        ),
        (
            r'metric/label_error_unseen_\d+',
            'misread of written lines, characters without images',
            '',
            'The same on the sheet `unseen`: characters that had no image in training.',
        ),
        (
            r'grad/\w+_norm',
            'norm of the gradient',
            '',
            (
                'Norm of the gradient before clipping (--clip_norm). Finite, and not growing over thousands'
                ' of steps.'
            ),
        ),
        (
            r'grad/(reconstruction|judge|judge_drawn|reading)',
            'size of a gradient on the image',
            '',
            (
                "Root mean square of a gradient on the image: the reconstruction's, the judge's on"
                " reconstructions and on lines in drawn hands, SRM's on the latter."
            ),
        ),
        (
            r'grad/(judge|reading)_scale',
            'factor of a gradient on the image',
            '',
            (
                "What the judge's or SRM's gradient is multiplied by: its weight, or less where that would"
                " pass its share of the reconstruction's."
            ),
        ),
        (
            r'grad/darker(_drawn)?',
            'how far the judge asks for ink',
            '',
            (
                "Cosine of the judge's gradient and the ink of the lines: 1 if it asks for nothing but darker"
                ' ink, -1 for paler. Near 0 it asks for something else.'
            ),
        ),
        (
            r'grad/sigma_\w+',
            'spread of a gradient on the image',
            '',
            (
                "Standard deviation of one judge's gradient on the image, before the balance brings it to"
                ' that of the reference.'
            ),
        ),
        (r'time/steps_per_sec', 'steps a second', '', 'Speed, without sheets and checkpoints.'),
        (
            r'time/data_wait_share',
            'share of the time that steps waited for lines',
            '',
            'Near 0, unless reading the lines is slower than the steps.',
        ),
        (
            r'seen',
            'sheet of characters with images',
            '',
            'Eight fixed texts of characters that have images in the training lines, in eight fixed hands.',
        ),
        (
            r'unseen',
            'sheet of characters without images',
            '',
            'The same with characters that have none: written from their components alone.',
        ),
        (r'one_style', 'sheet of one hand', '', 'Different texts in one hand: it should stay itself.'),
        (r'one_text', 'sheet of one text', '', 'One text in eight hands: they should differ as hands do.'),
        (
            r'real_above_reconstruction',
            'real lines, each above its rebuilding',
            '',
            (
                'Six real lines, each above the line that the generator writes from its text and style. They'
                ' should become alike.'
            ),
        ),
        (
            r'spatial_perception',
            'where SPM sees components',
            '',
            (
                'Six real lines; red where the spatial recogniser sees one of the components of the line. In'
                ' phase 1 it should settle on the strokes.'
            ),
        ),
        (r'texts', 'texts of the sheets', '', 'What the sheets should read, row by row.'),
    )
]


def words(tag: str) -> str:
    """What a person calls a figure or a picture."""
    return _entry(tag)[0]


def describe(tag: str) -> str:
    """Its description, with what is good where that was measured."""
    _, good, means = _entry(tag)
    return means + (f' Good: {good}.' if good else '')


def tell(tag: str, value: float) -> str:
    """A figure for the progress line: `rebuilding error 0.17 (good: below 0.12)`."""
    name, good, _ = _entry(tag)
    return f'{name} {value:.3g}' + (f' (good: {good})' if good else '')


def phase_name(phase: str, plan: Plan) -> str:
    """`phase 2 of 3 (generator by rebuilding)`; phases without steps do not count."""
    phases = list(plan.phases())
    return f'phase {phases.index(phase) + 1} of {len(phases)} ({PHASE_NAMES.get(phase, phase)})'


def _entry(tag):
    for pattern, *entry in _MEASURES:
        if pattern.fullmatch(tag):
            return entry
    return tag, '', tag
