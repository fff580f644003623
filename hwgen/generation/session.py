"""Session: `generate` writes texts into files; `bin/generate` is a thin layer over it.

What is wrong with settings, place or texts is told before TensorFlow is loaded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from hwgen import console
from hwgen.charset.printable import printable
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model
from hwgen.settings.generate import MAX_SEEDS, GenerateSettings, check_writing
from hwgen.settings.setting import SettingError

if TYPE_CHECKING:
    from hwgen.generation.verification import SureReader, Verifier
    from hwgen.inference.hand_file import Hand
    from hwgen.inference.repertoire import Repertoire
    from hwgen.inference.writer import Writer

HAND = 'hand.json'  # in the folder of a model that `imitate` fine-tuned


class Written(NamedTuple):
    """What was written.

    Attributes:
        path: str, the file or folder.
        lines, characters: int, how many of them.
        told: str, what is in it, in words.
    """

    path: str
    lines: int
    characters: int
    told: str


def generate(
    settings: GenerateSettings,
    *,
    writer: Writer | None = None,
    hand: Hand | None = None,
    open_reader: Callable[[], SureReader] | None = None,
    command: str = 'hwgen.generate',
    report: Callable[[str], Any] = console.say,
) -> Written:
    """Writes a text or a text file as a picture, pages, a folder of pictures, or records.

    Args:
        settings: what, by which model, in whose hand, where to.
        writer: in place of the model that `settings.writing.model` names.
        hand: in place of the one that `settings.hands.hand` names.
        open_reader: opens the reader of `settings.labels.verify`.
        command: what was typed, for the description of records.
        report: function of a str, told what is going on.

    Returns:
        Written.

    Raises:
        SettingError: settings that do not go together.
        CharsetError, TextFileError: a text that cannot be written, with its place.
        ArtefactError: no model there.
        HandError: no hand there, or that of another model.
        ImportError: the reader of `settings.labels.verify` is not installed; says what to install.
        OSError: no such text file, or a place that cannot be written; what was there is unchanged.
    """
    check(settings)
    from hwgen.generation.progress import Progress
    from hwgen.inference import picture_files, picture_formats, text_files
    from hwgen.inference.repertoire import Repertoire

    writing, out = settings.writing, settings.writing.out or ''
    folder = not picture_formats.names_picture(out)
    _check_kind(settings, folder)
    picture_files.check_place(out, overwrite=writing.overwrite, folder=folder)
    verifier = _verifier(settings, open_reader)
    file = None if writing.text_file is None else text_files.TextFile(writing.text_file)
    chosen, hand = _hand(settings, hand)
    if writer is None:
        model = find_model(chosen)
        repertoire = Repertoire.load(model, allow_unseen=writing.allow_unseen)
    else:
        repertoire = writer.repertoire
    task = _task(settings, repertoire, file, hand, verifier, folder=folder, command=command)
    with picture_files.reserved(out, overwrite=writing.overwrite, folder=folder):
        if writer is None:
            writer = _load(model, repertoire, settings, report=report)
        if hand is not None:
            hand.check_model(writer.digest())
        progress = Progress()
        told = task.write(writer, progress)
    report(f'{printable(out)}: {told}; {progress.summary()}')
    return Written(out, progress.lines, progress.characters, told)


def _verifier(settings: GenerateSettings, open_reader: Callable[[], SureReader] | None) -> Verifier | None:
    """What reads lines back; None where nobody asked for it."""
    wanted = settings.labels
    if wanted.verify is None:
        return None
    if open_reader is None:
        raise SettingError(f'--verify={wanted.verify:g}: expected a reader (`open_reader`) beside it')
    from hwgen.generation.verification import Verifier

    return Verifier(
        open_reader(),
        wanted.verify,
        tries=wanted.verify_tries,
        height_px=settings.pages.height_px,
        enlarging=settings.pages.enlarging,
    )


def _load(
    model: str, repertoire: Repertoire, settings: GenerateSettings, *, report: Callable[[str], Any]
) -> Writer:
    """The writer of a model, and a word about it."""
    report(f'loading {printable(model)} ...')
    began = time.monotonic()
    from hwgen.inference.writer import Writer

    # the repertoire has told what there is to tell
    writer = Writer.load(
        model, allow_unseen=settings.writing.allow_unseen, tell=None, layout=settings.pages.layout
    )
    told = [f'model {printable(model)}, loaded in {time.monotonic() - began:.1f} s', repertoire.note]
    report('; '.join(filter(None, told)))
    return writer


def _hand(settings: GenerateSettings, given: Hand | None) -> tuple[str, Hand | None]:
    """The model that is asked for, and the hand; None: those of seeds."""
    model, place = settings.writing.model, settings.hands.hand
    if given is not None or place is None:
        return model, given
    from hwgen.inference.hand_file import load_hand

    if not os.path.isdir(place):
        return model, load_hand(place)
    if model not in (DEFAULT_MODEL, place):
        raise SettingError(
            f'--model={model} does not go with --hand={place}, a folder with a model of its own: expected one'
            ' of them'
        )
    return place, load_hand(os.path.join(place, HAND))


def _task(
    settings: GenerateSettings,
    repertoire: Repertoire,
    file: Any,
    hand: Hand | None,
    verifier: Verifier | None,
    *,
    folder: bool,
    command: str,
) -> Any:
    """What writes: its texts are checked."""
    from hwgen.generation.lines import LinesTask
    from hwgen.generation.paragraphs import ParagraphsTask
    from hwgen.generation.sheet import SheetTask

    if settings.pages.page_width:
        return ParagraphsTask(settings, repertoire, file, hand=hand, verifier=verifier, folder=folder)
    if (folder or settings.writing.format == 'tfrecord') and not settings.hands.interpolate:
        return LinesTask(settings, repertoire, file, hand=hand, verifier=verifier, command=command)
    return SheetTask(settings, repertoire, hand=hand, verifier=verifier, folder=folder)


def check(settings: GenerateSettings) -> None:
    """Refuses settings that do not go together.

    Raises:
        SettingError: naming them as they are typed.
    """
    writing, hands, pages = settings.writing, settings.hands, settings.pages
    check_writing(
        writing.text,
        writing.text_file,
        out=writing.out,
        style_seed=hands.style_seed,
        num_styles=hands.num_styles,
    )
    between = hands.interpolate
    if between is not None and (len(between) != 2 or max(between) >= MAX_SEEDS):
        raise SettingError(
            f'--interpolate {" ".join(map(str, between))}: expected two style seeds, such as'
            ' --interpolate 3 8'
        )
    if hands.hand is not None:
        for name, several in (('--interpolate', bool(between)), ('--num_styles', hands.num_styles > 1)):
            if several:
                raise SettingError(f'{name} does not go with --hand, which is one hand')
    refused: list[tuple[str, object]] = []
    if between:
        refused += [
            ('--text_file', writing.text_file),
            ('--num_styles', hands.num_styles > 1),
            ('--page_width', pages.page_width),
            ('--format tfrecord', writing.format == 'tfrecord'),
        ]
    if pages.page_width:
        refused += [
            ('--format tfrecord', writing.format == 'tfrecord'),
            ('--styles_per_line random', hands.styles_per_line == 'random'),
        ]
    elif writing.text is not None and '\n' in writing.text.strip():
        raise SettingError(
            '--text holds a line break: give --page_width to write paragraphs, or --text_file for one picture'
            ' a row'
        )
    if settings.labels.given_up != 'keep' and settings.labels.verify is None:
        raise SettingError('--given_up=leave_out goes with --verify, which gives lines up')
    for name, given in refused:
        if given:
            raise SettingError(f'{name} does not go with {"--interpolate" if between else "--page_width"}')


def _check_kind(settings: GenerateSettings, folder: bool) -> None:
    """Refuses a picture as the place of what is a folder."""
    writing = settings.writing
    if settings.labels.given_up == 'leave_out' and (not folder or settings.pages.page_width):
        raise SettingError(
            f'--given_up=leave_out: a {"page" if settings.pages.page_width else "picture"} has all its lines;'
            ' expected keep, or a folder of lines'
        )
    boxes = [form for form in settings.labels.labels if form != 'tsv']
    if boxes and (not folder or writing.format == 'tfrecord'):
        raise SettingError(
            f'--labels={",".join(settings.labels.labels)}: labels belong to a folder of pictures; expected'
            f' {"--format png" if folder else f"the name of a folder as --out ({writing.out}/ is one)"}'
        )
    for flag, given in (
        ('--format tfrecord', writing.format == 'tfrecord'),
        ('--text_file without --page_width', writing.text_file is not None and not settings.pages.page_width),
    ):
        if given and not folder:
            raise SettingError(
                f'--out={writing.out}: {flag} writes a folder, expected the name of one ({writing.out}/ is'
                ' one, too)'
            )
