"""Folders of records while they are written: complete under their name, or not there at all.

What an interrupted process has finished lies in `{out_dir}.partial`, and the same command goes on from there.
"""

import contextlib
import json
import os
import pathlib
import shlex
import shutil
import sys

from hwgen import files
from hwgen.charset.encoding import Charset
from hwgen.charset.printable import as_text
from hwgen.data.preparing.journal import Journal, read_journal
from hwgen.data.preparing.shard_writer import SHARDS
from hwgen.data.reading import shards as shards_lib

_JOURNAL = 'journal'


class WorkFolder:
    """Where the splits of a folder lie while they are written, `{out_dir}.partial`, and the journal of what
    is finished.

    Args:
        path: pathlib.Path of the folder, which is this process's alone.
        storage: shard_writer.Storage.

    Attributes:
        path, storage: the same.
    """

    def __init__(self, path, *, storage=SHARDS):
        self.path, self.storage, self._journal = path, storage, None

    def begin(self, identity, *, fingerprint='', charset=None, report=print):
        """Goes on with what an interrupted process left here, where it was the same work; starts afresh where
        it had finished nothing.

        Args:
            identity: dict for JSON, what the work is: see `already_there`.
            fingerprint: str, of what is read: see `InputState`.
            charset: Charset of the records, None for the packaged one.
            report: function of a str.

        Raises:
            FileExistsError: results of other work lie here.
        """
        head = _head(identity, fingerprint, charset)
        journal = Journal(self.path / _JOURNAL)
        if journal.entries and journal.head != head:
            journal.close()
            differing = _differing(journal.head['identity'], head['identity'])
            differing += [
                f'{name} changed' for name in ('charset', 'input') if journal.head[name] != head[name]
            ]
            raise FileExistsError(
                f'{self.path} has what an interrupted command finished, but that was another one '
                f'({"; ".join(differing)}): give that again, or remove what it left: rm -r {self.path}'
            )
        self._journal = journal
        if not journal.entries:
            self._empty(but=_JOURNAL)
            journal.start(head)
        intact = self._count_intact()
        if intact < len(journal.entries):
            report(
                f'{self.path}: damaged files, {len(journal.entries) - intact} of {len(journal.entries)}'
                ' pieces are written again'
            )
            journal.keep(intact)

    def entries(self, split):
        """The journal's entries of a split, see `split_writer.write_split`."""
        return [entry for entry in self._journal.entries if entry['split'] == split]

    def first_records(self):
        """The writers, in the order of the records, with the first record of each.

        Yields:
            (split, int, number of a record).
        """
        written, seen = {}, set()
        for entry in self._journal.entries:
            start = written.get(entry['split'], 0)
            for writer, number in entry['writers'].items():
                if writer not in seen:
                    seen.add(writer)
                    yield entry['split'], start + number
            written[entry['split']] = start + len(entry['sizes'])

    def append(self, entry):
        """Adds an entry to the journal."""
        self._journal.append(entry)

    def forget(self, splits):
        """Takes splits for not begun: they lie elsewhere."""
        (self.path / 'info.json').unlink()
        self._journal.drop(lambda entry: entry['split'] in splits)

    @property
    def splits(self):
        """The splits of which lines are done: set of str."""
        return {entry['split'] for entry in self._journal.entries if entry['sizes']}

    @property
    def has_results(self):
        """Whether there is anything to go on with."""
        return self._journal is not None and bool(self._journal.entries)

    def discard(self):
        """Removes what this process may remove: nothing before `begin`."""
        if self._journal is not None:
            self._empty()

    def close(self):
        """Closes the journal."""
        if self._journal is not None:
            self._journal.close()

    def _empty(self, but=''):
        for path in self.path.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != but:
                path.unlink()

    def _count_intact(self):
        """How many of the journal's entries have their lines in the folder."""
        entries = self._journal.entries
        intact = len(entries)
        for split in {entry['split']: None for entry in entries}:
            sizes = [size for entry in self.entries(split) for size in entry['sizes']]
            left = self.storage.count_intact(
                self.path, split=split, num_shards=self.entries(split)[0]['shards'], sizes=sizes
            )
            if left < len(sizes):
                for number, entry in enumerate(entries):
                    left -= len(entry['sizes']) if entry['split'] == split else 0
                    if left < 0:
                        intact = min(intact, number)
                        break
        return intact


