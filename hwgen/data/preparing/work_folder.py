"""Where a folder of records lies while it is written: `{out_dir}.partial`, this process's alone.

What an interrupted process has finished stays there, and the same command goes on from there.
"""

import contextlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hwgen import files
from hwgen.charset.encoding import Charset
from hwgen.data.preparing.identity import charset_info, differing
from hwgen.data.preparing.journal import Journal, read_journal
from hwgen.data.preparing.shard_writer import SHARDS, Storage

JOURNAL = 'journal'


class WorkFolder:
    """Where the splits of a folder lie while they are written, `{out_dir}.partial`, and the journal of what
    is finished.

    Args:
        path: pathlib.Path of the folder, which is this process's alone.
        storage: shard_writer.Storage.

    Attributes:
        path, storage: the same.
    """

    def __init__(self, path: pathlib.Path, *, storage: Storage = SHARDS):
        self.path, self.storage = path, storage
        self._journal: Journal | None = None

    @property
    def _begun(self) -> Journal:
        """The journal, which `begin` opens."""
        if self._journal is None:
            raise RuntimeError(f'{self.path}: nothing was begun in it, expected a call of `begin` before')
        return self._journal

    def begin(
        self,
        identity: dict[str, Any],
        *,
        fingerprint: str = '',
        charset: Charset | None = None,
        report: Callable[[str], object] = print,
    ) -> None:
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
        journal = Journal(self.path / JOURNAL)
        if journal.entries and journal.head != head:
            journal.close()
            changed = differing(journal.head['identity'], head['identity'])
            changed += [
                f'{name} changed' for name in ('charset', 'input') if journal.head[name] != head[name]
            ]
            raise FileExistsError(
                f'{self.path} has what an interrupted command finished, but that was another one '
                f'({"; ".join(changed)}): give that again, or remove what it left: rm -r {self.path}'
            )
        self._journal = journal
        if not journal.entries:
            self._empty(but=JOURNAL)
            journal.start(head)
        intact = self._count_intact()
        if intact < len(journal.entries):
            report(
                f'{self.path}: damaged files, {len(journal.entries) - intact} of {len(journal.entries)}'
                ' pieces are written again'
            )
            journal.keep(intact)

    def entries(self, split: str) -> list[dict[str, Any]]:
        """The journal's entries of a split, see `split_writer.write_split`."""
        return [entry for entry in self._begun.entries if entry['split'] == split]

    def first_records(self) -> Iterator[tuple[str, int]]:
        """The writers, in the order of the records, with the first record of each.

        Yields:
            (split, int, number of a record).
        """
        written: dict[str, int] = {}
        seen: set[str] = set()
        for entry in self._begun.entries:
            start = written.get(entry['split'], 0)
            for writer, number in entry['writers'].items():
                if writer not in seen:
                    seen.add(writer)
                    yield entry['split'], start + number
            written[entry['split']] = start + len(entry['sizes'])

    def append(self, entry: dict[str, Any]) -> None:
        """Adds an entry to the journal."""
        self._begun.append(entry)

    def forget(self, splits: Collection[str]) -> None:
        """Takes splits for not begun: they lie elsewhere."""
        (self.path / 'info.json').unlink()
        self._begun.drop(lambda entry: entry['split'] in splits)

    @property
    def splits(self) -> set[str]:
        """The splits of which lines are done: set of str."""
        return {entry['split'] for entry in self._begun.entries if entry['sizes']}

    @property
    def has_results(self) -> bool:
        """Whether there is anything to go on with."""
        return self._journal is not None and bool(self._journal.entries)

    def discard(self) -> None:
        """Removes what this process may remove: nothing before `begin`."""
        if self._journal is not None:
            self._empty()

    def close(self) -> None:
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
        entries = self._begun.entries
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


def finished_pieces(
    out_dir: str | os.PathLike[str], split: str, identity: dict[str, Any], *, charset: Charset | None = None
) -> tuple[pathlib.Path, list[dict[str, Any]]]:
    """What another process that is writing a folder has finished of a split, as its journal says.

    Args:
        out_dir: path that is being written.
        split: str.
        identity, charset: as of `WorkFolder.begin`; other work is none.

    Returns:
        pathlib.Path, the folder of the shards; list of dict, entries of the journal.
    """
    partial = _partial(out_dir)
    head, entries = read_journal(partial / JOURNAL)
    return partial, (
        [entry for entry in entries if entry['split'] == split]
        if head == _head(identity, '', charset)
        else []
    )


def _head(identity: dict[str, Any], fingerprint: str, charset: Charset | None) -> dict[str, Any]:
    """The head of the journal of a work."""
    return json.loads(
        json.dumps({'identity': identity, 'charset': charset_info(charset), 'input': fingerprint})
    )


def _partial(out_dir: str | os.PathLike[str]) -> pathlib.Path:
    """Where a folder lies while it is written."""
    out_dir = pathlib.Path(out_dir)
    return out_dir.with_name(f'{out_dir.name}.partial')


@contextlib.contextmanager
def exclusive(
    out_dir: str | os.PathLike[str], *, storage: Storage = SHARDS, report: Callable[[str], object] = print
) -> Iterator[WorkFolder]:
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
