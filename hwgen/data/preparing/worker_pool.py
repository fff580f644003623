"""Processes that work through tasks in order; one that dies is an error that names what it was at."""

import collections
import concurrent.futures
import contextlib
import itertools
import multiprocessing
import multiprocessing.connection
import multiprocessing.process
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cv2

_IDLE = -1


class WorkerPool:
    """Fresh processes: those that fork from one with TensorFlow's threads may hang.

    They leave Ctrl-C to the process that started them, and end when that one does, however it ends.

    Args:
        workers: int, how many.
        start: function that each calls first, or None.
        arguments: tuple, of it.
    """

    def __init__(
        self, workers: int, *, start: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
    ):
        context = multiprocessing.get_context('spawn')
        self.workers = workers
        self._children: dict[int | None, multiprocessing.process.BaseProcess] = {}
        # Each worker has two numbers that all see: its process id, and the task it is at.
        self._at = context.RawArray('q', [0, _IDLE] * workers)
        self._pool = concurrent.futures.ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_begin,
            initargs=(self._at, context.Value('i', 0), start, arguments),
        )

    def results(
        self,
        function: Callable[..., Any],
        tasks: Iterable[tuple[Any, ...] | None],
        *,
        names: Callable[[int], str],
    ) -> Iterator[Any]:
        """What a function returns for each task, in order.

        Args:
            function: function of the module level.
            tasks: iterable of tuples, its arguments, or None for a task that is not for the processes: its
                result is None. No more than 2 * workers are taken ahead.
            names: function of the number of a task, from 0 -> str, for messages.

        Yields:
            its result.

        Raises:
            ChildProcessError: a process ended without an answer; names the task.
        """
        waiting: collections.deque[tuple[int, concurrent.futures.Future[Any] | None]] = collections.deque()
        ahead = enumerate(tasks)
        while True:
            for number, task in itertools.islice(ahead, 2 * self.workers - len(waiting)):
                try:
                    waiting.append(
                        (number, None if task is None else self._pool.submit(_work, number, function, task))
                    )
                except BrokenProcessPool:
                    raise self._died(number, names) from None
                self._children.update((process.pid, process) for process in multiprocessing.active_children())
            if not waiting:
                return
            number, answer = waiting.popleft()
            try:
                result = None if answer is None else answer.result()
            except BrokenProcessPool:
                raise self._died(number, names) from None
            yield result

    def close(self) -> None:
        """Ends the processes; what they have not begun is not begun any more."""
        self._pool.shutdown(cancel_futures=True)

    def _died(self, number, names):
        """The error for a dead process.

        The pool ends the others, by SIGTERM; only when it has, the codes of all are known.
        """
        self._pool.shutdown()
        at = dict(zip(self._at[::2], self._at[1::2], strict=True))
        codes = {pid: child.exitcode for pid, child in self._children.items() if pid in at}
        dead = [pid for pid, code in codes.items() if code not in (None, 0, -signal.SIGTERM)] or list(codes)
        found = [names(n) for n in sorted(at[pid] for pid in dead) if n != _IDLE] or [
            f'{names(number)} or what follows'
        ]
        how = {
            signal.Signals(-codes[pid]).name if codes[pid] < 0 else f'status {codes[pid]}'
            for pid in dead
            if codes[pid]
        }
        return ChildProcessError(
            f'{", ".join(found)}: the process that worked on it ended without an answer'
            f' ({", ".join(sorted(how)) or "no status"}; SIGKILL is mostly for want of memory), expected a'
            ' result; --workers=1 needs the least'
        )


@contextlib.contextmanager
def open_pool(
    workers: int, *, start: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[WorkerPool | None]:
    """A WorkerPool that is closed at the end; None for one worker.

    Args:
        workers: int.
        start, arguments: see `WorkerPool`.

    Yields:
        WorkerPool or None.
    """
    if workers == 1:
        yield None
        return
    with contextlib.closing(WorkerPool(workers, start=start, arguments=arguments)) as pool:
        yield pool


# ---- in the processes


class _Here:
    """Where this process says what it is at."""

    at: Any  # the numbers of all
    place: int  # where its two stand


_here = _Here()


def follow_parent() -> None:
    """Has this process, which another one started to work for it, leave Ctrl-C to that one and end when it
    does, however it ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)  # they share the cores
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _begin(at: Any, taken: Any, start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    follow_parent()
    with taken.get_lock():
        _here.at, _here.place = at, 2 * taken.value
        taken.value += 1
    at[_here.place] = os.getpid()
    if start is not None:
        start(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)


def _work(number: int, function: Callable[..., Any], task: tuple[Any, ...]) -> Any:
    _here.at[_here.place + 1] = number
    try:
        return function(*task)
    finally:
        _here.at[_here.place + 1] = _IDLE
