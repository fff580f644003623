"""The queue before the model: so many at once, so many behind them, and what becomes of those that nobody
waits for.
"""

import concurrent.futures
import gc
import threading
import time
import weakref

import pytest

from hwgen.serving.work_queue import QueueFullError, WorkQueue


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def make():
    """Function of workers and max_waiting -> WorkQueue, and an event that its functions wait for."""
    made, go = [], threading.Event()

    def queue(**sizes):
        made.append(WorkQueue(**sizes))
        return made[-1], go

    yield queue
    go.set()
    for one in made:
        one.close()


def test_as_many_run_and_wait_as_may(make):
    queue, go = make(workers=2, max_waiting=1)
    entered = threading.Semaphore(0)

    def work(value):
        return (entered.release(), go.wait(60), value)[2]

    tasks = [queue.submit(work, number) for number in range(3)]
    # two run, one waits
    assert entered.acquire(timeout=60) and entered.acquire(timeout=60) and not entered.acquire(timeout=0.05)
    assert queue.pending == 3
    with pytest.raises(QueueFullError, match='^3 requests are being answered: expected fewer$'):
        queue.submit(work, 3)
    assert queue.pending == 3
    go.set()
    assert [task.result(60) for task in tasks] == [0, 1, 2]
    until(lambda: queue.pending == 0)
    assert queue.submit(lambda: 7).result(60) == 7


def test_errors_are_for_who_waits_and_the_thread_goes_on(make):
    queue, _ = make(workers=1, max_waiting=4)

    def fail(error):
        raise error

    for error in (ValueError('wrong'), SystemExit(3), KeyboardInterrupt()):
        assert queue.submit(fail, error).exception(60) is error
    assert queue.submit(lambda: 'next').result(60) == 'next'


def test_what_is_cancelled_leaves_its_place_and_is_not_run(make):
    queue, go = make(workers=1, max_waiting=2)
    ran = []
    first, second, third = (
        queue.submit(lambda number=number: (go.wait(60), ran.append(number))) for number in range(3)
    )
    until(first.running)
    assert second.cancel() and queue.pending == 2 and not first.cancel()
    go.set()
    third.result(60)
    assert ran == [0, 2] and not second.running()


def test_what_waits_is_dropped_when_it_closes(make):
    queue, go = make(workers=1, max_waiting=3)
    running, *waiting = (queue.submit(go.wait, 60) for _ in range(4))
    until(running.running)
    queue.close()
    for task in waiting:
        with pytest.raises(concurrent.futures.CancelledError):
            task.result(60)
    assert not running.done()
    with pytest.raises(QueueFullError):
        queue.submit(go.wait, 60)
    go.set()
    assert running.result(60)
    for thread in queue._threads:
        thread.join(60)
        assert not thread.is_alive() and thread.daemon


def test_no_body_is_kept_until_the_next_request(make):
    queue, _ = make(workers=1, max_waiting=0)

    class Body:
        """What a request brings along."""

    body = Body()
    kept = weakref.ref(body)
    assert queue.submit(lambda given: 1, body).result(60) == 1
    del body
    until(lambda: gc.collect() >= 0 and kept() is None)
