"""What a run was made with, for its config.json: lines, versions, machine."""

import hashlib
import json
import pathlib
import platform
import subprocess

import keras
import numpy as np
import tensorflow as tf

import hwgen
from hwgen.data.reading import shards


def lines_of(index: shards.RecordIndex) -> dict[str, str | None]:
    """What the lines of a folder are, wherever they lie.

    Args:
        index: of the split that is trained on.

    Returns:
        `digest`, of all that `prepare` says of them but the command that wrote them and when their
            pictures were last changed; `contents`, of the records themselves.
    """
    told = json.dumps(
        {key: value for key, value in shards.whole(index.info).items() if key not in ('command', 'input')},
        sort_keys=True,
    )
    return dict(digest=hashlib.sha256(told.encode()).hexdigest(), contents=index.digest())


def versions() -> dict[str, str | None]:
    """Versions of the program and of what it computes with; `git_commit` is None outside a checkout."""
    return dict(
        version=hwgen.__version__,
        tensorflow=tf.__version__,
        keras=keras.__version__,
        numpy=np.__version__,
        python=platform.python_version(),
        git_commit=_git_commit(),
    )


def fast_product_dtype() -> str:
    """'bfloat16' where the processor multiplies it itself, else 'float32'."""
    try:
        with open('/proc/cpuinfo', encoding='ascii', errors='replace') as stream:
            features = next((line for line in stream if line.startswith('flags')), '').split()
    except OSError:  # no Linux: nothing says what the processor can do
        features = []
    return 'bfloat16' if {'avx512_bf16', 'amx_bf16'} & set(features) else 'float32'


def _git_commit():
    """The commit of a checkout, with `+` where files of the package differ from it; None elsewhere."""
    root = pathlib.Path(hwgen.__file__).resolve().parent.parent
    if not (root / '.git').exists():
        return None

    def git(*arguments):
        return subprocess.run(
            ['git', '-C', str(root), *arguments], capture_output=True, text=True, timeout=20, check=True
        ).stdout

    try:
        return git('rev-parse', 'HEAD').strip() + (
            '+' if git('status', '--porcelain', '--', 'hwgen').strip() else ''
        )
    except (OSError, subprocess.SubprocessError):
        return None
