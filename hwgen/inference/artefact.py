"""A trained generator as files: `generator.json` (sizes, charset, provenance) and `weights.npz` (no pickles).

Small enough to commit, and readable without the training code. `SavedModel`s for TF-Serving are made from it.
"""

from __future__ import annotations

import dataclasses
import os
import struct
import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen import files
from hwgen.characters import Characters
from hwgen.charset.printable import as_json
from hwgen.inference.description import FORMAT, ArtefactError, read_description
from hwgen.models.generator import Generator
from hwgen.models.style_encoder import StyleEncoder
from hwgen.settings.model import GeneratorConfig
from hwgen.settings.setting import from_stored

if TYPE_CHECKING:
    from hwgen.charset.encoding import Charset


def save_generator(
    path: str | os.PathLike[str],
    generator: Generator,
    *,
    style_encoder: StyleEncoder | None = None,
    charset: Charset,
    seen: str | None = None,
    info: dict[str, Any] | None = None,
    dtype: str = 'float32',
) -> None:
    """Writes a generator to a folder, whole or not at all.

    Args:
        path: str, folder; an existing artefact there is replaced once the new one is complete.
        generator: Generator, built.
        style_encoder: StyleEncoder or None.
        charset: Charset the ids belong to; its row count and hash are stored.
        seen: str, the characters that training pictures showed (`Repertoire`); None: not known.
        info: dict of JSON values (training command, step, seed, ...).
        dtype: 'float32' or 'float16', of the stored weights.

    Raises:
        OSError: the folder cannot be written.
    """
    path = os.path.abspath(path)
    with files.new_folder(path) as temporary:
        arrays = named_arrays('generator', generator)
        description = dict(
            format=FORMAT,
            generator=dataclasses.asdict(generator.config),
            charset=dict(row_count=charset.row_count, hash=charset.hash),
            info=as_json(info or {}),
        )
        if seen is not None:
            description['seen'] = seen
        if style_encoder is not None:
            arrays.update(named_arrays('style_encoder', style_encoder))
            description['style_encoder'] = dict(channels=[c.filters for c in style_encoder.convolutions])
        stored: dict[str, Any] = {name: value.astype(dtype) for name, value in arrays.items()}
        np.savez_compressed(os.path.join(temporary, 'weights.npz'), **stored)
        files.write_json(os.path.join(temporary, 'generator.json'), description)


def load_generator(
    path: str | os.PathLike[str], *, charset: Charset | None = None
) -> tuple[Generator, StyleEncoder | None, dict[str, Any]]:
    """Reads a generator.

    Args:
        path: str, folder that `save_generator` wrote.
        charset: Charset to check the ids against, or None.

    Returns:
        generator: Generator, built, with its weights; style_encoder: StyleEncoder or None; description: dict.

    Raises:
        ArtefactError: naming the file and what was expected.
        CharsetMismatchError: the artefact's table is not a beginning of `charset`.
    """
    description, file = read_description(path), os.path.join(path, 'generator.json')
    try:
        config = from_stored(GeneratorConfig, description['generator'])
        style_channels = (
            tuple(description['style_encoder']['channels']) if 'style_encoder' in description else None
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f'{file}: not a generator description of format {FORMAT}: {error}') from None
    if charset is not None:
        charset.check_compatible(description['charset']['row_count'], description['charset']['hash'])
    file = os.path.join(path, 'weights.npz')
    arrays = read_arrays(file)
    generator = built_generator(config)
    assign_arrays('generator', generator, arrays, file)
    style_encoder = None
    if style_channels is not None:
        style_encoder = StyleEncoder(
            config.style_dim,
            character_noise_dim=config.character_noise_dim,
            char_px=config.char_px,
            char_width_px=config.char_width_px,
            channels=style_channels,
            reads_content=config.layout == 'spaced',
            name='style_encoder',
        )
        style_encoder(
            np.ones([1, config.char_px, config.char_width_px, 1], np.float32),
            described=generator.content_encoder.describe(Characters.ones(1, 1)),
        )
        assign_arrays('style_encoder', style_encoder, arrays, file)
    return generator, style_encoder, description


def built_generator(config: GeneratorConfig) -> Generator:
    """A Generator whose variables exist: GeneratorConfig -> Generator."""
    generator = Generator(config, name='generator')
    generator(
        Characters.ones(),
        style=np.zeros([1, config.style_dim], np.float32),
        character_noise=np.zeros([1, 1, config.character_noise_dim], np.float32),
    )
    return generator


def _name(prefix, index, variable):
    """Position and name: positions are stable for one architecture, names make a mismatch readable."""
    return f'{prefix}/{index:03d}/{variable.path.split("/", 1)[-1]}'


def named_arrays(prefix: str, module: Any) -> dict[str, np.ndarray]:
    """dict name -> array of a Keras layer's or model's variables, in their order."""
    return {_name(prefix, i, v): v.numpy() for i, v in enumerate(module.variables)}


def read_arrays(file: str) -> dict[str, np.ndarray]:
    """The arrays of a `weights.npz`.

    Args:
        file: str, path.

    Returns:
        dict name -> array.

    Raises:
        ArtefactError: no such file, or a damaged one.
    """
    try:
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise ArtefactError(f'{os.path.dirname(file)}: no weights there (expected {file})') from None
    # What a damaged archive raises: a bad checksum, bytes that do not inflate, an unknown method or a cipher,
    # a short header;
    # and an array's header, which NumPy parses as Python, that is none or speaks of more than there is memory
    # for.
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        struct.error,
        SyntaxError,
        tokenize.TokenError,
        TypeError,
        OverflowError,
        MemoryError,
    ) as error:
        raise ArtefactError(f'{file}: damaged weights: {" ".join(str(error).split())}') from None


def assign_arrays(prefix: str, module: Any, arrays: dict[str, np.ndarray], file: str) -> None:
    """Gives the variables of a built layer or model what `named_arrays` took from one like it.

    Args:
        prefix: str, the same one.
        module: Keras layer or model.
        arrays: dict name -> array.
        file: str, where they come from, for the errors.

    Raises:
        ArtefactError: an array is missing, of another shape, or not finite.
    """
    for index, variable in enumerate(module.variables):
        name = _name(prefix, index, variable)
        if name not in arrays:
            raise ArtefactError(f'{file}: no array {name}, which the description beside it asks for')
        if arrays[name].shape != tuple(variable.shape):
            raise ArtefactError(
                f'{file}: {name} has shape {arrays[name].shape}, expected {tuple(variable.shape)}'
            )
        if not np.isfinite(arrays[name]).all():
            raise ArtefactError(f'{file}: {name} holds values that are not finite')
        variable.assign(arrays[name].astype('float32'))
