"""A script that asks a SavedModel in a process where hwgen cannot be imported, as a server would.

    python -P hwgen/serving/fresh_process.py SAVED_MODEL REQUESTS.json ANSWERS.json

REQUESTS.json: a list of {"signature": name, "inputs": {name: nested list}}. ANSWERS.json: {"signatures":
[name, ...], "answers": [{name: nested list}, ...]}; strings come as base64. It imports nothing of hwgen
itself. It ends when its standard input does.
"""

import base64
import json
import os
import signal
import sys
import threading
from typing import Any


def main(saved_model: str, requests: str, answers: str) -> None:
    """Loads, answers, writes; paths as in the module's docstring."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    modules: dict[str, Any] = sys.modules
    modules['hwgen'] = None  # an import of it fails, also where it is installed beside TensorFlow
    import tensorflow as tf

    loaded = tf.saved_model.load(saved_model)

    def answer(signature, inputs):
        function = loaded.signatures[signature]
        specs = function.structured_input_signature[1]
        found = function(**{name: tf.constant(value, specs[name].dtype) for name, value in inputs.items()})
        return {name: _as_json(value) for name, value in found.items()}

    with open(requests, encoding='utf-8') as file:
        given = json.load(file)
    with open(answers, 'w', encoding='utf-8') as file:
        json.dump(
            dict(signatures=sorted(loaded.signatures), answers=[answer(**request) for request in given]), file
        )


def _end_with_input():
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)  # whoever asked is gone; nothing here is worth an orderly end


def _as_json(value):
    if value.dtype == 'string':
        return [base64.b64encode(text).decode('ascii') for text in value.numpy().tolist()]
    return value.numpy().tolist()


if __name__ == '__main__':
    main(*sys.argv[1:])
