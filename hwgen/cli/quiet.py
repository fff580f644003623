"""Keeps TensorFlow's C++ start-up notes (oneDNN, CPU features, missing CUDA) off the terminal; whatever
else it says while it is loaded stays.
"""

import contextlib
import importlib.abc
import importlib.util
import os
import subprocess
import sys

# The device files of NVIDIA's driver under Linux and under Windows' Linux.
_GPU_FILES = ('/dev/nvidiactl', '/dev/dxg')
# TensorFlow 2.21 logs these two before it reads any of its variables.
_NOTES = (
    r'^(WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR'
    r'|[IW][0-9]{4} [0-9:.]+ +[0-9]+ (port|cudart_stub|cpu_feature_guard|computation_placer)\.cc:[0-9]+\]'
    r' .*)$'
)


@contextlib.contextmanager
def _filtered_stderr():
    """Sends file descriptor 2 through grep.

    A process of its own, so that the last words of a crash are shown too (no AVX, for one).
    """
    try:
        grep = subprocess.Popen(
            ['grep', '--line-buffered', '-v', '-E', _NOTES], stdin=subprocess.PIPE, stdout=2
        )
    except OSError:
        yield
        return
    saved = os.dup(2)
    os.dup2(grep.stdin.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        grep.stdin.close()
        grep.wait()


class _QuietFinder(importlib.abc.MetaPathFinder):
    """Finds `tensorflow` as usual, but has it loaded under the filter; then it is done and goes away."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname != 'tensorflow':
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_quietly(module):
                with _filtered_stderr():
                    load(module)

            spec.loader.exec_module = load_quietly
        return spec


def quiet_tensorflow() -> None:
    """Call before TensorFlow is imported (it is not imported here).

    `TF_CPP_MIN_LOG_LEVEL=0` in the environment turns everything back on.
    """
    if os.environ.get('TF_CPP_MIN_LOG_LEVEL') == '0':
        return
    # 2 leaves errors, 3 leaves none: without a GPU the one "error" is that CUDA finds none. Errors that
    # matter arrive as Python exceptions, too.
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2' if any(map(os.path.exists, _GPU_FILES)) else '3')
    os.environ.setdefault('GRPC_VERBOSITY', 'ERROR')
    if 'tensorflow' not in sys.modules and not any(
        isinstance(finder, _QuietFinder) for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _QuietFinder())
