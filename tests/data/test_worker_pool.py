"""Processes that work in order; the task of a dead one is named."""

import os
import signal
import time

import pytest

from hwgen.data.worker_pool import open_pool


def square(n):
    time.sleep(.01 * (n % 3))
    return n * n, os.getpid()


def square_or_die(n):
    if n == 5:
        time.sleep(.2)
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
        assert [cwd for cwd in pool.results(os.getcwd, [()], names=str)] == ['/']
        taken = []
        answers = pool.results(square, ((taken.append(n) or n,) for n in range(20)), names=str)
        for number in range(3):
            assert next(answers)[0] == number ** 2 and taken == list(range(4 + number)), 'no more than four are taken ahead'


def test_the_task_of_a_dead_process_is_named():
    """The other process is at task 6, and not to blame."""
    done = []
    with open_pool(2) as pool, pytest.raises(ChildProcessError, match=r'^file 5: the process that worked on it ended without an answer '
                                                                      r'\(SIGKILL; .* expected a result; --workers=1 needs the least'):
        for answer in pool.results(square_or_die, ((n,) for n in range(9)), names='file {}'.format):
            done.append(answer)
    assert done == [0, 1, 2, 3, 4]
