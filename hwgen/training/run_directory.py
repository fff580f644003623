"""The folder of a run: one writer at a time, and only calls that go on with what it was started as
(`config.json`).
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from hwgen import files
from hwgen.charset.printable import as_json
from hwgen.settings.flags import free_flags
from hwgen.settings.model import GeneratorConfig, HctGanConfig
from hwgen.settings.pairs import PairSettings
from hwgen.settings.schedule import Schedule
from hwgen.settings.setting import absent_values
from hwgen.settings.steps import GanSettings
from hwgen.settings.train import SECTIONS
from hwgen.tensorflow_files import reason_of
from hwgen.training.checkpoints import saved_steps

# parts of config.json that make two calls one run
_COMPARED = ('model', 'settings', 'pairs', 'schedule', 'data', 'unlabelled')
_FREE_FLAGS = free_flags(*SECTIONS)
# what the parts of config.json are made of
_STORED = {'model': HctGanConfig, 'settings': GanSettings, 'pairs': PairSettings, 'schedule': Schedule}
_FIRST_WEIGHTS = ('init_from', 'recognizers_from')  # read at the start of a run alone


class RunDirectoryError(RuntimeError):
    """A file of the run could not be written (a full disk, a folder that has gone)."""


class OtherRunError(ValueError):
    """The folder holds a run that was started otherwise, or another process is writing there."""


@contextlib.contextmanager
def writing(path: str) -> Iterator[None]:
    """Within it, what the operating system or TensorFlow says about a failed write becomes one line.

    Args:
        path: the file or folder that is written.

    Raises:
        RunDirectoryError: naming `path` and the reason.
    """
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise RunDirectoryError(f'{path}: cannot be written: {reason_of(error)}') from None


class RunDirectory:
    """A run's folder, made if absent and locked against a second `train` until `close`.

    Args:
        path: the folder.
        config: JSON values, written to config.json, or compared with the one that is there. `flags`
            in it are named when something differs. `digest` and `contents` of `data` and `unlabelled`, where
            both have them, decide about the lines alone, so that a collection may be moved; `contents` that
            are not known yet (None) are added by the first call that knows them. Where nothing was saved yet,
            a new start with other flags is fine.

    Attributes:
        rewritten: bool, a config.json of other flags was replaced, as there was no checkpoint yet.

    Raises:
        OtherRunError: naming the flags that differ; or that another process writes there; or that there are
            checkpoints and no config.json to say of what.
        OSError: the folder cannot be made.
    """

    def __init__(self, path: str, config: Mapping[str, Any]):
        self.path = path
        os.makedirs(os.path.join(path, 'samples'), exist_ok=True)
        self._lock = self._take_lock()
        self.rewritten = False
        try:
            self._settle(json.loads(json.dumps(as_json(config))))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets others write here."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def has_checkpoints(self) -> bool:
        """Whether there is anything to go on from."""
        return bool(saved_steps(os.path.join(self.path, 'checkpoints')))

    def _take_lock(self):
        lock = open(os.path.join(self.path, 'lock'), 'a', encoding='utf-8')
        if files.lock(lock.fileno()) is False:  # without locks it is up to the user
            lock.close()
            raise OtherRunError(
                f'{self.path}: another process is training there; wait for it, or give another --run_dir'
            )
        return lock

    def _settle(self, config):
        file = os.path.join(self.path, 'config.json')
        if not os.path.exists(file) and self.has_checkpoints():
            raise OtherRunError(
                f'{file}: no such file, though there are checkpoints: it says what they were trained with.'
                f' Restore it, or give another --run_dir (--init_from={self.path} begins there with their'
                ' weights)'
            )
        if os.path.exists(file):
            try:
                with open(file, encoding='utf-8') as stream:
                    before = json.load(stream)
                message = _difference(before, config)
            except (ValueError, TypeError, AttributeError) as error:
                message = (
                    f'{file} is not the description of a run ({error}): restore it, or give another --run_dir'
                )
            if message and self.has_checkpoints():
                raise OtherRunError(f'{self.path}: {message}')
            if not message:
                config = _completed(before, config)
                if config == before:
                    return
            else:
                self.rewritten = True
        with writing(file):
            files.write_json(file, config, sort_keys=True)


def _completed(before, now):
    """The configuration of a run with the `contents` of its lines where these were not known yet, as they
    were still being written.
    """
    found = {
        part: {**before[part], 'contents': now[part]['contents']}
        for part in ('data', 'unlabelled')
        if (before.get(part) or {}).get('contents', '') is None and (now.get(part) or {}).get('contents')
    }
    return {**before, **found}


def _difference(before, now):
    """What of two configurations differs, for the user; None where they are one run.

    Settings that came after the
    first are compared by what they meant without; other entries that only one has (of another version of the
    program) do not count."""
    for part in ('data', 'unlabelled'):
        then, at_present = before.get(part) or {}, now.get(part) or {}
        if 'digest' in then and 'digest' in at_present:
            if (
                then['digest'] != at_present['digest']
                or then.get('contents')
                and at_present.get('contents') not in (None, then['contents'])
            ):
                folders = then.get('folder'), at_present.get('folder')
                places = (
                    f'then --{part}={folders[0]}, now --{part}={folders[1]}'
                    if folders[0] != folders[1]
                    else f'--{part}={folders[0]} holds others by now'
                )
                return (
                    f'its run was started on other lines ({places}): give the same lines, or another'
                    ' --run_dir'
                )
            # The same lines, wherever they lie now, and whether or not all were written when their contents
            # were looked at.
            now = {
                **now,
                part: {**at_present, 'folder': then.get('folder'), 'contents': then.get('contents')},
            }
    before = _as_meant(before, now)
    different = [
        found
        for part in _COMPARED
        if part in before and part in now
        for found in _leaves(before[part], now[part], part)
    ]
    then, at_present = before.get('flags', {}), now.get('flags', {})
    if not different:
        for name in _FIRST_WEIGHTS:
            if (
                at_present.get(name)
                and name in then
                and os.path.realpath(then[name] or '') != os.path.realpath(at_present[name])
            ):
                return (
                    f'its run was started with --{name}={_text(then[name])}, now {at_present[name]}, from'
                    f' which a run that has begun takes nothing: leave --{name} out to go on, or give another'
                    ' --run_dir'
                )
        return None
    named = [
        name for name in sorted(set(then) & set(at_present) - _FREE_FLAGS) if then[name] != at_present[name]
    ]
    if named:
        old, new = (
            ' '.join(f'--{name}={_text(values[name])}' for name in named[:4]) for values in (then, at_present)
        )
        more = f' (and {len(named) - 4} flags more)' if len(named) > 4 else ''
        return f'its run was started with {old}, now {new}{more}: give the same flags, or another --run_dir'
    place, old, new = different[0]
    return (
        f'its run was started with {place} = {_text(old)}, now {_text(new)}: give what it was started with,'
        ' or another --run_dir'
    )


def _as_meant(before: dict, now: dict) -> dict:
    """The configuration of a run with what it means by settings that came after it (`Setting.absent`), as
    far as `now` has them.
    """

    def completed(cls, stored, at_present):
        meant = {
            name: value
            for name, value in json.loads(json.dumps(absent_values(cls))).items()
            if name in at_present
        }
        return {**meant, **stored}

    found = dict(before)
    for part, cls in _STORED.items():
        stored, at_present = before.get(part), now.get(part)
        if isinstance(stored, dict) and isinstance(at_present, dict):
            found[part] = completed(cls, stored, at_present)
            inner = stored.get('generator'), at_present.get('generator')
            if part == 'model' and all(isinstance(sizes, dict) for sizes in inner):
                found[part]['generator'] = completed(GeneratorConfig, *inner)
    return found


def _leaves(before, now, place):
    """(place, before, now) of every value that differs."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            found
            for key in sorted(set(before) & set(now))
            for found in _leaves(before[key], now[key], f'{place}.{key}')
        ]
    return [] if before == now else [(place, before, now)]


def _text(value):
    """A value as a flag takes it."""
    if isinstance(value, list):
        return ','.join(map(str, value))
    return '' if value is None else str(value).lower() if isinstance(value, bool) else str(value)
