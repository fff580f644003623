"""Fuzzes the readers of foreign formats, guided by what code each input reaches (Atheris, libFuzzer).

    pip install -e .[fuzz]
    python -m tests.data.formats.fuzz_formats [--seconds=100] [--formats=gnt,zip] [--seed=1] [--corpus=FOLDER]

One format after the other, in a process each, from the valid files of `fuzz_targets.py`, which also says what
is held. Beside it
here: an input, of at most MAX_LENGTH bytes, may take LIMIT_SEC of the processor's time, and the process may
grow by LIMIT_BYTES in all. Prints a row a format; an input that breaks something is kept in --corpus, and the
command ends with 1. Linux.
"""

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
CHECKOUT = FOLDER.parent.parent.parent
# a run-length BMP of 16 megapixels takes Pillow 2 s, whatever its size in bytes
LIMIT_SEC, LIMIT_BYTES = 5.0, 320 << 20
FORMATS = 'gnt dgrl dgr pot wptt ptts zip iam iam_online tsv jsonl image lmdb'.split()
MAX_LENGTH = 8192


class Watched:
    """A target whose time and memory are held, and the largest of them."""

    def __init__(self, target):
        self._target, self._first, self._figures = target, _peak_bytes(), (0.0, 0)

    def __call__(self, data):
        start = time.process_time()
        self._target(data)
        figures = time.process_time() - start, _peak_bytes() - self._first
        if figures[0] > self._figures[0] or figures[1] > self._figures[1]:
            self._figures = tuple(map(max, figures, self._figures))
            # libFuzzer ends without Python's exit
            pathlib.Path('figures').write_text('{} {}'.format(*self._figures), encoding='ascii')
        assert figures[0] < LIMIT_SEC, f'{figures[0]:.1f} s for {len(data)} bytes'
        assert figures[1] < LIMIT_BYTES, f'grew by {figures[1]} bytes, now or before, at {len(data)} bytes'


def _peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def fuzz(name, arguments):
    """Fuzzes one format in this process, which ends with it."""
    import atheris

    sys.path.insert(0, str(FOLDER))
    with atheris.instrument_imports(include=['hwgen.data', 'PIL', 'zipfile', 'json']):
        import fuzz_targets
    for number, seed in enumerate(fuzz_targets.SEEDS[name]):
        pathlib.Path('corpus', f'seed{number}').write_bytes(seed)
    watched = Watched(fuzz_targets.TARGETS[name])
    for seed in fuzz_targets.SEEDS[name] * 2:
        fuzz_targets.TARGETS[name](seed)  # what only the first one pays for
    atheris.Setup([sys.argv[0], *arguments, 'corpus'], watched)
    atheris.Fuzz()


def run(name, *, seconds, seed, keep):
    """Fuzzes one format in a process of its own; returns its exit status."""
    with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
        pathlib.Path(folder, 'corpus').mkdir()
        log = keep / f'{name}.log'
        command = [
            sys.executable,
            '-P',
            '-m',
            'tests.data.formats.fuzz_formats',
            f'--one={name}',
            '--',
            f'-max_total_time={seconds}',
            f'-timeout={int(4 * LIMIT_SEC)}',
            f'-max_len={MAX_LENGTH}',
            '-rss_limit_mb=4096',
            f'-artifact_prefix={keep}/{name}-',
            '-print_final_stats=1',
            f'-seed={seed}',
        ]
        with open(log, 'w', encoding='utf-8') as sink:
            try:
                status = subprocess.run(
                    command,
                    cwd=folder,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    check=False,
                    timeout=seconds + 120,
                    env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
                ).returncode
            except subprocess.TimeoutExpired:
                status = 1
        said = log.read_text(encoding='utf-8', errors='replace')
        executions = re.search(r'number_of_executed_units: (\d+)', said) or re.search(
            r'Done (\d+) runs', said
        )
        corpus = len(list(pathlib.Path(folder, 'corpus').iterdir()))
        figures = pathlib.Path(folder, 'figures')
        slowest, growth = (
            map(float, figures.read_text(encoding='ascii').split()) if figures.exists() else (0, 0)
        )
        print(
            f'{name:<11} {int(executions[1]) if executions else 0:>9,} executions, {corpus:5d} inputs that'
            f' reach new code, slowest {slowest:.2f} s, growth at most {growth / 2**20:.0f} MiB:'
            f' {"nothing found" if not status else f"FOUND, see {log}"}',
            flush=True,
        )
    return status


def main():
    """Reads the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--formats', default=','.join(FORMATS), help='which, by comma')
    parser.add_argument('--seconds', type=int, default=100, help='for each format')
    parser.add_argument('--seed', type=int, default=1, help='of the mutations')
    parser.add_argument(
        '--corpus', type=pathlib.Path, default=pathlib.Path('fuzz'), help='folder for logs and findings'
    )
    parser.add_argument('--one', help=argparse.SUPPRESS)
    arguments, rest = parser.parse_known_args()
    if arguments.one:
        fuzz(arguments.one, [a for a in rest if a != '--'])
        return 0
    arguments.corpus.mkdir(parents=True, exist_ok=True)
    return max(
        run(name, seconds=arguments.seconds, seed=arguments.seed, keep=arguments.corpus.resolve()) > 0
        for name in arguments.formats.split(',')
    )


if __name__ == '__main__':
    sys.exit(main())