def finished_pieces(out_dir, split, identity, *, charset=None):
    """What another process that is writing a folder has finished of a split, as its journal says.

    Args:
        out_dir: path that is being written.
        split: str.
        identity, charset: as of `WorkFolder.begin`; other work is none.

    Returns:
        pathlib.Path, the folder of the shards; list of dict, entries of the journal.
    """
    partial = _partial(out_dir)
    head, entries = read_journal(partial / _JOURNAL)
    return partial, (
        [entry for entry in entries if entry['split'] == split]
        if head == _head(identity, '', charset)
        else []
    )


def _head(identity, fingerprint, charset):
    """The head of the journal of a work."""
    return json.loads(
        json.dumps({'identity': identity, 'charset': charset_info(charset), 'input': fingerprint})
    )


def _partial(out_dir):
    """Where a folder lies while it is written."""
    out_dir = pathlib.Path(out_dir)
    return out_dir.with_name(f'{out_dir.name}.partial')


@contextlib.contextmanager
def exclusive(out_dir, *, storage=SHARDS, report=print):
    """The WorkFolder beside `out_dir`, this process's alone.

    Where the block fails, what is finished stays for the next time, unless the input is to blame (a
    ValueError).

    Args:
        out_dir: path that shall be written.
        storage: shard_writer.Storage, how its lines lie in it.
        report: function of a str, told of what stays.

    Yields:
        WorkFolder.
    """
    out_dir = pathlib.Path(out_dir)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(out_dir)
    while True:
        partial.mkdir(exist_ok=True)
        fd = os.open(partial, os.O_RDONLY)
        if files.lock(fd) is False:
            report(f'{out_dir}: another command is writing it, waiting for that to end')
            files.lock(fd, wait=True)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), os.stat(partial)):
                break
        os.close(fd)  # that process has finished and moved the folder away
    work, keep = WorkFolder(partial, storage=storage), False
    try:
        yield work
        keep = work.has_results  # of splits that nobody asked for this time
    except ValueError:
        raise
    except BaseException:
        keep = work.has_results
        if keep:
            report(
                f'{out_dir}: interrupted; {partial} has what is finished, the same command goes on from there'
            )
        raise
    finally:
        work.close()
        if partial.exists() and os.path.samestat(os.fstat(fd), os.stat(partial)):
            if not keep:
                work.discard()
            with contextlib.suppress(OSError):  # where it is not empty
                partial.rmdir()
        os.close(fd)


def already_there(out_dir, identity, *, state=None, report=print):
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
    differing = _differing(info, identity)
    if differing:
        raise FileExistsError(
            f'{out_dir} exists and was written with other settings ({"; ".join(differing)}); choose '
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


def _differing(there, identity):
    """What makes a preparation another one than that which is there: a list of str."""
    differing = [
        f'{name} {there.get(name)!r}, now {value!r}'
        for name, value in identity.items()
        if name != 'settings' and there.get(name) != value
    ]
    before, now = there.get('settings', {}), identity['settings']
    if there.get('source') == identity['source']:
        differing += [
            f'{name} {before.get(name)!r}, now {now.get(name)!r}'
            for name in {**now, **before}
            if before.get(name) != now.get(name)
        ]
    return differing


def typed_command():
    """The command line of this process, as it would be typed."""
    program, *arguments = sys.argv or ['']
    name = pathlib.Path(program).name
    return as_text(shlex.join(['hwgen' if name == '__main__.py' else name, *arguments]))


def charset_of(info):
    """The dictionary in which the records of an info.json were written: the packaged one as it was then.

    Raises:
        CharsetMismatchError: it is no beginning of the packaged one.
    """
    return Charset.load().prefix(info['charset']['row_count'], info['charset']['hash'])


def charset_info(charset=None):
    """What info.json says of the dictionary, None for the packaged one."""
    charset = charset or Charset.load()
    return {'row_count': charset.row_count, 'hash': charset.hash}


def normalization(*, deslant, normalize_size):
    """What info.json says of it: nothing where nothing was done."""
    return {
        name: value for name, value in (('deslant', deslant), ('normalize_size', normalize_size)) if value
    }


def publish(work, out_dir, info, *, report):
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
        (work.path / _JOURNAL).unlink()
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


def summary(info):
    """The splits and their lines in a few words."""
    return ', '.join(f'{name} {counts["records"]}' for name, counts in info['splits'].items()) + ' lines'
