"""The folders of a served model: `<base>/<number>/`, as TF-Serving looks for them."""

import errno
import os
import re


def find_versions(base):
    """The versions in a folder.

    Args:
        base: str.

    Returns:
        dict int -> str, path; empty where there is no such folder.
    """
    names = os.listdir(base) if os.path.isdir(base) else ()
    return {int(name): os.path.join(base, name) for name in names if re.fullmatch('[0-9]+', name)}


def version_folder(out):
    """The folder that an export goes to.

    Args:
        out: str, `BASE/NUMBER`, or `BASE` for one more than the largest number there.

    Returns:
        str, absolute path of a folder that does not exist.

    Raises:
        FileExistsError: the version is there, or a file stands where the base should be.
    """
    path = os.path.abspath(out)
    if os.path.isfile(path):
        raise FileExistsError(errno.EEXIST, 'is a file, expected a folder for versions or a version in it', path)
    if not re.fullmatch('[0-9]+', os.path.basename(path)):
        path = os.path.join(path, str(max(find_versions(path), default=0) + 1))
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, 'version exists and may be served; expected a new number, or the folder above it for '
                              'the next one', path)
    return path
