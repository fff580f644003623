"""Session: `imitate` reads a hand from pictures of its lines, keeps it, and writes a text in it;
`bin/imitate` is a thin layer over it.

What is wrong with settings, places or pictures is told before TensorFlow is loaded.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hwgen import console, files
from hwgen.charset.printable import printable
from hwgen.generation import session as generation
from hwgen.inference.description import read_description
from hwgen.inference.model_folder import find_model
from hwgen.settings.generate import GenerateSettings, HandSettings, WritingSettings
from hwgen.settings.imitate import ImitationSettings
from hwgen.settings.setting import SettingError

if TYPE_CHECKING:
    from hwgen.imitation.line_pictures import HandLine
    from hwgen.inference.hand_file import Hand
    from hwgen.inference.writer import Writer

_OURS = frozenset({'generator.json', 'weights.npz', generation.HAND})
_LEAST_MINUTES = 0.1
NO_ENCODER = 'the model has no style encoder: expected one trained with the reconstruction phase'


class Imitated(NamedTuple):
    """What was made.

    Attributes:
        hand: the hand; `hand.style` is for `Writer.write(..., styles=)`.
        path: str, its file or folder; None: it was not kept.
        written: `generation.session.Written`, or None without a text.
    """

    hand: Hand
    path: str | None
    written: generation.Written | None


def imitate(
    settings: ImitationSettings,
    *,
    writer: Writer | None = None,
    command: str = 'hwgen.imitate',
    report: Callable[[str], Any] = console.say,
) -> Imitated:
    """Reads or learns a hand.

    Args:
        settings: whose lines, by which model, where to, and a text.
        writer: in place of the model that the settings name; not with `minutes`, which train on a folder's.
        command: what was typed, for the description of a model.
        report: function of a str, told what is going on.

    Returns:
        Imitated.

    Raises:
        SettingError: settings that do not go together.
        FormatError: a picture or label that cannot be used, with its place.
        ArtefactError: no model there; ValueError: one without a style encoder.
        OSError: no such folder, or a place that cannot be written; what was there is unchanged.
    """
    _check(settings, writer)
    asked, writing = settings.hand, settings.writing
    model = None if writer is not None else find_model(asked.model)
    aspect = _cell_aspect(model, writer)
    from hwgen.imitation import line_pictures

    lines = line_pictures.read_lines(
        asked.images or '', labels=asked.labels, dark=asked.dark, cell_aspect=aspect, report=report
    )
    report(f'{printable(asked.images)}: {_told(lines)}')
    if asked.minutes and model is not None:
        writer, hand = _learn(lines, model, settings, command=command, report=report)
    else:
        writer = _loaded(model, report) if writer is None else writer
        hand = _read(lines, writer, settings)
        if asked.hand is not None:
            from hwgen.inference.hand_file import save_hand

            save_hand(asked.hand, hand, replace=writing.overwrite)
    if asked.hand is not None:
        report(f'{printable(asked.hand)}: the hand; bin/generate --hand={printable(asked.hand)} writes in it')
    written = None
    if writing.text is not None:
        written = generation.generate(
            _generate_settings(settings), writer=writer, hand=hand, command=command, report=report
        )
    return Imitated(hand, asked.hand, written)


def _generate_settings(settings: ImitationSettings) -> GenerateSettings:
    """What `generate` is asked for."""
    given = settings.writing
    return GenerateSettings(
        WritingSettings(text=given.text, out=given.out, overwrite=given.overwrite),
        HandSettings(style_seed=given.style_seed, truncation=given.truncation),
    )


def _check(settings: ImitationSettings, writer: Writer | None) -> None:
    """Refuses settings that do not go together, and places that cannot be written."""
    from hwgen.inference import picture_files, picture_formats

    asked, writing = settings.hand, settings.writing
    if asked.images is None:
        raise SettingError('--images is missing: expected a folder with a picture of each line')
    if not os.path.exists(asked.images):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), asked.images)
    if writing.text is not None:
        generation.check(_generate_settings(settings))
        out = writing.out or ''
        folder = not picture_formats.names_picture(out)
        picture_files.check_place(out, overwrite=writing.overwrite, folder=folder)
    elif writing.out is not None:
        raise SettingError(f'--out={writing.out} without --text: expected a text, or --hand=FILE')
    elif asked.hand is None:
        raise SettingError('expected --hand=FILE, where the hand is kept, or --text "..." --out=PICTURE')
    if asked.minutes:
        if asked.minutes < _LEAST_MINUTES:
            raise SettingError(f'--minutes={asked.minutes:g}: expected at least {_LEAST_MINUTES}, or 0')
        if asked.hand is None:
            raise SettingError(
                f'--minutes={asked.minutes:g}: expected --hand=FOLDER, where the model is kept'
            )
        if writer is not None:
            raise SettingError('--minutes with a Writer: expected the folder of a model')
    if asked.hand is not None:
        if os.path.splitext(asked.hand)[1].lower() in picture_formats.FORMATS:
            raise SettingError(f'--hand={asked.hand}: a picture? Expected the name of a hand, mine.hand')
        _check_place(asked.hand, folder=bool(asked.minutes), overwrite=writing.overwrite)


def _check_place(path: str, *, folder: bool, overwrite: bool) -> None:
    """Refuses a place for the hand that holds something else."""
    if not os.path.lexists(path):
        return
    if os.path.isdir(path) and not folder:
        raise FileExistsError(errno.EEXIST, 'is a folder, expected the name of a file', path)
    if folder and not os.path.isdir(path):
        raise FileExistsError(errno.EEXIST, 'is a file, expected the name of a folder (--minutes)', path)
    foreign = [name for name in sorted(os.listdir(path)) if name not in _OURS] if folder else []
    if foreign:
        raise FileExistsError(
            errno.EEXIST, f'folder holds other files ({foreign[0]}), expected a new or empty one', path
        )
    if not overwrite and (not folder or os.listdir(path)):
        raise FileExistsError(errno.EEXIST, 'exists; give --overwrite to replace it', path)


def _cell_aspect(model: str | None, writer: Writer | None) -> float:
    """Width of the model's cells by their height; refuses a model without style encoder."""
    if writer is not None:
        if writer.style_encoder is None:
            raise ValueError(NO_ENCODER)
        return writer.char_width_px / writer.char_px
    description = read_description(model or '')
    if 'style_encoder' not in description:
        raise ValueError(f'{model}: {NO_ENCODER}')
    sizes = description['generator']
    return float(sizes['char_width_px'] / sizes['char_px'])


