"""Export: a generator becomes a version folder that TF-Serving loads, after a fresh process has shown that it
writes the same.

`<base>/<version>/` holds the SavedModel and `assets.extra/hwgen.json`, what it says of itself. TF-Serving
takes every folder of a base path whose name is a number, so a version appears whole and compared, or not at
all, and is never replaced.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import io
import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from PIL import Image

import hwgen
from hwgen.characters import Characters
from hwgen.charset.printable import as_json
from hwgen.serving import fresh_process
from hwgen.serving.saved_version import DESCRIPTION
from hwgen.serving.served_model import SIGNATURES, ServedModel
from hwgen.serving.versions import NewVersion
from hwgen.tensorflow_files import plain_path, reason_of

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer

TOLERANCE = 1  # grey levels: another compilation of the graph may round differently
DATA_LICENCES = {
    'scribe': (
        'embedded corpus of hwgen: drawn from fonts under the SIL Open Font License 1.1 (one under the BSD'
        ' licence) and from stroke data under the Arphic Public License'
    ),
    'casia': (
        'CASIA handwriting databases: research only; neither the data nor weights trained on them may be'
        ' published'
    ),
    'iam': (
        'IAM handwriting database: non-commercial research only; neither the data nor weights trained on it'
        ' may be published'
    ),
    'iam_online': (
        'IAM-OnDB: non-commercial research only; neither the data nor weights trained on it may be published'
    ),
}
UNSTATED = 'not stated'
_SAMPLE_LENGTHS = (1, 7, 40)  # characters of the lines compared: 40 take two windows
_UNKNOWN = '\U0010ffff'  # no character, so in no table


class ExportError(ValueError):
    """An exported model does not load or does not write what the generator writes."""


def data_licence(info: dict[str, Any]) -> str:
    """The licence of the lines that a generator was trained on, as far as its artefact tells.

    Args:
        info: dict, of the artefact's description.

    Returns:
        str; `UNSTATED` for lines of one's own, and for a training that began with other weights, whose lines
        it does not know.
    """
    if '--init_from' in info.get('command', ''):
        return UNSTATED
    return DATA_LICENCES.get(info.get('data', {}).get('source'), UNSTATED)


def export_model(
    writer: Writer, out: str, *, truncation: float, max_characters: int, licence: str
) -> tuple[str, dict[str, Any]]:
    """Writes a version folder.

    Args:
        writer: Writer of the generator, with its description.
        out: str, the version, or the folder for the next one; see `versions.version_folder`.
        truncation, max_characters: see `ServedModel`.
        licence: str, of the training data.

    Returns:
        path: str, of the version; description: dict, what `assets.extra/hwgen.json` says.

    Raises:
        ExportError: what was reloaded does not write the same; OSError naming the version. Nothing has
            appeared then.
    """
    with NewVersion(out) as version:
        folder = version.folder
        model = ServedModel(writer, truncation=truncation, max_characters=max_characters)
        try:
            with plain_path(folder) as plain:
                tf.saved_model.save(model, plain, signatures=model.signatures())
        except tf.errors.OpError as error:
            full = isinstance(error, tf.errors.ResourceExhaustedError)
            raise OSError(
                errno.ENOSPC if full else errno.EIO, reason_of(error), None if full else version.path
            ) from None
        texts = _sample_texts(model.lookup.characters, max_characters)
        difference = _compare(folder, writer, texts, truncation)
        info = writer.description.get('info', {})
        description = dict(
            format=1,
            hwgen=hwgen.__version__,
            tensorflow=tf.__version__,
            charset=dict(row_count=writer.charset.row_count, hash=writer.charset.hash),
            characters=len(model.lookup.characters),
            allow_unseen=writer.repertoire.allow_unseen,
            note=writer.repertoire.note,
            max_characters=max_characters,
            truncation=truncation,
            char_px=writer.char_px,
            char_width_px=writer.char_width_px,
            style_dim=writer.style_dim,
            content_encoding=writer.generator.config.content_encoding,
            data_licence=licence,
            trained=info,
            signatures=list(SIGNATURES),
            compared=dict(
                lines=len(texts), characters=sum(map(len, texts)), largest_difference_grey_levels=difference
            ),
        )
        os.makedirs(os.path.dirname(os.path.join(folder, DESCRIPTION)))
        with open(os.path.join(folder, DESCRIPTION), 'w', encoding='utf-8') as file:
            json.dump(as_json(description), file, indent=1, ensure_ascii=False)
            file.write('\n')
    return version.path, description


def _sample_texts(characters, max_characters):
    """Texts that together run through the table from its first character to its last."""
    lengths = [min(length, max_characters) for length in _SAMPLE_LENGTHS]
    places = np.linspace(0, len(characters) - 1, sum(lengths)).round().astype(int)
    return [''.join(characters[i] for i in part) for part in np.split(places, np.cumsum(lengths)[:-1])]


def _compare(folder, writer, texts, truncation):
    """Holds what a fresh process writes against the Writer; returns the largest difference in grey levels.

    Raises:
        ExportError: it cannot be loaded, or the difference exceeds `TOLERANCE`.
    """
    seeds, count = list(range(3, 3 + len(texts))), len(texts)
    styles = writer.styles(seeds, truncation=1.0)
    average = np.asarray(writer.generator.style_space.mean)
    half = styles + np.float32(0.5) * (average - styles)
    characters = Characters.stack([writer.encode(text).characters for text in texts])
    coded = {name: array.tolist() for name, array in characters._asdict().items()}
    # One batch of all lengths with a text that cannot be written, and a line by itself.
    requests = [
        dict(signature='serving_default', inputs=dict(texts=[*texts, _UNKNOWN], style_seeds=[*seeds, 0])),
        dict(signature='serving_default', inputs=dict(texts=texts[-1:], style_seeds=seeds[-1:])),
        dict(
            signature='components',
            inputs=dict(coded, style_seeds=seeds, truncation=[1.0] * count),
        ),
        dict(
            signature='styled_components',
            inputs=dict(
                coded,
                styles=styles.tolist(),
                style_seeds=[0] * count,
                truncation=[0.5] * count,
            ),
        ),
        dict(signature='styled', inputs=dict(texts=texts, styles=styles.tolist(), truncation=[0.5] * count)),
        dict(signature='images', inputs=dict(texts=texts, style_seeds=seeds)),
        dict(signature='styles', inputs=dict(style_seeds=seeds)),
    ]
    names, (mixed, alone, by_codes, styled_codes, styled, images, drawn) = _ask(folder, requests)
    if names != sorted(SIGNATURES):
        raise ExportError(
            f'{folder}: signatures {", ".join(names)}; expected {", ".join(sorted(SIGNATURES))}'
        )
    expected = writer.write(texts, style_seeds=seeds, truncation=truncation)
    in_vectors = writer.write(texts, styles=half, truncation=0.5)
    pairs = [
        ('serving_default', _pictures(mixed), expected),
        ('serving_default, one line', _pictures(alone), expected[-1:]),
        ('components', _pictures(by_codes), writer.write(texts, style_seeds=seeds, truncation=1.0)),
        ('styled_components', _pictures(styled_codes), in_vectors),
        ('styled', _pictures(styled), in_vectors),
        (
            'images',
            [
                (np.asarray(image)[:, :width, 0] + 1) * 127.5
                for image, width in zip(images['images'], images['widths'], strict=True)
            ],
            expected,
        ),
    ]
    said = base64.b64decode(mixed['error'][-1]).decode()
    if said != 'U+10FFFF at position 0':
        raise ExportError(f'{folder}: the text U+10FFFF gives the error {said!r}, expected that it is named')
    largest = 0.0
    for name, found, wanted in pairs:
        for text, picture, line in zip(
            texts, found, wanted, strict=False
        ):  # the first answer has one line more
            if picture is None or picture.shape != line.shape:
                raise ExportError(
                    f'{folder}: signature {name} gives no picture of {text!r}, expected {line.shape[1]} x'
                    f' {line.shape[0]} px'
                )
            # Floats are not rounded: half a grey level is what the rounding of the expected picture may take.
            allowed = TOLERANCE + (0.5 if picture.dtype.kind == 'f' else 0.0)
            difference = float(np.abs(picture.astype(float) - line).max())
            if not difference <= allowed:
                raise ExportError(
                    f'{folder}: signature {name} writes {text!r} up to {difference:g} grey levels apart from'
                    f' the generator, expected at most {TOLERANCE}'
                )
            largest = max(largest, difference if picture.dtype.kind != 'f' else 0.0)
    if not np.allclose(drawn['styles'], styles, atol=1e-5):
        raise ExportError(
            f'{folder}: signature styles draws other hands than the generator from the same seeds'
        )
    return largest


def _pictures(answer):
    """The pictures of an answer, uint8 [H, W] each; None where there is an error."""
    return [
        None if error else np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        for data, error in zip(answer['image_bytes'], answer['error'], strict=True)
    ]


def _ask(folder, requests):
    """Runs `fresh_process` on a SavedModel; returns the names of its signatures and its answers."""
    # The scratch folder lies in it, so that it goes with it.
    with (
        tempfile.TemporaryDirectory(prefix='.', dir=folder) as scratch,
        plain_path(folder) as plain,
        contextlib.ExitStack() as pipe,
    ):
        given, told = (os.path.join(scratch, name) for name in ('requests.json', 'answers.json'))
        with open(given, 'w', encoding='utf-8') as file:
            json.dump(requests, file)
        # It ends with this process, however that ends: then nobody holds the other end of its standard input.
        read_end, write_end = os.pipe()
        pipe.callback(os.close, write_end)
        try:
            child = subprocess.Popen(
                [sys.executable, '-P', fresh_process.__file__, plain, given, told],
                stdin=read_end,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors='replace',
            )
        finally:
            os.close(read_end)
        with child:
            try:
                said = child.communicate()[1].strip().splitlines()
            except BaseException:
                child.kill()
                raise
        if child.returncode:
            raise ExportError(
                f'{folder}: a fresh process cannot load or run it:'
                f' {said[-1] if said else f"status {child.returncode}"}'
            )
        with open(told, encoding='utf-8') as file:
            answers = json.load(file)
    return answers['signatures'], answers['answers']
