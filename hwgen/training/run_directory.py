"""The folder of a run: one writer at a time, and only calls that go on with what it was started as (`config.json`)."""

import contextlib
import fcntl
import glob
import json
import os
import re

import tensorflow as tf

_COMPARED = ('model', 'settings', 'schedule', 'data', 'unlabelled')  # parts of config.json that make two calls one run
# Flags that say where, how long and how loudly, not what is trained.
_FREE_FLAGS = frozenset((
    'data', 'run_dir', 'strategy', 'cpu_replicas', 'deterministic', 'max_steps', 'max_minutes', 'log_every',
    'sample_every', 'checkpoint_every', 'keep_checkpoints'))


class RunDirectoryError(RuntimeError):
    """A file of the run could not be written (a full disk, a folder that has gone)."""


class OtherRunError(ValueError):
    """The folder holds a run that was started otherwise, or another process is writing there."""


@contextlib.contextmanager
def writing(path):
    """Within it, what the operating system or TensorFlow says about a failed write becomes one line.

    Args:
        path: str, the file or folder that is written.

    Raises:
        RunDirectoryError: naming `path` and the reason.
    """
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise RunDirectoryError(f'{path}: cannot be written: {reason_of(error)}') from None


def reason_of(error):
    """What an OSError or an OpError says, in one line, without TensorFlow's names of nodes and operations."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return re.sub(r'^(\{\{.*?\}\} *)+| *\[Op:\w+\].*$', '', error.message.splitlines()[0])


class RunDirectory:
    """A run's folder, made if absent and locked against a second `train` until `close`.

    Args:
        path: str.
        config: dict of JSON values, written to config.json, or compared with the one that is there. `flags` in it are
            named when something differs. `data.digest` and `unlabelled.digest`, where both have them, decide about the lines
            alone, so that a collection may be moved. Where nothing was saved yet, a new start with other flags is fine.

    Attributes:
        rewritten: bool, a config.json of other flags was replaced, as there was no checkpoint yet.

    Raises:
        OtherRunError: naming the flags that differ; or that another process writes there.
        OSError: the folder cannot be made.
    """

    def __init__(self, path, config):
        self.path = path
        os.makedirs(os.path.join(path, 'samples'), exist_ok=True)
        self._lock = self._take_lock()
        self.rewritten = False
        try:
            self._settle(json.loads(json.dumps(config)))
        except BaseException:
            self.close()
            raise

    def close(self):
        """Lets others write here."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def has_checkpoints(self):
        """Whether there is anything to go on from."""
        return bool(glob.glob(os.path.join(glob.escape(self.path), 'checkpoints', 'step-*.index')))

    def _take_lock(self):
        lock = open(os.path.join(self.path, 'lock'), 'a', encoding='utf-8')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise OtherRunError(f'{self.path}: another process is training there; wait for it, or give another --run_dir') from None
        except OSError:  # a file system without locks: then it is up to the user
            pass
        return lock

    def _settle(self, config):
        file = os.path.join(self.path, 'config.json')
        if os.path.exists(file):
            try:
                with open(file, encoding='utf-8') as stream:
                    before = json.load(stream)
                message = _difference(before, config)
            except (ValueError, TypeError, AttributeError) as error:
                message = f'{file} is not the description of a run ({error}): restore it, or give another --run_dir'
            if message and self.has_checkpoints():
                raise OtherRunError(f'{self.path}: {message}')
            if not message:
                return
            self.rewritten = True
        with writing(file):
            with open(file + '.part', 'w', encoding='utf-8') as stream:
                json.dump(config, stream, indent=1, ensure_ascii=False, sort_keys=True)
                stream.write('\n')
            os.replace(file + '.part', file)


def _difference(before, now):
    """What of two configurations differs, for the user; None where they are one run. Entries that only one has (of
    another version of the program) do not count."""
    for part in ('data', 'unlabelled'):
        then, at_present = before.get(part) or {}, now.get(part) or {}
        if 'digest' in then and 'digest' in at_present:
            if then['digest'] != at_present['digest']:
                return (f'its run was started on other lines (then --{part}={then.get("folder")}, now '
                        f'--{part}={at_present.get("folder")}): give the same lines, or another --run_dir')
            now = {**now, part: {**at_present, 'folder': then.get('folder')}}  # the same lines, wherever they lie now
    different = [found for part in _COMPARED if part in before and part in now for found in _leaves(before[part], now[part], part)]
    if not different:
        return None
    then, at_present = before.get('flags', {}), now.get('flags', {})
    named = [name for name in sorted(set(then) & set(at_present) - _FREE_FLAGS) if then[name] != at_present[name]]
    if named:
        old, new = (' '.join(f'--{name}={_text(values[name])}' for name in named[:4]) for values in (then, at_present))
        more = f' (and {len(named) - 4} flags more)' if len(named) > 4 else ''
        return f'its run was started with {old}, now {new}{more}: give the same flags, or another --run_dir'
    place, old, new = different[0]
    return f'its run was started with {place} = {_text(old)}, now {_text(new)}: give what it was started with, or another --run_dir'


def _leaves(before, now, place):
    """(place, before, now) of every value that differs."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [found for key in sorted(set(before) & set(now)) for found in _leaves(before[key], now[key], f'{place}.{key}')]
    return [] if before == now else [(place, before, now)]


def _text(value):
    """A value as a flag takes it."""
    if isinstance(value, list):
        return ','.join(map(str, value))
    return '' if value is None else str(value).lower() if isinstance(value, bool) else str(value)
