"""A request: texts to a server that runs an exported model, and its pictures into files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hwgen import console, files
from hwgen.charset.printable import printable
from hwgen.settings.generate import check_writing
from hwgen.settings.serving import RequestSettings, ServerSettings
from hwgen.settings.setting import SettingError

if TYPE_CHECKING:
    import numpy as np

    from hwgen.inference.hand_file import Hand
    from hwgen.serving.client import Client


def request(
    settings: RequestSettings, server: ServerSettings, *, report: Callable[[str], Any] = console.say
) -> None:
    """Checks settings, place and texts, asks, and writes what comes back.

    Args:
        settings: which texts, in whose hands, where to.
        server: who is asked.
        report: function of a str, told what was written.

    Raises:
        SettingError: settings that do not go together, or a text that the server cannot write.
        ServerError, RefusalError: the server does not answer, or refuses.
        HandError: no hand there, or that of another model.
        OSError: no such text file, or a place that cannot be written.
    """
    check_writing(
        settings.text,
        settings.text_file,
        out=settings.out,
        style_seed=settings.style_seed,
        num_styles=settings.num_styles,
    )
    from hwgen.inference import picture_files, picture_formats

    out = settings.out or ''
    folder = not picture_formats.names_picture(out)
    if settings.text_file is not None and not folder:
        raise SettingError(
            f'--out={out}: --text_file writes a folder, expected the name of one ({out}/ is one, too)'
        )
    picture_files.check_place(out, overwrite=settings.overwrite, folder=folder)
    rows, hand = _rows(settings), _hand(settings)
    with picture_files.reserved(out, overwrite=settings.overwrite, folder=folder):
        written, num_wrong = _answers(settings, server, rows, hand)
        if folder:
            with picture_files.LineFolder(out, replace=settings.overwrite) as made:
                for text, seed, picture in written:
                    style = seed if hand is None else f'{hand.name} {seed}'
                    made.add(_decoded(picture), text, style=style)
        else:
            _write_sheet(out, [picture for _, _, picture in written], replace=settings.overwrite)
        report(
            f'{printable(out)}: {len(written):,} picture{"s" * (len(written) != 1)}'
            + (f', {num_wrong:,} left out' if num_wrong else '')
        )


def _answers(
    settings: RequestSettings, server: ServerSettings, rows: list[tuple[str, str]], hand: Hand | None
) -> tuple[list[tuple[str, int, bytes]], int]:
    """Asks for the rows in all hands: (text, seed, PNG) of those that were written, and how many rows were
    not.
    """
    seeds = range(settings.style_seed, settings.style_seed + settings.num_styles)
    tasks = [(place, text, seed) for place, text in rows for seed in seeds]
    answers = _client(server).write(
        [text for _, text, _ in tasks],
        style_seeds=[seed for _, _, seed in tasks],
        truncation=settings.truncation,
        hand=hand,
    )
    both = list(zip(tasks, answers, strict=True))
    wrong = {place: answer.error for (place, _, _), answer in both if answer.error}
    for place, error in list(wrong.items())[:3] if settings.skip_unwritable else ():
        console.warn(f'left out: {place}: {error}')
    written: list[Any] = [
        (text, seed, answer.picture) for (_, text, seed), answer in both if not answer.error
    ]
    if wrong and not (settings.skip_unwritable and written):
        place, more = next(iter(wrong)), f' (and {len(wrong) - 1:,} more such rows)' if len(wrong) > 1 else ''
        raise SettingError(
            f'{place}: {wrong[place]}{more}'
            + ('; --skip_unwritable leaves such rows out' if settings.text_file else '')
        )
    return written, len(wrong)


def _write_sheet(out: str, pictures: list[bytes], *, replace: bool) -> None:
    """Pictures below each other in one; a PNG alone stays as it came."""
    from hwgen.inference import picture_files, picture_formats

    images = [_decoded(picture) for picture in pictures]
    picture_formats.check_size(
        *picture_files.stacked_size([(image.shape[1], image.shape[0]) for image in images]),
        place=f'--text in {len(images)} hands',
        path=out,
        advice='a folder as --out has a picture for each hand',
    )
    as_it_came = len(images) == 1 and picture_formats.format_of(out).name == 'PNG'
    data = pictures[0] if as_it_came else picture_formats.encode([picture_files.stack(images)], out)
    files.write_file(out, data, replace=replace)


def _rows(settings: RequestSettings) -> list[tuple[str, str]]:
    """Pairs of place, for complaints, and text."""
    if settings.text_file is None:
        return [('--text', (settings.text or '').strip())]
    from hwgen.inference import text_files

    file = text_files.TextFile(settings.text_file)
    rows = [(f'{file.name}:{row.number}', row.text) for row in file.rows() if row.text]
    if not rows:
        raise SettingError(f'{file.name}: no text in it; expected one line of text a row')
    return rows


def _hand(settings: RequestSettings) -> Hand | None:
    if settings.hand is None:
        return None
    from hwgen.inference.hand_file import load_hand

    if settings.num_styles > 1:
        raise SettingError('--num_styles does not go with --hand, which is one hand')
    return load_hand(settings.hand)


def _client(server: ServerSettings) -> Client:
    from hwgen.serving.client import Client

    options: dict[str, Any] = dict(
        model=server.model_name, version=server.version, label=server.label, timeout_sec=server.timeout_sec
    )
    if server.grpc:
        from hwgen.serving.grpc_transport import GrpcTransport

        return Client(GrpcTransport(server.grpc, **options))
    from hwgen.serving.rest_transport import RestTransport

    return Client(RestTransport(server.url, retries=server.retries, **options))


def _decoded(picture: bytes) -> np.ndarray:
    """Bytes of a PNG -> uint8 [H, W]."""
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(picture)).convert('L'))
