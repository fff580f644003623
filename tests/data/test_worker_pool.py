"""Processes that work in order; the task of a dead one is named."""

import os
import signal
import time
import types

import pytest

from hwgen.data.preparing.worker_pool import WorkerPool, open_pool


def square(n):
    time.sleep(0.01 * (n % 3))
    return n * n, os.getpid()


def square_or_die(n):
    if n == 5:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(5 if n > 5 else 0)
    return n


def refuse(n):
    raise ValueError(f'{n}: expected more')


def test_in_order_and_errors_come_through():
    with open_pool(1) as pool:
        assert pool is None
    with open_pool(2, start=os.chdir, arguments=('/',)) as pool:
        found = list(pool.results(square, (None if n == 4 else (n,) for n in range(20)), names=str))
        assert [answer and answer[0] for answer in found] == [n * n if n != 4 else None for n in range(20)]
        assert os.getpid() not in {answer[1] for answer in found if answer}
        with pytest.raises(ValueError, match='^7: expected more$'):
            list(pool.results(refuse, [(7,)], names=str))
        assert list(pool.results(os.getcwd, [()], names=str)) == ['/']
        taken = []
        answers = pool.results(square, ((taken.append(n) or n,) for n in range(20)), names=str)
        for number in range(3):
            assert next(answers)[0] == number**2 and taken == list(range(4 + number)), (
                'no more than four are taken ahead'
            )


def test_the_task_of_a_dead_process_is_named():
    """The other process is at task 6, and not to blame."""
    done = []
    with (
        open_pool(2) as pool,
        pytest.raises(
            ChildProcessError,
            match=r'^file 5: the process that worked on it ended without an answer '
            r'\(SIGKILL; .* expected a result; --workers=1 needs the least',
        ),
    ):
        for answer in pool.results(square_or_die, ((n,) for n in range(9)), names='file {}'.format):
            done.append(answer)  # noqa: PERF402 (what came before the error counts)
    assert done == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    'codes, at, found',
    [
        ({11: -9, 12: -15}, {11: 6, 12: 4}, r'task 6: .*\(SIGKILL; '),
        ({11: -15, 12: 3}, {11: 6, 12: 4}, r'task 4: .*\(status 3; '),
        ({11: -9, 12: -11}, {11: 6, 12: 4}, r'task 4, task 6: .*\(SIGKILL, SIGSEGV; '),
        ({11: -9, 12: 0}, {11: -1, 12: 4}, r'task 5 or what follows: .*\(SIGKILL; '),
        ({11: -15, 12: -15}, {11: 6, 12: -1}, r'task 6: .*\(SIGTERM; '),
        ({11: None, 12: 0}, {11: 6, 12: 4}, r'task 4, task 6: .*\(no status; '),
    ],
)
def test_who_died_is_told_from_those_that_the_pool_ended(codes, at, found):
    """By their codes: SIGTERM is the pool's, unless none has another.

    Children that are no workers are left out; one that was idle was at what comes next.
    """
    pool = WorkerPool.__new__(WorkerPool)
    pool._pool = types.SimpleNamespace(shutdown=lambda: None)
    pool._at = [number for pair in at.items() for number in pair]
    pool._children = {pid: types.SimpleNamespace(exitcode=code) for pid, code in {**codes, 99: -9}.items()}
    error = pool._died(5, 'task {}'.format)
    assert isinstance(error, ChildProcessError)
    with pytest.raises(ChildProcessError, match=f'^{found}'):
        raise error
