"""A small generator, exported once, and loaded as a server loads it."""

import pytest
from made_once import made_once
from small_generator import shared_small_generator

from hwgen.charset.encoding import Charset
from hwgen.inference.writer import Writer
from hwgen.serving import export
from hwgen.serving.saved_version import SavedVersion


@pytest.fixture(scope='session')
def writer():
    return Writer(shared_small_generator(), Charset.load(), windows_per_step=1)


@pytest.fixture(scope='session')
def truncation():
    """Of the exported model; none of the defaults, so that a forgotten one shows."""
    return 0.7


@pytest.fixture(scope='session')
def exported(writer, truncation, tmp_path_factory):
    """The version folder (str) of the small generator, what `export_model` says of it, and what the fresh
    process answered.
    """
    ask, answered = export._ask, []

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(export, '_ask', lambda *arguments: answered.append(ask(*arguments)) or answered[-1])
            path, told = export.export_model(
                writer,
                str(folder / 'hwgen' / '3'),
                truncation=truncation,
                max_characters=80,
                licence='made for a test',
            )
        return path, told, answered[0]

    return made_once(tmp_path_factory, 'served', make)


@pytest.fixture(scope='session')
def served(exported):
    """SavedVersion of the export."""
    return SavedVersion(exported[0])
