"""Folders of records: what is there already, and how what is finished gets its name, complete or not at
all.
"""

import os
import pathlib
import shlex
import shutil
from collections.abc import Callable
from typing import Any

from hwgen.charset.encoding import Charset
from hwgen.data.preparing.identity import differing
from hwgen.data.preparing.input_state import InputState
from hwgen.data.preparing.work_folder import JOURNAL, WorkFolder
from hwgen.data.reading import shards as shards_lib


def already_there(
    out_dir: str | os.PathLike[str],
    identity: dict[str, Any],
    *,
    state: Callable[[], InputState] | None = None,
    report: Callable[[str], object] = print,
) -> dict[str, Any] | None:
    """info.json of a complete folder with the same settings and from the same input; None where there is no
    folder.

    Args:
        out_dir: path.
        identity: dict, what the work is: source, version, seed, settings.
        state: function that gives the InputState of what would be read now; None: nothing is.
        report: function of a str, told that it is there.

    Raises:
        FileExistsError: it is something else, was written with other settings or from other input, which is
            told, or its shards are missing or cut.
    """
    if not pathlib.Path(out_dir).exists():
        return None
    try:
        info = shards_lib.read_info(out_dir)
    except shards_lib.RecordError as error:
        raise FileExistsError(
            f'{out_dir} exists and is no folder of records ({error}); choose another or remove it'
        ) from None
    Charset.load().check_compatible(info['charset']['row_count'], info['charset']['hash'])
    changed = differing(info, identity)
    if changed:
        raise FileExistsError(
            f'{out_dir} exists and was written with other settings ({"; ".join(changed)}); choose '
            'another folder or remove it'
        )
    try:
        for split, counts in info['splits'].items():
            if counts['records'] and counts['shards'] and split not in info.get('planned', ()):
                shards_lib.RecordIndex(out_dir, split=split).close()
    except shards_lib.RecordError as error:
        raise FileExistsError(
            f'{out_dir} exists and is damaged ({error}); remove it to have it written anew: rm -r'
            f' {shlex.quote(str(out_dir))}'
        ) from None
    remark = _compare_input(out_dir, info, state) if state else ''
    report(f'{out_dir}: already there, {summary(info)}{remark}')
    return info


def _compare_input(out_dir, info, state):
    """Refuses a folder that was written from other input; otherwise what is to be said of it, '' or ';
    ...'.
    """
    if 'input' not in info:
        return (
            '; an earlier version wrote it and kept no account of its input: whether that has changed since'
            ' is not known'
        )
    try:
        changed, remark = state().changes(
            info['input'], since=(pathlib.Path(out_dir) / 'info.json').stat().st_mtime_ns
        )
    except FileNotFoundError as error:
        return f'; not compared with its input ({error})'
    if changed:
        raise FileExistsError(
            f'{out_dir} exists and was written from other input ({"; ".join(changed)}); choose another'
            f' folder, or remove it to have it written anew: rm -r {shlex.quote(str(out_dir))}'
        )
    return f'; {remark}' if remark else ''


def publish(
    work: WorkFolder,
    out_dir: str | os.PathLike[str],
    info: dict[str, Any],
    *,
    report: Callable[[str], object],
) -> dict[str, Any]:
    """Gives what is finished to `out_dir`, which has nothing of it before that, and returns its info.json.

    A folder that is there gets further splits (those of `info` that it has not), and what is done of splits
    that are not in `info` stays for another time. Where training lines lack characters of the vocabulary (few
    lines of a large one; those of the other splits alone), `not_shown` says which.

    Args:
        work: WorkFolder.
        out_dir: path.
        info: dict, info.json of the folder as it is then.
        report: function of a str.
    """
    out_dir = pathlib.Path(out_dir)
    there = shards_lib.read_info(out_dir) if out_dir.exists() else {'splits': {}}
    added = {split: counts for split, counts in info['splits'].items() if split not in there['splits']}
    shards_lib.write_info(work.path, {**info, 'splits': added})
    missing = there.get('not_shown', [])
    if added.get('train', {}).get('shards'):
        missing = sorted({*info['vocabulary']} - shards_lib.shown_ids(work.path))
    info = {**info, 'not_shown': missing} if missing else info
    if out_dir.exists() or work.splits - set(added):
        _hand_over(work, out_dir, info, added)
    else:
        shards_lib.write_info(work.path, info)
        work.close()
        (work.path / JOURNAL).unlink()
        work.path.rename(out_dir)
    info = shards_lib.read_info(out_dir)
    planned = ', '.join(info.get('planned', ()))
    report(
        f'{out_dir}: complete, {summary(info)}'
        + (f'; {planned} are written when a command needs them' if planned else '')
    )
    return info


def _hand_over(work, out_dir, info, splits):
    """Moves the files of some splits to `out_dir`, made where it is not there; its info.json comes last."""
    folder = out_dir
    if not out_dir.exists():
        folder = work.path / 'ready'
        shutil.rmtree(folder, ignore_errors=True)  # of a process that ended here
        folder.mkdir()
    for split in splits:
        for path in (*work.path.glob(f'{split}-*.tfrecord'), work.path / f'{split}.index.npz'):
            path.rename(folder / path.name)
    shards_lib.write_info(folder, info)
    if folder != out_dir:
        folder.rename(out_dir)
    work.forget(splits)


def summary(info: dict[str, Any]) -> str:
    """The splits and their lines in a few words."""
    return ', '.join(f'{name} {counts["records"]}' for name, counts in info['splits'].items()) + ' lines'
