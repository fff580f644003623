"""Signals that end a run in order: after its step, with a checkpoint."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


class StopSignals:
    """SIGTERM, SIGINT and a closed terminal, noted instead of obeyed at once.

    Args:
        say: takes a line; may be called by a signal handler.

    Attributes:
        told: bool, one of them came.
    """

    def __init__(self, say: Callable[[str], object]):
        self.say, self.told = say, False

    @contextlib.contextmanager
    def heeded(self) -> Iterator[None]:
        """Within it they are noted; outside the main thread nothing changes.

        A second one raises KeyboardInterrupt.

        Signals that are ignored stay so: those are `nohup` and a shell's jobs in the background.
        """
        numbers = [
            number
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
            if signal.getsignal(number) != signal.SIG_IGN
        ]
        if threading.current_thread() is not threading.main_thread():
            numbers = []
        previous = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _note(self, number, frame):
        del frame
        if self.told:  # a second one means now
            raise KeyboardInterrupt
        self.told = True
        self.say(
            f'{signal.Signals(number).name}: saving a checkpoint, then leaving (once more: leave at once)'
        )
