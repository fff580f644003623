"""Folders of records while they are written: complete under their name, or not there at all."""

import contextlib
import fcntl
import os
import pathlib
import shlex
import shutil
import sys

from hwgen.charset.encoding import Charset
from hwgen.data import shards as shards_lib


@contextlib.contextmanager
def exclusive(out_dir):
    """An empty folder beside `out_dir` that is this process's alone; what a killed process left in it is removed."""
    out_dir = pathlib.Path(out_dir)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    partial = out_dir.with_name(f'{out_dir.name}.partial')
    while True:
        partial.mkdir(exist_ok=True)
        fd = os.open(partial, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)  # waits for another process that writes the same folder
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), os.stat(partial)):
                break
        os.close(fd)  # that process has finished and moved the folder away
    try:
        for path in partial.iterdir():
            path.unlink()
        yield partial
    finally:
        if partial.exists() and os.path.samestat(os.fstat(fd), os.stat(partial)):
            shutil.rmtree(partial)
        os.close(fd)


def already_there(out_dir, identity):
    """info.json of a complete folder with the same settings; None where there is no folder."""
    if not pathlib.Path(out_dir).exists():
        return None
    try:
        info = shards_lib.read_info(out_dir)
    except shards_lib.RecordError as error:
        raise FileExistsError(f'{out_dir} exists and is no folder of records ({error}); choose another or remove it') from None
    Charset.load().check_compatible(info['charset']['row_count'], info['charset']['hash'])
    differing = [f'{name} {info.get(name)!r}, now {value!r}' for name, value in identity.items()
                 if name != 'settings' and info.get(name) != value]
    there = info.get('settings', {})
    differing += [f'{name} {there.get(name)!r}, now {value!r}' for name, value in identity['settings'].items()
                  if info.get('source') == identity['source'] and there.get(name) != value]
    if differing:
        raise FileExistsError(f'{out_dir} exists and was written with other settings ({"; ".join(differing)}); choose '
                              f'another folder or remove it')
    return info


def typed_command():
    """The command line of this process, as it would be typed."""
    program, *arguments = sys.argv or ['']
    name = pathlib.Path(program).name
    return shlex.join(['hwgen' if name == '__main__.py' else name, *arguments])


def charset_info():
    """What info.json says of the dictionary."""
    charset = Charset.load()
    return {'row_count': charset.row_count, 'hash': charset.hash}


def publish(partial, out_dir, info, *, report):
    """Writes info.json into a folder that is otherwise complete, gives it its name and returns info.json."""
    shards_lib.write_info(partial, info)
    partial.rename(out_dir)
    info = shards_lib.read_info(out_dir)
    report(f'{out_dir}: complete, {summary(info)}')
    return info


def summary(info):
    """The splits and their lines in a few words."""
    return ', '.join(f'{name} {counts["records"]}' for name, counts in info['splits'].items()) + ' lines'
