"""What is said to whoever started a task: lines on the standard output, warnings on the standard error
output.
"""

import sys

from hwgen.charset.printable import printable


def say(message: str) -> None:
    """Prints a message, each line of it made fit for a terminal."""
    print(_fit(message), flush=True)


def warn(message: str) -> None:
    """Prints a message on the standard error output, as `say` does."""
    print(_fit(message), file=sys.stderr, flush=True)


def _fit(message: str) -> str:
    return '\n'.join(printable(line) for line in str(message).split('\n'))
