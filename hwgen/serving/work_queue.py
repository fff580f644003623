"""WorkQueue: a few threads that write, and a line of bounded length before them."""

import asyncio
import concurrent.futures
import threading


class QueueFullError(RuntimeError):
    """As much waits as may wait."""


class WorkQueue:
    """Runs functions in threads for coroutines.

    Args:
        workers: int, threads: so many functions run at once.
        max_waiting: int, functions that may wait for a thread; 0: none.
    """

    def __init__(self, *, workers, max_waiting):
        self._pool = concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix='hwgen-writer')
        self._limit = workers + max_waiting
        self._pending = 0
        self._lock = threading.Lock()

    @property
    def pending(self):
        """int, functions that wait or run. One that nobody waits for any longer counts until its thread is free."""
        return self._pending

    def submit(self, function, *arguments):
        """Queues a call; to be used on an event loop.

        Returns:
            asyncio.Future of the function's result. Cancelling it takes the call out of the queue, if it does not run yet.

        Raises:
            QueueFullError: nothing was queued.
        """
        with self._lock:
            if self._pending >= self._limit:
                raise QueueFullError(f'{self._pending} requests are being answered: expected fewer')
            self._pending += 1
        task = self._pool.submit(function, *arguments)
        task.add_done_callback(self._leave)
        return asyncio.wrap_future(task)

    def _leave(self, _):
        with self._lock:
            self._pending -= 1

    def close(self):
        """Drops what waits, and waits for what runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)
