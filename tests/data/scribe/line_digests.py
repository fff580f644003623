"""Line 7 of a plan's test lines, as a hash: here and in other processes."""

import hashlib
import os
import pathlib
import pickle
import subprocess
import sys

import hwgen

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parents[1]
PROGRAM = (
    'import sys, pickle, hashlib; plan = pickle.load(sys.stdin.buffer); r = plan.line("test", 7);'
    ' print(hashlib.sha256(r.image.tobytes() + r.boxes.tobytes() + r.text.encode() +'
    ' r.writer.encode()).hexdigest())'
)


def digest_of(record):
    """Of image, boxes, text and writer."""
    return hashlib.sha256(
        record.image.tobytes() + record.boxes.tobytes() + record.text.encode() + record.writer.encode()
    ).hexdigest()


def digests_in_fresh_processes(plan):
    """Of the line, drawn alone after unpickling, in two processes whose str hash differently."""
    return [
        subprocess.run(
            [sys.executable, '-c', PROGRAM],
            input=pickle.dumps(plan),
            check=True,
            capture_output=True,
            env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'PYTHONHASHSEED': hash_seed},
        )
        .stdout.decode()
        .strip()
        for hash_seed in ('1', '2')
    ]