def _told(lines: Sequence[HandLine]) -> str:
    """What was found, in words."""
    characters = sum(line.num_characters for line in lines)
    how = 'by their labels' if lines[0].text else 'counted by their shape'
    return f'{len(lines)} line{"s" * (len(lines) > 1)}, {characters} characters ({how})'


def _loaded(model: str | None, report: Callable[[str], Any]) -> Writer:
    report(f'loading {printable(model)} ...')
    from hwgen.inference.writer import Writer

    return Writer.load(model or '', tell=None)


def _read(lines: Sequence[HandLine], writer: Writer, settings: ImitationSettings) -> Hand:
    """What the style encoder reads."""
    from hwgen.imitation.line_pictures import room_of
    from hwgen.inference.imitation import read_hand

    place = (settings.hand.hand or settings.hand.images or '').rstrip('/')
    return read_hand(
        writer,
        [line.image for line in lines],
        [line.num_characters for line in lines],
        counted='labels' if lines[0].text else 'shape',
        name=os.path.splitext(os.path.basename(place))[0],
        rooms=[room_of(line) for line in lines],
    )


def _learn(
    lines: Sequence[HandLine],
    model: str,
    settings: ImitationSettings,
    *,
    command: str,
    report: Callable[[str], Any],
) -> tuple[Writer, Hand]:
    """Fine-tunes the model, reads the hand with it, and keeps both in one folder."""
    from hwgen.charset.encoding import Charset
    from hwgen.imitation import fine_tuning, line_pictures
    from hwgen.inference.hand_file import save_hand

    line_pictures.check_texts(lines, Charset.load())
    out = settings.hand.hand or ''
    with files.new_folder(out, replace=settings.writing.overwrite) as folder:
        fine_tuning.fine_tune(
            lines, folder, model=model, minutes=settings.hand.minutes, report=report, command=command
        )
        from hwgen.inference.writer import Writer

        writer = Writer.load(folder, tell=None)
        hand = _read(lines, writer, settings)
        save_hand(os.path.join(folder, generation.HAND), hand)
    return writer, hand
