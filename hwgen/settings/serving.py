"""Settings of an exported model: the export, the server, and the client."""

import dataclasses
from typing import ClassVar

from hwgen.settings.generate import DEFAULT_TRUNCATION
from hwgen.settings.setting import check, setting

DEFAULT_VERSIONS = 'saved_models/hwgen'  # folder of the versions where nothing else is said


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """What is exported, and where to."""

    SECTION: ClassVar[str] = 'Model and version'

    run: str | None = setting(None, 'Run directory of train whose model is exported. Example: runs/demo.')
    model: str | None = setting(
        None, 'Folder of a trained generator, in place of --run; default: the one that ships.'
    )
    out: str = setting(
        DEFAULT_VERSIONS,
        'Version to write, NAME/NUMBER, or NAME for the next number. Example: saved_models/hwgen/1.',
    )
    truncation: float = setting(
        DEFAULT_TRUNCATION,
        'Spread of the hands and of the character noise of serving_default and images, as of generate.',
        lower=0.0,
    )
    max_characters: int = setting(
        256, 'Longest text that is written, characters; a longer one is an error of its own.', lower=1
    )
    allow_unseen: bool = setting(
        False,
        'The version writes also characters that no training picture of the model showed, nor the parts they '
        'are made of: probably scribbles. Without it they are errors.',
    )
    data_licence: str | None = setting(
        None,
        'Licence of the lines the model was trained on, for the description inside; known for the '
        'embedded corpus, CASIA and IAM. Example: "own scans, all rights reserved".',
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServedSettings:
    """What is served, and under which names."""

    SECTION: ClassVar[str] = 'Model and versions'

    model_base_path: str = setting(
        DEFAULT_VERSIONS,
        'Folder of the versions that export wrote. Where it is not given and not there, the '
        'model that ships is exported first (by an installed hwgen into its cache). Example:'
        ' saved_models/hwgen.',
    )
    model: str | None = setting(
        None,
        'Instead: folder of a trained generator or of a run, exported for as long as the server runs.'
        ' Example: runs/demo.',
    )
    allow_unseen: bool = setting(
        False,
        'With --model: write also characters that no training picture of the model showed, see export.',
    )
    model_name: str = setting('hwgen', 'Name of the model in the paths.')
    versions: tuple[str, ...] | None = setting(
        None, 'Versions to serve; default: the newest and those with labels. Example: 1,2.'
    )
    labels: tuple[str, ...] = setting(
        (), 'Version labels, NAME:NUMBER. Example: stable:1,canary:2.', may_be_empty=True
    )
    file_system_poll_wait_seconds: float = setting(
        1.0, 'Time between looks for new versions, seconds; 0: never.', lower=0.0
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AddressSettings:
    """Where the server is reached, and by whom."""

    SECTION: ClassVar[str] = 'Addresses'

    host: str = setting(
        '127.0.0.1',
        'Address to listen at; 0.0.0.0: all of this machine, for anyone who reaches it. Example: 127.0.0.1.',
    )
    allowed_hosts: tuple[str, ...] | None = setting(
        None,
        'Names by which it may be asked (Host), beside addresses, localhost, names without a dot and this'
        " machine's own; *: any. Default: none at 127.0.0.1, any where --host serves other machines. Example:"
        ' write.example.org.',
    )
    allowed_origins: tuple[str, ...] = setting(
        (),
        'Origins of other web pages that may ask and read the answers (CORS); *: any. Example: '
        'https://app.example.org.',
        may_be_empty=True,
    )
    port: int = setting(8501, 'Port to listen at; 0: a free one.', lower=0, upper=65535)
    grpc_port: int | None = setting(
        None,
        "Port for gRPC beside REST (the extra `grpc`); 0: a free one. TF-Serving's is 8500. Example: 8500.",
        lower=0,
        upper=65535,
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """How much is asked of the server at most."""

    SECTION: ClassVar[str] = 'Limits'

    workers: int | None = setting(
        None, 'Requests on the model at once; default: one a CPU, 4 at most.', lower=1
    )
    max_waiting: int = setting(64, 'Requests that may wait; further ones are answered 503.', lower=0)
    max_request_bytes: int = setting(2**20, 'Largest request, bytes of its body.', lower=1)
    max_lines: int = setting(64, 'Most lines of a request.', lower=1)
    max_values: int = setting(
        5_000_000,
        'Most values of an answer, numbers, texts and pictures; those of `images` are 1,024 a character '
        'where it is 32 px high and wide.',
        lower=1,
    )
    max_connections: int = setting(
        512,
        'Most connections at once; for a further one the one is closed that has waited longest for its '
        'client.',
        lower=1,
    )
    timeout_sec: float = setting(
        60.0, 'Longest time for a request to arrive, and again for its answer, seconds.', lower=0.1
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class ServeSettings:
    """All of a server.

    Attributes:
        served: ServedSettings.
        addresses: AddressSettings.
        limits: LimitSettings.
    """

    served: ServedSettings = ServedSettings()
    addresses: AddressSettings = AddressSettings()
    limits: LimitSettings = LimitSettings()


@dataclasses.dataclass(frozen=True, kw_only=True)
class RequestSettings:
    """What is asked of a server, and where its answers go."""

    SECTION: ClassVar[str] = 'Text and output'

    text: str | None = setting(None, 'Text to write.')
    text_file: str | None = setting(
        None, 'UTF-8 file: each row is a line of handwriting. - is standard input.'
    )
    out: str | None = setting(
        None,
        'Where to: a picture (.png, .jpg, .webp, .tif, .bmp, .pdf), or a folder (for --text_file, or one'
        ' picture a style). NAME/ is a folder.',
    )
    style_seed: int = setting(0, 'Hand to write in, 0 to 2^64 - 1. Example: 42.', lower=0)
    hand: str | None = setting(
        None,
        'Write in the hand of this file, which bin/imitate read with the model that was exported;'
        ' --style_seed and --truncation (default: 0.8) are then those of the character noise alone.'
        ' Example: --hand=mine.hand.',
    )
    num_styles: int = setting(
        1, 'Write everything in so many hands: seeds style_seed, style_seed + 1, ...', lower=1
    )
    truncation: float | None = setting(
        None,
        'Standard deviation of styles and character noise; default: that of the exported model.'
        ' Example: 0.5.',
        lower=0.0,
    )
    skip_unwritable: bool = setting(False, 'Leave out rows that cannot be written, instead of stopping.')
    overwrite: bool = setting(
        False, 'Replace the output if it exists (a folder only if all in it is output of this command).'
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Which server is asked, and how patiently."""

    SECTION: ClassVar[str] = 'Server'

    url: str = setting('http://localhost:8501', 'Address of the REST server. Example: http://localhost:8501.')
    grpc: str | None = setting(
        None, 'Ask by gRPC instead; needs tensorflow-serving-api. Example: localhost:8500.'
    )
    model_name: str = setting('hwgen', 'Name of the model on the server.')
    version: int | None = setting(None, 'Version of the model; default: the newest. Example: 1.', lower=0)
    label: str | None = setting(None, 'Version label, in place of --version. Example: stable.')
    timeout_sec: float = setting(60.0, 'How long to wait for an answer, seconds.', lower=0.1)
    retries: int = setting(5, 'How often a busy or absent REST server is asked again.', lower=0)

    def __post_init__(self):
        check(self)


EXPORT_SECTIONS: tuple[type, ...] = (ExportSettings,)
SERVE_SECTIONS: tuple[type, ...] = (ServedSettings, AddressSettings, LimitSettings)
REQUEST_SECTIONS: tuple[type, ...] = (RequestSettings, ServerSettings)
