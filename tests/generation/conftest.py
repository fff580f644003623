"""What stands in for a model where writing is tested without one."""

import pytest

from hwgen.charset.encoding import Charset
from hwgen.inference.repertoire import Repertoire


@pytest.fixture(scope='session')
def repertoire():
    """That of a model whose characters are cells of 16 x 16 px."""
    charset = Charset.load()
    sizes = dict(
        content_encoding='layout',
        num_components=charset.num_components,
        num_structures=charset.num_structures,
        num_characters=charset.num_characters,
        char_px=16,
        char_width_px=16,
    )
    return Repertoire(charset, sizes)
