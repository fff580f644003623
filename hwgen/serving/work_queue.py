"""WorkQueue: a few threads that write, and a line of bounded length before them."""

import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any


class QueueFullError(RuntimeError):
    """As much waits as may wait."""


class WorkQueue:
    """Runs functions in threads.

    The threads do not keep the process: once it has given up on what still runs, it may leave.

    Args:
        workers: int, threads: so many functions run at once.
        max_waiting: int, functions that may wait for a thread; 0: none.
    """

    def __init__(self, *, workers: int, max_waiting: int) -> None:
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._limit = workers + max_waiting
        self._pending, self._closed = 0, False
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, name=f'hwgen-writer-{i}', daemon=True) for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pending(self) -> int:
        """int, functions that wait or run.

        One that nobody waits for any longer counts until its thread is free.
        """
        return self._pending

    def submit(self, function: Callable[..., Any], *arguments: Any) -> concurrent.futures.Future[Any]:
        """Queues a call.

        Returns:
            concurrent.futures.Future of the function's result. Cancelling it takes the call out of the queue,
            if it does not run yet.

        Raises:
            QueueFullError: nothing was queued.
        """
        task: concurrent.futures.Future[Any] = concurrent.futures.Future()
        with self._lock:
            if self._pending >= self._limit or self._closed:
                raise QueueFullError(f'{self._pending} requests are being answered: expected fewer')
            self._pending += 1
            self._tasks.put((task, function, arguments))
        task.add_done_callback(self._leave)
        return task

    def _leave(self, _):
        with self._lock:
            self._pending -= 1

    def _run(self):
        while (item := self._tasks.get()) is not None:
            task, function, arguments = item
            if not task.set_running_or_notify_cancel():
                continue
            try:
                task.set_result(function(*arguments))
            except BaseException as error:  # whoever waits for it shall have it
                task.set_exception(error)
            del item, task, arguments  # a body and its answer are not kept until the next request

    def close(self) -> None:
        """Drops what waits. What runs goes on, and nobody waits for it."""
        with self._lock:
            self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()[0].cancel()
        for _ in self._threads:
            self._tasks.put(None)
