"""A test that hangs fails by its name, and the run goes on: each of its parts has an upper bound of time."""

import contextlib
import faulthandler
import signal
import sys
import threading

import pytest

# From then on it is more than slow: what hangs within a library hears no signal, so its process is ended.
GRACE_SEC = 60


def pytest_addoption(parser):
    parser.addoption(
        '--test_minutes',
        type=float,
        default=15,
        help='A test (or its setup) that takes longer fails; 0: none does. Default: 15.',
    )


@contextlib.contextmanager
def _bounded(item):
    seconds = 60 * item.config.option.test_minutes
    if (
        not seconds
        or item.config.getoption('usepdb')
        or not hasattr(signal, 'setitimer')
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def give_up(*_):
        pytest.fail(f'{item.nodeid}: not done after {seconds / 60:g} minutes (--test_minutes)')

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(seconds + GRACE_SEC, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    with _bounded(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    with _bounded(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    with _bounded(item):
        return (yield)
