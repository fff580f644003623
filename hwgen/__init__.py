"""hwgen writes Chinese by hand: text in, images of handwritten lines out, in endless styles, characters of
no font included.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen.api import evaluate, export, generate, imitate, load, prepare, serve, train, verified
    from hwgen.charset.encoding import Charset
    from hwgen.inference.writer import Writer

__version__ = '0.1.0'
__all__ = [
    'Charset',
    'Writer',
    'evaluate',
    'export',
    'generate',
    'imitate',
    'load',
    'prepare',
    'serve',
    'train',
    'verified',
]
# Names are loaded when they are first asked for: `import hwgen` takes no NumPy and no TensorFlow.
_PLACES = {
    **dict.fromkeys(
        ('evaluate', 'export', 'generate', 'imitate', 'load', 'prepare', 'serve', 'train', 'verified'),
        'hwgen.api',
    ),
    'Charset': 'hwgen.charset.encoding',
    'Writer': 'hwgen.inference.writer',
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    found = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
