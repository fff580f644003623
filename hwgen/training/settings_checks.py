"""Settings of a training that do not go together, as far as that is known before anything is read."""

import os

from hwgen.inference.model_folder import find_shipped
from hwgen.settings.train import TrainSettings


def check_settings(settings: TrainSettings) -> None:
    """Holds settings against each other.

    Raises:
        ValueError: they name no training; says which, and what was expected.
    """
    unlabelled, schedule, run = settings.data.unlabelled, settings.schedule, settings.run
    if os.path.exists(run.run_dir) and not os.path.isdir(run.run_dir):
        raise ValueError(
            f'--run_dir={run.run_dir}: a file is there, expected the folder of a run, or none yet'
        )
    if unlabelled is not None and schedule.game == 'pairs':
        raise ValueError(
            f'--unlabelled={unlabelled}: with --game=pairs nobody sees these lines, as a pair needs a text;'
            ' expected --game=paper'
        )
    if unlabelled is not None and not (schedule.adversarial_steps and schedule.adversarial_every):
        raise ValueError(
            f'--unlabelled={unlabelled}: only the discriminator of phase 3 sees these lines, and there is'
            f' none with --adversarial_steps={schedule.adversarial_steps}'
            f' --adversarial_every={schedule.adversarial_every}: expected at least 1 of both, for example'
            ' --adversarial_steps=3000'
        )
    if schedule.game == 'pairs':
        _check_pairs(settings)
    _check_sizes(settings)
    if run.max_minutes is not None and run.strategy == 'multi_worker':
        raise ValueError(
            f"--max_minutes={run.max_minutes:g} with --strategy=multi_worker: the workers' clocks differ,"
            ' expected --max_steps'
        )


def _is_run(path):
    """Whether weights are those of a run, which has recognisers."""
    return bool(path) and os.path.isdir(os.path.join(find_shipped(path), 'checkpoints'))


def _check_pairs(settings):
    """Raises ValueError where SRM would guide the game of pairs and nothing teaches it to read."""
    schedule, pairs, run = settings.schedule, settings.pairs, settings.run
    guides = schedule.adversarial_steps and pairs.drawn_share and pairs.reading_weight
    taught = schedule.recognizer_steps or schedule.recognizer_every or run.recognizers_from
    if guides and not taught and not _is_run(run.init_from):
        raise ValueError(
            f'--game=pairs --reading_weight={pairs.reading_weight:g}: nothing teaches SRM, which is to read'
            ' the drawn lines; expected --recognizer_steps, --recognizers_from or a run as --init_from, or'
            ' --reading_weight=0'
        )


def _check_sizes(settings):
    """Raises ValueError where several lists of channels do not fit the height of a line, in one message; a
    single one is named by the network that it is for.
    """
    px, modules = settings.generator.char_px, settings.modules
    if px < 8 or px & (px - 1):
        return
    blocks = px.bit_length() - 3
    wrong = [
        f'--{flag}={",".join(map(str, channels))} has {len(channels)}, expected {least}{more}'
        for flag, channels, least, more in (
            ('generator_channels', settings.generator.channels, blocks, ''),
            ('discriminator_channels', modules.discriminator_channels, blocks + 1, ''),
            ('recognizer_channels', modules.recognizer_channels, blocks, ' or more'),
        )
        if len(channels) != least and not (more and len(channels) > least)
    ]
    if len(wrong) > 1:
        raise ValueError(f'--char_px={px}: numbers of channels that do not fit it: {"; ".join(wrong)}')
