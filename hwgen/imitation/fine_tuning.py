"""Fine-tuning: the model learns the lines of a hand, and is written as a model of its own.

It is `prepare` of a folder and `train` with `hand.flags`, with the sizes of the model that is at hand: first
the recognisers read the lines, then the generator rebuilds them.
"""

import dataclasses
import os
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from hwgen.imitation.line_pictures import HandLine
from hwgen.inference.description import read_description
from hwgen.settings import flags
from hwgen.settings.model import GeneratorConfig, GeneratorSettings, ModuleSettings
from hwgen.settings.prepare import InputSettings, OutputSettings, PrepareSettings
from hwgen.settings.setting import described, from_stored
from hwgen.settings.steps import GanSettings
from hwgen.settings.train import TrainSettings

# Steps a minute, together as many as hand.flags made: so many are planned, and --minutes ends a slower
# machine's phases sooner. Fewer for the recognisers than there: of 50 lines they misread 0.04 after 200
# steps.
_RECOGNIZER_STEPS, _RECONSTRUCTION_STEPS = 40, 185
FEW_STEPS = 300  # of the generator: with fewer it is hardly another
_LONGEST_LINES = 64  # characters; longer ones are left out, as memory grows with them


def fine_tune(
    lines: Sequence[HandLine],
    folder: str,
    *,
    model: str,
    minutes: float,
    report: Callable[[str], Any],
    command: str,
) -> None:
    """Trains, and leaves the model's files in a folder.

    Args:
        lines: with texts.
        folder: empty; `generator.json` and `weights.npz` are written there.
        model: folder of the generator that is trained on.
        minutes: at most.
        report: function of a str, told the lines of progress.
        command: what was typed, for the model's description.

    Raises:
        ValueError: the training came to no model.
    """
    from hwgen.data.preparing import session as preparing
    from hwgen.inference.picture_files import LineFolder
    from hwgen.training import session as training

    # In the folder, so that it goes with it.
    pictures, records, run = (os.path.join(folder, name) for name in ('pictures', 'records', 'run'))
    with LineFolder(pictures) as made:
        for line in lines:
            made.add(line.image, line.text, style='')
    preparing.prepare(
        PrepareSettings(
            OutputSettings(source='folder', out=records, height_px=128),
            foreign=InputSettings(input=pictures, keep_paper=True, validation_share=0.0, test_share=0.0),
        ),
        report=lambda line: None,
    )
    settings = training_settings(model, minutes=minutes, longest=max(line.num_characters for line in lines))
    settings = dataclasses.replace(
        settings,
        data=dataclasses.replace(settings.data, data=records),
        run=dataclasses.replace(settings.run, run_dir=run),
    )
    summary = training.train(settings, report=report, command=command)
    if summary['model'] is None:
        raise ValueError(
            f'--minutes={minutes:g}: the training ended before the generator had learned; expected more'
        )
    learned = summary['schedule'].done(summary['step']).get('reconstruction', 0)
    few = f': few, --minutes={minutes:g} is short on this machine' if learned < FEW_STEPS else ''
    report(f'the generator learned {learned} steps{few}')
    for name in ('generator.json', 'weights.npz'):
        shutil.move(os.path.join(run, 'model', name), os.path.join(folder, name))
    for name in (pictures, records, run):
        shutil.rmtree(name)


def training_settings(model: str, *, minutes: float, longest: int) -> TrainSettings:
    """`hand.flags` for a model of any sizes, and for so many minutes.

    Args:
        model: folder of the generator.
        minutes: of training.
        longest: characters of the longest line.
    """
    settings: TrainSettings = flags.parse(TrainSettings, ['--flagfile=hand.flags'])
    description = read_description(model)
    config = from_stored(GeneratorConfig, description['generator'])
    sizes = {name: getattr(config, name) for name in described(GeneratorSettings)}
    # smaller than what hand.flags starts from, as saved_models/demo is: the sizes of demo.flags
    if config.num_blocks < len(settings.generator.channels):
        settings = dataclasses.replace(settings, steps=GanSettings(), modules=ModuleSettings())
    return dataclasses.replace(
        settings,
        generator=GeneratorSettings(**sizes),
        modules=_modules(settings.modules, config, description),
        schedule=dataclasses.replace(
            settings.schedule,
            recognizer_steps=max(1, round(_RECOGNIZER_STEPS * minutes)),
            reconstruction_steps=max(1, round(_RECONSTRUCTION_STEPS * minutes)),
            longest_lines=min(max(longest, settings.schedule.longest_lines), _LONGEST_LINES),
        ),
        # batches of eight lines are too small to be divided
        run=dataclasses.replace(settings.run, init_from=model, max_minutes=minutes, strategy='default'),
    )


def _modules(
    settings: ModuleSettings, config: GeneratorConfig, description: dict[str, Any]
) -> ModuleSettings:
    """The modules beside a generator of these sizes: its style encoder as it is, recognisers and D with as
    many blocks as it needs (no phase here asks D).
    """
    channels = settings.discriminator_channels
    missing = config.num_blocks + 1 - len(channels)
    return dataclasses.replace(
        settings,
        style_channels=tuple(description['style_encoder']['channels']),
        discriminator_channels=(*channels, *channels[-1:] * missing)[: config.num_blocks + 1],
    )
