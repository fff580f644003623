"""Signals that end a run in order, by themselves. Within a run: test_loop.py."""

import os
import signal

import pytest

from hwgen.training.stop_signals import StopSignals

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers():
    """Such as a terminal's shell leaves them."""
    previous = {number: signal.getsignal(number) for number in NUMBERS}
    for number in NUMBERS:
        signal.signal(number, signal.default_int_handler)
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.mark.parametrize('number', NUMBERS)
def test_the_first_is_said_and_noted_the_second_leaves(number):
    said = []
    signals = StopSignals(said.append)
    assert signals.told is False
    with pytest.raises(KeyboardInterrupt):
        with signals.heeded():
            os.kill(os.getpid(), number)
            assert signals.told is True and said == [
                f'{number.name}: saving a checkpoint, then leaving (once more: leave at once)'
            ]
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail('nothing happened')
    assert said[1:] == [] and {signal.getsignal(n) for n in NUMBERS} == {signal.default_int_handler}
