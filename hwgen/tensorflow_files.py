"""Files that TensorFlow reads and writes: paths that it would take for patterns, and what it says when it
cannot.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator

from hwgen.charset.printable import is_text

# TensorFlow looks for checkpoints and SavedModels with fnmatch(3) and Python's glob
_PATTERN = frozenset('*?[]{}\\')
_REASONS = [
    (re.compile(said), meant)
    for said, meant in (
        (r'No space left on device', 'no space left on device'),
        (r'Disk quota exceeded', 'disk quota exceeded'),
        (r'Permission denied', 'permission denied'),
        (r'Read-only file system', 'read-only file system'),
        (r'Input/output error', 'input/output error'),
        (r'Is a directory', 'is a directory'),
        (r'[Nn]ot a directory', 'not a directory'),
        (r'[Cc]hecksum', 'damaged (a checksum does not fit)'),
        (r'too short|[Ll]ess bytes|[Tt]runcated', 'damaged (a file of it is cut short)'),
        (r'not an sstable|corrupt|DATA_LOSS|Error parsing', 'damaged'),
        (
            r'No such file or directory|Failed to find any matching files|does not exist',
            'no such file or directory',
        ),
        (
            r'incompatible tensor with shape (\(.*?\)) .*variable with shape (\(.*?\)) and name ([^\s:]+)',
            r'\3 has shape \1 there and \2 here',
        ),
        (r'Unresolved object in checkpoint \(root\)\.([\w.-]+)', r'it holds \1, which is not here'),
        (r'Python objects that were not bound', 'it lacks variables that are here'),
    )
]


def takes_for_pattern(path: str) -> str:
    """The characters of a path that TensorFlow takes for a pattern or for the name of another file system,
    and bytes that are no UTF-8, of which it
    takes none; '' where there are none."""
    return ''.join(
        sorted(_PATTERN & set(path) | {character for character in path if not is_text(character)})
    ) or ('://' if re.match(r'[A-Za-z][\w.]*://', path) else '')


@contextlib.contextmanager
def plain_path(folder: str | os.PathLike[str]) -> Iterator[str]:
    """A path of a folder that TensorFlow reads as it stands.

    TensorFlow takes the names of checkpoints and SavedModels for patterns: below `runs/exp[1]` it finds
    nothing that it wrote there, and removes the files of `runs/exp1`. Such a folder is reached by a symbolic
    link in a temporary folder.

    Args:
        folder: str, of this machine; need not exist.

    Yields:
        str: `folder` itself, unless its path has such characters.

    Raises:
        ValueError: it has, and no link can be made; names the characters.
    """
    folder = str(folder)
    characters = takes_for_pattern(folder)
    if not characters:
        yield folder
        return
    with contextlib.ExitStack() as stack:
        yield os.path.join(stack.enter_context(_linked(folder, characters)), 'folder')


@contextlib.contextmanager
def _linked(folder, characters):
    """A temporary folder with a link `folder`, whose own path is plain."""
    for place in (tempfile.gettempdir(), '/tmp', '/var/tmp'):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            if takes_for_pattern(place):
                continue
            made = stack.enter_context(tempfile.TemporaryDirectory(prefix='hwgen-', dir=place))
            os.symlink(os.path.abspath(folder), os.path.join(made, 'folder'))
            kept = stack.pop_all()
            break
    else:
        raise ValueError(
            f'{folder}: TensorFlow takes {" ".join(characters)} in a path for a pattern, and no temporary'
            ' folder can be written to get around it: expected a path without, or TMPDIR to name such a'
            ' folder'
        )
    with kept:
        yield made


def reason_of(error: BaseException) -> str:
    """What an error of the operating system or of TensorFlow says about a file, in a few words: without
    TensorFlow's names of operations and temporary files.

    Args:
        error: OSError, tf.errors.OpError, or what a checkpoint's restoring raises (ValueError,
            AssertionError, IndexError).

    Returns:
        str, one line.
    """
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    text = ' '.join(str(getattr(error, 'message', error)).split())
    for said, meant in _REASONS:
        found = said.search(text)
        if found:
            return found.expand(meant)
    return re.sub(r'^(\{\{.*?\}\} *)+| *\[Op:\w+\].*$', '', text)[:300]
