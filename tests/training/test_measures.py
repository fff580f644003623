"""Words for the figures of a run: every figure and picture has its own, and they say what is good where
that was measured.
"""

import re

import pytest

from hwgen.settings.schedule import PHASES, Schedule
from hwgen.training import measures


@pytest.mark.parametrize(
    'tag, name, good',
    [
        ('loss/pixel', 'rebuilding error', 'below 0.12'),
        ('loss/feature', 'rebuilding error in features', ''),
        ('loss/style_kl', 'nats of style', ''),
        ('loss/noise_kl', 'nats of a character', ''),
        ('loss/sequence_real', 'reading loss', ''),
        ('loss/spatial_real', 'counting loss', ''),
        ('loss/sequence_fake', 'reading loss of written lines', ''),
        ('loss/spatial_fake', 'counting loss of written lines', ''),
        ('loss/discriminator', "discriminator's loss", ''),
        ('loss/discriminator_fake', "generator's loss", ''),
        ('score/real', 'score of real lines', ''),
        ('score/unlabelled', 'score of unlabelled lines', ''),
        ('score/fake', 'score of written lines', ''),
        ('loss/judge', 'what the judge of pairs holds against lines', ''),
        ('loss/judge_drawn', 'what the judge of pairs holds against lines', ''),
        ('judge/loss', "judge's loss", ''),
        ('judge/loss_drawn', "judge's loss", ''),
        ('judge/right', 'pairs ranked right', ''),
        ('judge/right_drawn', 'pairs with drawn hands ranked right', ''),
        ('judge/margin_drawn', "judge's margin", ''),
        ('judge/r1', "slope of the judge's score", ''),
        ('judge/r2_drawn', "slope of the judge's score", ''),
        ('ink/real', 'mean ink of real lines', ''),
        ('ink/reconstructed', 'mean ink of rebuilt lines', ''),
        ('ink/drawn', 'mean ink of drawn lines', ''),
        ('metric/label_error_real', 'misread of real lines', 'below 0.4'),
        ('metric/label_error_fake', 'misread of written lines', ''),
        ('metric/label_error_validation_512', 'misread of real lines of unseen writers', 'below 0.4'),
        ('metric/label_error_seen_8', 'misread of written lines, characters with images', ''),
        ('metric/label_error_unseen_8', 'misread of written lines, characters without images', ''),
        ('grad/generator_norm', 'norm of the gradient', ''),
        ('grad/judge_norm', 'norm of the gradient', ''),
        ('grad/judge_drawn', 'size of a gradient on the image', ''),
        ('grad/reading_scale', 'factor of a gradient on the image', ''),
        ('grad/darker_drawn', 'how far the judge asks for ink', ''),
        ('grad/sigma_spatial', 'spread of a gradient on the image', ''),
        ('time/steps_per_sec', 'steps a second', ''),
        ('time/data_wait_share', 'share of the time that steps waited for lines', ''),
        ('seen', 'sheet of characters with images', ''),
        ('unseen', 'sheet of characters without images', ''),
        ('one_style', 'sheet of one hand', ''),
        ('one_text', 'sheet of one text', ''),
        ('real_above_reconstruction', 'real lines, each above its rebuilding', ''),
        ('spatial_perception', 'where SPM sees components', ''),
        ('texts', 'texts of the sheets', ''),
    ],
)
def test_every_figure_and_picture_has_its_words(tag, name, good):
    """A tag is taken whole: `loss/discriminator` is not `loss/discriminator_fake`, `seen` not `unseen`."""
    assert measures.words(tag) == name
    assert measures.tell(tag, 0.123456) == f'{name} 0.123' + (f' (good: {good})' if good else '')
    said = measures.describe(tag)
    assert said.endswith(f' Good: {good}.') if good else 'Good:' not in said
    assert re.match('[A-Z]', said) and said.endswith('.') and len(said) > 25
    assert measures.words(f'x{tag}') != name and measures.words(f'{tag}/x') != name


def test_a_figure_without_words_is_called_by_its_tag():
    assert (
        measures.words('loss/other') == measures.describe('loss/other') == 'loss/other'
        and measures.tell('loss/other', 1234.5) == 'loss/other 1.23e+03'
    )


def test_phases_are_counted_without_those_that_have_no_steps():
    names = ('recognisers', 'generator by rebuilding', 'generator against discriminator')
    for number, (phase, name) in enumerate(zip(PHASES, names), 1):
        assert measures.phase_name(phase, Schedule(1, 2, 3)) == f'phase {number} of 3 ({name})'
    assert (
        measures.phase_name('adversarial', Schedule(4, 0, 1))
        == 'phase 2 of 2 (generator against discriminator)'
    )


def test_the_progress_line_shows_what_each_phase_learns():
    """First what the phase is about; all of it has words."""
    assert set(measures.SHOWN) == set(PHASES)
    assert measures.SHOWN['recognizers'] == (
        'metric/label_error_real',
        'loss/sequence_real',
        'loss/spatial_real',
    )
    assert measures.SHOWN['reconstruction'] == (
        'loss/pixel',
        'loss/feature',
        'loss/style_kl',
        'loss/noise_kl',
        'metric/label_error_real',
    )
    assert measures.SHOWN['adversarial'] == (
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
    )
    assert all(measures.words(tag) != tag for shown in measures.SHOWN.values() for tag in shown)
