"""Systems that write (`system.System`), to be compared: a model of ours, Handright, or a folder of pictures
that any other system wrote.
"""

import collections
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hwgen import files
from hwgen.data.formats.folder import read_folder
from hwgen.data.formats.image_files import read_image
from hwgen.data.preparing.picture_intake import look_at
from hwgen.evaluation.systems.font_simulator import FontSimulator
from hwgen.evaluation.systems.system import System
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.writer import Writer

SIMULATOR = 'handright'
TABLES = ('labels.tsv', 'label.txt', 'labels.txt', 'labels.jsonl', 'metadata.jsonl')
CELL_PX = 32
# Rows and columns of the table that are no system's.
_TAKEN = ('floor', 'real', 'name', 'better')


class ComparedSystemError(ValueError):
    """A system that cannot be opened, or that did not write what is to be measured; the message names it
    and what was expected.
    """


class PictureFolder:
    """What another system wrote: pictures of lines with their texts, in any of the ways that `bin/prepare
    --source=folder` reads.

    The pictures of a text are given in the order of the table, each once before any is given again.

    Args:
        path: str, folder; with a table (TABLES, the first that is there), or with a text file beside each
            picture.

    Attributes:
        char_px, char_width_px: int, 32.
        description: dict of JSON values.

    Raises:
        ComparedSystemError, FileNotFoundError, FormatError: no pictures with texts; a table that cannot be
            read.
    """

    char_px = char_width_px = CELL_PX

    def __init__(self, path: str | os.PathLike[str]):
        self.path = pathlib.Path(path)
        labels = next((name for name in TABLES if (self.path / name).is_file()), '.')
        if labels == '.' and not any(self.path.rglob('*.txt')):
            raise ComparedSystemError(
                f'{path}: neither a model (generator.json) nor pictures with their texts; expected a table'
                f' {", ".join(TABLES)}, or a text file beside each picture'
            )
        self._pictures: dict[str, list[pathlib.Path]] = {}
        self._given: collections.Counter[str] = collections.Counter()
        for row in read_folder(self.path, labels=labels):
            self._pictures.setdefault(row.text, []).append(row.path)
        self._source = self.path / labels
        self.description = {
            'system': 'folder of pictures',
            'labels': labels,
            'num_pictures': sum(map(len, self._pictures.values())),
        }

    def require(self, texts_by_seed: Iterable[Sequence[str]]) -> None:
        """Refuses a folder that has too few pictures of a text for one of the seeds, and begins with the
        first pictures.

        Args:
            texts_by_seed: list of lists of str.

        Raises:
            ComparedSystemError: naming the first such text, how many pictures are missing, and how the texts
                are written to a file.
        """
        most: collections.Counter[str] = collections.Counter()
        for texts in texts_by_seed:
            most |= collections.Counter(texts)  # the larger of the two counts
        missing = {
            text: count - len(self._pictures.get(text, []))
            for text, count in most.items()
            if count > len(self._pictures.get(text, []))
        }
        if missing:
            text = next(iter(missing))
            raise ComparedSystemError(
                f'{self._source}: {len(self._pictures.get(text, []))} pictures of {text!r}, expected'
                f' {most[text]}; {sum(missing.values())} pictures of {len(missing)} texts are missing in all:'
                ' --texts_out=FILE writes the list of texts'
            )
        absent = next((path for text in most for path in self._pictures[text] if not path.is_file()), None)
        if absent is not None:
            raise ComparedSystemError(f'{absent}: no such picture, named in {self._source}')
        self._given.clear()

    def write(
        self,
        texts: Sequence[str],
        *,
        style_seeds: Any,
        styles: Any = None,
        truncation: float = DEFAULT_TRUNCATION,
    ) -> list[np.ndarray]:
        """The next picture of each text.

        Args:
            texts: list of str.
            style_seeds, truncation: of no effect.
            styles: None.

        Returns:
            list of uint8 [H, W], as they are in the folder.

        Raises:
            ComparedSystemError: no picture of a text, one of light ink on black, or style vectors; OSError: a
                picture that cannot be read.
        """
        if styles is not None:
            raise ComparedSystemError(
                f'{self.path}: pictures that are made already are in no given hand: expected style seeds'
                ' alone'
            )
        found = []
        for text in texts:
            paths = self._pictures.get(text)
            if not paths:
                raise ComparedSystemError(f'{self._source}: no picture of {text!r}')
            path = paths[self._given[text] % len(paths)]
            found.append(read_image(path))
            look = look_at(found[-1])  # blank and black ones, and grey paper, are what a system wrote
            if look.fault == 'dark':
                raise ComparedSystemError(f'{path}: {look.words}')
            self._given[text] += 1
        return found


def open_system(place: str) -> System:
    """A system by its place.

    Args:
        place: str: `handright`, the folder of a model, or one of pictures with their texts.

    Raises:
        ComparedSystemError, SimulatorUnavailableError, ArtefactError, ...: it is none of these, or cannot be
            read.
    """
    if place == SIMULATOR:
        return FontSimulator(char_px=CELL_PX, char_width_px=CELL_PX)
    if not os.path.isdir(place):
        raise ComparedSystemError(
            f'{place}: no such folder; expected {SIMULATOR}, the folder of a model or one of pictures with'
            ' their texts'
        )
    # What a model cannot write shall count: nothing is refused.
    return (
        Writer.load(place, allow_unseen=True)
        if os.path.exists(os.path.join(place, 'generator.json'))
        else PictureFolder(place)
    )


def open_systems(places: Iterable[str]) -> dict[str, System]:
    """Systems by their places, each with a name: NAME=PLACE gives it, else it is the folder's (of
    `runs/a/model` it is `a`).

    Args:
        places: list of str.

    Returns:
        dict name -> system, in this order.

    Raises:
        ComparedSystemError: two of one name, a name that the table needs for something else; what
            `open_system` raises.
    """
    named = {}
    for place in places:
        name, separator, where = place.partition('=')
        if not separator or os.path.isdir(place):
            name, where = name_of(place), place
        if name in named or name in _TAKEN or not name:
            raise ComparedSystemError(
                f'{place}: the name {name!r} is {"taken" if name else "empty"}; expected NAME=FOLDER with'
                ' another name'
            )
        named[name] = where
    return {name: open_system(where) for name, where in named.items()}


def name_of(place: str | os.PathLike[str]) -> str:
    """The name of a system that was given none: its folder's, of `runs/a/model` it is `a`."""
    path = pathlib.Path(place).absolute()
    return path.parent.name if path.name == 'model' else path.name


def write_texts(path: str | os.PathLike[str], texts: Sequence[str]) -> None:
    """Writes the texts that another system has to write, whole or not at all.

    Args:
        path: str. `.tsv`: rows `000001.png TAB text`, which is the table of the folder that is to be filled;
            else one text a row.
        texts: list of str.
    """
    rows = (
        [f'{number:06d}.png\t{text}' for number, text in enumerate(texts, 1)]
        if str(path).lower().endswith('.tsv')
        else texts
    )
    files.write_file(str(path), ''.join(f'{row}\n' for row in rows).encode())
