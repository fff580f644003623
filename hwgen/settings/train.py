"""All settings of a training."""

import dataclasses
from typing import ClassVar

from hwgen.settings.model import GeneratorSettings, ModuleSettings
from hwgen.settings.pairs import PairSettings
from hwgen.settings.schedule import Schedule
from hwgen.settings.setting import check, setting
from hwgen.settings.steps import GanSettings


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Lines to learn from and texts to write."""

    SECTION: ClassVar[str] = 'Lines and texts'

    data: str = setting(
        'tfrecords/demo',
        'Folder of TFRecord shards with its info.json, as `prepare` writes it. tfrecords/demo,'
        ' tfrecords/latin, and the corpora of saved_models/demo and spaced64, tfrecords/demo-1.1 and'
        ' tfrecords/wide, are written if they are absent; by an installed hwgen into its cache'
        ' (`$XDG_CACHE_HOME/hwgen`).',
        free=True,
    )
    unlabelled: str | None = setting(
        None,
        'Folder of TFRecord shards whose texts, if there are any, are not read: only the discriminator sees'
        ' these lines, in phase 3 as the paper plays it. Example: --unlabelled=tfrecords/unlabelled.',
    )
    unlabelled_share: float = setting(
        0.5, "Share of the discriminator's real lines that are of --unlabelled.", lower=0.0, upper=1.0
    )
    text_characters: str = setting(
        'dictionary',
        'Characters of the lines that phase 3 writes: of the whole dictionary, or those with images in --data'
        ' (always so with content_encoding=onehot and without Chinese). With --game=pairs it writes the texts'
        ' of real lines.',
        choices=('dictionary', 'seen'),
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Where a run lies, what it starts from, on what it computes, how long, how often it tells and saves."""

    SECTION: ClassVar[str] = 'Run'

    run_dir: str = setting(
        'runs/demo',
        'Folder of the run: config.json, metrics.jsonl, checkpoints/, tensorboard/, samples/, model/. An'
        ' existing run is resumed.',
        free=True,
    )
    init_from: str | None = setting(
        None,
        'Start from these weights instead of random ones: the folder of a run (all modules, and the judge of'
        ' pairs where both have one) or of a written generator. Example: --init_from=saved_models/demo.',
    )
    recognizers_from: str | None = setting(
        None,
        'Start SRM and SPM with the weights of another run: runs that differ in their generator alone share'
        ' phase 1. Example: --recognizers_from=runs/recognizers.',
    )
    strategy: str = setting(
        'mirrored',
        'Replicas: all devices of this machine, the cluster that TF_CONFIG names (each worker with a run_dir'
        ' of its own), or one device.',
        choices=('mirrored', 'multi_worker', 'default'),
        free=True,
    )
    cpu_replicas: int = setting(
        1,
        'Logical CPU devices to split each batch over; 2 tries out a distributed run on a machine without'
        ' GPUs.',
        lower=1,
        free=True,
    )
    deterministic: bool = setting(
        True,
        'Deterministic operations: a resumed run ends with the weights of an uninterrupted one.',
        free=True,
    )
    max_steps: int | None = setting(
        None, 'Stop after this step of the run. Example: --max_steps=1000.', unit='steps', lower=0, free=True
    )
    max_minutes: float | None = setting(
        None,
        'Minutes of this call, from its start to its sheets and model, without the writing of the embedded'
        ' corpus; divided over the phases (see above). Example: --max_minutes=10.',
        unit='minutes',
        lower=0.0,
        free=True,
    )
    divide_minutes: bool = setting(
        True, 'With --max_minutes, cut phases short, so that those after them get their share.', free=True
    )
    log_every: int = setting(
        50, 'Steps between progress lines and metrics.', unit='steps', lower=1, free=True
    )
    sample_every: int = setting(3000, 'Steps between sample sheets.', unit='steps', lower=1, free=True)
    checkpoint_every: int = setting(1500, 'Steps between checkpoints.', unit='steps', lower=1, free=True)
    checkpoint_minutes: float = setting(
        1.0,
        'A checkpoint is written as well when the last one is so many minutes old: no more is lost by a kill.'
        ' 0: only by --checkpoint_every. (Not with --strategy=multi_worker.)',
        unit='minutes',
        lower=0.0,
        free=True,
    )
    keep_checkpoints: int = setting(
        3, 'Checkpoints to keep: the two newest, then those of --checkpoint_every.', lower=1, free=True
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """All of a training. The defaults are those of the main job, demo.flags.

    Attributes:
        data: DataSettings.
        run: RunSettings.
        schedule: Schedule.
        steps: GanSettings.
        pairs: PairSettings.
        generator: GeneratorSettings.
        modules: ModuleSettings.
    """

    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings()
    schedule: Schedule = Schedule()
    steps: GanSettings = GanSettings()
    pairs: PairSettings = PairSettings()
    generator: GeneratorSettings = GeneratorSettings()
    modules: ModuleSettings = ModuleSettings()


# in the order of `--help`
SECTIONS: tuple[type, ...] = (
    DataSettings,
    RunSettings,
    Schedule,
    GanSettings,
    PairSettings,
    GeneratorSettings,
    ModuleSettings,
)
