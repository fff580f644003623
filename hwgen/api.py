"""hwgen from Python. `import hwgen` has these names, and loads what they need when they are first asked for.

>>> import hwgen
>>> writer = hwgen.load()                                 # the model that ships
>>> images = writer.write(['明天⿱山鱼'], style_seeds=[7])    # a list of uint8 [32, 32 N], 255 = paper
>>> hwgen.generate('明天去钓鱼', out='line.png', num_styles=3, model=writer)
>>> hwgen.imitate('my_lines', hand='mine.hand')             # from pictures of lines, to write with
>>> summary = hwgen.train('fast', data='tfrecords/mine', run_dir='runs/mine')
>>> hwgen.evaluate(summary['model'], 'reader', num_lines=100, seeds=1)
>>> hwgen.export(summary['model'], 'saved_models/mine/1')

Keywords are called as the flags of the commands are; `docs/settings.md` has them all, with defaults and
bounds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hwgen import console
from hwgen.settings.arguments import call_of as _command
from hwgen.settings.arguments import given as _given
from hwgen.settings.arguments import path_of as _path
from hwgen.settings.arguments import train_settings as _train_settings
from hwgen.settings.arguments import whole as _whole
from hwgen.settings.generate import DEFAULT_TRIES
from hwgen.settings.keywords import in_python_words, with_keywords

if TYPE_CHECKING:
    from hwgen.generation.session import Written
    from hwgen.generation.verification import SureReader, VerifiedLine
    from hwgen.imitation.session import Imitated
    from hwgen.inference.writer import Writer
    from hwgen.settings.prepare import PrepareSettings
    from hwgen.settings.train import TrainSettings

Path = str | os.PathLike[str]
Report = Callable[[str], Any]


def load(model: Path | None = None, *, allow_unseen: bool = False, **options: Any) -> Writer:
    """Opens a trained model to write with.

    Args:
        model: the folder of a model, a run directory of `train`, or the name of a model that ships, such as
            'demo'; None: the one that ships.
        allow_unseen: also characters that no training picture showed, nor their parts, are written, probably
            as scribbles; without it they are refused.
        **options: of `Writer.load`: charset, tell, window_characters, windows_per_step.

    Returns:
        Writer: `write` gives images of lines, `styles` the style vectors of seeds, `encode` says whether a
            text can be written.

    Raises:
        ArtefactError: no model there, or a damaged one; names the file and what was expected.
        CharsetMismatchError: the model was trained with another table of characters.
    """
    from hwgen.inference.model_folder import DEFAULT_MODEL
    from hwgen.inference.writer import Writer

    with in_python_words():
        return Writer.load(_path(model, DEFAULT_MODEL), allow_unseen=allow_unseen, **options)


def generate(
    text: str | None = None,
    out: Path | None = None,
    *,
    model: Path | Writer | None = None,
    report: Report = console.say,
    **settings: Any,
) -> Written:
    """Writes a text, or the rows of a text file, into files, as `bin/generate` does: a picture, pages, a
    folder of labelled pictures, or records to learn from.

    Args:
        text: what is written; None where `text_file` is given.
        out: a picture (line.png, page.pdf) or a folder.
        model: as of `load`, or a Writer that is open already.
        report: function of a str, told what is going on; `lambda line: None` for silence.
        **settings: text_file, style_seed, num_styles, page_width, height_px, verify, overwrite, ...; see
            docs/settings.md, bin/generate.

    Returns:
        Written: path, lines, characters, and told, a text about it.

    Raises:
        TypeError: no such setting, or a value of another type.
        SettingError: settings that do not go together.
        CharsetError, TextFileError: a text that cannot be written, with its place.
        OSError: a place that cannot be written; what was there is unchanged.
        ImportError: with `verify`, the reader is not installed.
    """
    from hwgen.evaluation.judges.panel import open_reader
    from hwgen.generation import session
    from hwgen.inference.model_folder import DEFAULT_MODEL
    from hwgen.settings.generate import GenerateSettings

    keywords = {**_given(text=text, out=out), **settings}
    writer = _open_writer(model)
    if writer is None:
        keywords['model'] = _path(model, DEFAULT_MODEL)
    with in_python_words():
        asked = with_keywords(GenerateSettings(), keywords, called='generate')
        return session.generate(asked, writer=writer, open_reader=open_reader, report=report)


def verified(
    texts: str | Sequence[str],
    share: float = 0.02,
    *,
    model: Path | Writer | None = None,
    reader: SureReader | None = None,
    tries: int = DEFAULT_TRIES,
    style_seeds: int | Sequence[int] = 0,
    **settings: Any,
) -> list[VerifiedLine]:
    """Writes lines that PP-OCR reads as asked: what it misreads is written again in the same hand.

    Args:
        texts: a text, or several.
        share: the character error rate that is good enough.
        model: as of `load`, or a Writer that is open already.
        reader: what reads, with `readings(images)` and `characters`; None: PP-OCR.
        tries: how often a line is written at most.
        style_seeds: a hand for all, or one for each text.
        **settings: styles, truncation, noise_offsets, quotes_before, as of `Writer.write`.

    Returns:
        list of VerifiedLine: image, boxes, and `verified`, which has verdict ('verified', 'partly',
            'unverifiable' or 'given up'), reading, confidence, error, tries, noise_seed and unread.

    Raises:
        ImportError: the reader is not installed; says what to install.
        ArtefactError: no model there.
        CharsetError: a text that cannot be written, with its place.
        ValueError: a share beyond 0 to 1, or no try.
    """
    from hwgen.evaluation.judges.panel import open_reader
    from hwgen.generation.verification import Verifier
    from hwgen.inference.description import DEFAULT_TRUNCATION
    from hwgen.inference.model_folder import DEFAULT_MODEL
    from hwgen.inference.repertoire import as_texts

    if not 0 <= share <= 1:
        raise ValueError(f'share={share}: expected 0 to 1')
    verifier = Verifier(reader or open_reader(), share, tries=_whole('tries', tries, least=1))
    writer = _open_writer(model)
    if writer is None:
        writer = load(_path(model, DEFAULT_MODEL))
    truncation = settings.pop('truncation', DEFAULT_TRUNCATION)
    return verifier.write_lines(
        writer, as_texts(texts), style_seeds=style_seeds, truncation=truncation, **settings
    )


def imitate(
    images: Path | None = None,
    hand: Path | None = None,
    *,
    model: Path | Writer | None = None,
    report: Report = console.say,
    **settings: Any,
) -> Imitated:
    """Reads a hand from pictures of its lines, keeps it, and writes a text in it, as `bin/imitate` does.

    Args:
        images: folder with a picture of each line of one person, or one picture.
        hand: where the hand is kept: a small file, for `generate(hand=...)` and `Writer.hand`; with `minutes`
            the folder of a model.
        model: as of `load`, or a Writer that is open already (not with `minutes`).
        report: function of a str, told what is going on.
        **settings: labels, minutes, text, out, style_seed, overwrite, ...; see docs/settings.md, bin/imitate.

    Returns:
        Imitated: hand, whose `style` is for `Writer.write(..., styles=)`; path, where it is kept; written, as
            of `generate`.

    Raises:
        TypeError: no such setting, or a value of another type.
        SettingError: settings that do not go together.
        ValueError: a picture or label that cannot be used, with its place; a model without style encoder.
        ArtefactError: no model there.
        OSError: no such folder, or a place that cannot be written; what was there is unchanged.
    """
    from hwgen.imitation import session
    from hwgen.settings.imitate import ImitationSettings

    keywords = {**_given(images=images, hand=hand), **settings}
    writer = _open_writer(model)
    if writer is None and model is not None:
        keywords['model'] = model
    with in_python_words():
        asked = with_keywords(ImitationSettings(), keywords, called='imitate')
        return session.imitate(asked, writer=writer, report=report)


def prepare(out: Path | None = None, *, report: Report = console.say, **settings: Any) -> str | None:
    """Makes a data set to learn from, as `bin/prepare` does: from the embedded corpus, from your pictures, or
    from a collection.

    Args:
        out: folder of records that is written, or of pictures (format='folder').
        report: function of a str, told what is going on.
        **settings: source, input, labels, lines, text_file, ...; see docs/settings.md, bin/prepare.

    Returns:
        `out`, for `train(data=...)`.

    Raises:
        TypeError: no such setting, or a value of another type.
        SettingError: settings that do not go together, or of which one is missing.
        ValueError: a text, table or picture that cannot be used, with its place.
        OSError: a file that cannot be read or written.
    """
    from hwgen.data.preparing import session
    from hwgen.inference import picture_formats
    from hwgen.settings.prepare import PrepareSettings

    keywords = {**_given(out=out), **settings}
    with in_python_words():
        asked: PrepareSettings = with_keywords(PrepareSettings(), keywords, called='prepare')
        if asked.output.out and not asked.output.inspect:
            picture_formats.check_folder(asked.output.out, flag='--out')
        session.prepare(asked, given=frozenset(keywords), report=report)
    return asked.output.out


def train(
    preset: Path | TrainSettings | None = None, *, report: Report | None = None, **settings: Any
) -> dict[str, Any]:
    """Trains a writer, or resumes the run that is in `run_dir`, as `bin/train` does.

    Args:
        preset: name of a preset that ships ('demo', 'fast', 'hand', ...), path of one, or TrainSettings;
            None: 'demo', the main job.
        report: function of a str, told the lines of progress; None: they are printed.
        **settings: over those of the preset: data, run_dir, batch_size, reconstruction_steps, max_minutes,
            ...; see docs/settings.md, bin/train. An embedded corpus that is not there is written.

    Returns:
        dict: state ('finished', 'interrupted' or 'stopped'), step, schedule, planned, checkpoint, sheet, and
            model, the path that `load`, `evaluate` and `export` take; None where the generator has learned
            nothing yet.

    Raises:
        TypeError: no such setting, or a value of another type.
        PresetError: no such preset.
        ValueError: settings that name no training, or lines that are not there.
        OtherRunError: `run_dir` holds a run that was started with other settings.
    """
    from hwgen.data.preparing.corpus_place import corpus_place
    from hwgen.training import session

    with in_python_words():
        asked = _train_settings(preset, settings)
        placed = with_keywords(asked, {'data': corpus_place(asked.data.data)}, called='train')
        return session.train(placed, report=report, command=_command(preset, settings))


def evaluate(
    model: Path | Writer | None = None,
    protocol: str = 'reader',
    *,
    data: Path | None = None,
    out: Path | None = None,
    split: str = 'test',
    seed: int = 0,
    seeds: int = 3,
    num_lines: int | None = None,
    report: Report = console.say,
    **options: Any,
) -> dict[str, Any]:
    """Measures what a model writes by a protocol, as `bin/evaluate` does, and writes a report.

    Args:
        model: as of `load`, or a Writer (opened with `allow_unseen`, or it refuses texts); '': none, real
            lines alone.
        protocol: its name: reader, hct, comparison, ...; see docs/evaluation.md.
        data: folder of records with the split; None: the embedded corpus of the version that the model
            learned from, which is written where it is absent.
        out: folder of the report; None: `evaluations/PROTOCOL`.
        split: of the protocols that take any.
        seed: first seed.
        seeds: how many, from `seed` on.
        num_lines: lines of each kind at most; None: what the protocol says.
        report: function of a str, told about progress and what was found.
        **options: truncation, feature_space, feature_weights, against, compare, and the protocol's own
            settings.

    Returns:
        dict, the result as `out`/PROTOCOL.json has it.

    Raises:
        TypeError, ValueError: numbers that are none.
        ProtocolError: no such protocol or option, or lines that the protocol needs are not there.
        ArtefactError: no model there.
        ModuleNotFoundError: the protocol's reader is not installed (the extra `reader`).
    """
    from hwgen.data.preparing.corpus_place import corpus_place
    from hwgen.evaluation import session
    from hwgen.evaluation.protocols import registry
    from hwgen.inference import picture_formats
    from hwgen.inference.model_folder import DEFAULT_MODEL

    _open_writer(model)  # refuses what is neither that nor a path
    measured: Any = None if model == '' else model
    if model is None or isinstance(measured, os.PathLike):
        measured = _path(model, DEFAULT_MODEL)
    with in_python_words():
        chosen = registry.find_protocol(protocol)
        picture_formats.check_folder(_path(out, 'evaluations'), flag='--out')
        return session.evaluate(
            measured,
            protocol,
            data=corpus_place(_path(data, '') or session.default_data(chosen, measured)),
            out=None if out is None else os.fspath(out),
            split=split,
            seed=_whole('seed', seed, least=0),
            seeds=_whole('seeds', seeds, least=1),
            num_lines=None if num_lines is None else _whole('num_lines', num_lines, least=1),
            command='hwgen.evaluate',
            report=report,
            **options,
        )


def export(
    model: Path | Writer | None = None,
    out: Path | None = None,
    *,
    report: Report = console.say,
    **settings: Any,
) -> str:
    """Exports a model as a version for TensorFlow Serving, as `bin/export` does, after a process without
    hwgen has loaded it and written what the model writes.

    Args:
        model: as of `load`, or a Writer that is open already.
        out: the version, NAME/NUMBER, or NAME for the next number; None: `saved_models/hwgen`.
        report: function of a str, told what is going on.
        **settings: truncation, max_characters, allow_unseen, data_licence; see docs/settings.md, bin/export.

    Returns:
        Path of the version, a folder with a SavedModel; a version that is there is never replaced.

    Raises:
        TypeError: no such setting, or a value of another type.
        ArtefactError: no model there.
        ExportError: what was reloaded does not write the same.
        OSError: the version is there already, or cannot be written.
    """
    from hwgen.serving.new_model import export as export_version
    from hwgen.settings.serving import ExportSettings

    keywords = {**_given(out=out), **settings}
    writer = _open_writer(model)
    if writer is None and model is not None:
        keywords['model'] = model
    with in_python_words():
        asked = with_keywords(ExportSettings(), keywords, called='export')
        return export_version(asked, writer=writer, report=report)


def serve(model: Path | None = None, *, report: Report = console.say, **settings: Any) -> None:
    """Serves a model by TensorFlow Serving's REST calls, with a page to type into, as `bin/serve` does.

    It returns when Ctrl-C or SIGTERM has ended it.

    Args:
        model: as of `load`, exported for as long as the server runs; None: the versions of
            `model_base_path`, where the model that ships is exported if there are none.
        report: function of a str, told what is going on.
        **settings: port, host, model_base_path, versions, labels, grpc_port, ...; see docs/settings.md,
            bin/serve.

    Raises:
        TypeError: no such setting, or a value of another type.
        SettingError: settings that do not go together, or the extra `serve` is not installed.
        OSError: the address is taken, or no such folder.
    """
    from hwgen.serving import session
    from hwgen.settings.serving import ServeSettings

    keywords = {**_given(model=model), **settings}
    with in_python_words():
        asked = with_keywords(ServeSettings(), keywords, called='serve')
        session.serve(asked, given=frozenset(keywords), report=report)


def _open_writer(model: Any) -> Any:
    """A model that is open already; None where it is the path of one, or none."""
    if model is None or isinstance(model, (str, os.PathLike)):
        return None
    if not hasattr(model, 'write'):
        raise TypeError(f'model={model!r}: expected the path of a model, or what hwgen.load gives')
    return model
