"""A hand from a picture to a server: `imitate` reads it, `request --hand` asks a running `serve` for it, and
what comes is what `generate --hand` writes.
"""

import os
import pathlib
import re
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import hwgen

pytest.importorskip('uvicorn', reason='the extra `serve` is not installed: pip install "hwgen[serve]"')

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
MODEL = CHECKOUT / 'saved_models' / 'spaced64'
TEXT = '百年树人，2026'


def command(*arguments):
    return dict(
        args=[sys.executable, '-P', '-m', 'hwgen.cli', *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
    )


def done(*arguments):
    """-> exit status and what was said wrong."""
    process = subprocess.run(**command(*arguments), timeout=600)
    return process.returncode, process.stderr


@pytest.mark.slow
def test_a_hand_is_written_by_a_server_as_by_generate():
    assert done('generate', f'--model={MODEL}', '--text=山高水长', '--style_seed=5', '--out=line.png')[0] == 0
    assert done('imitate', f'--model={MODEL}', '--images=line.png', '--hand=mine.hand')[0] == 0
    assert done('imitate', '--model=demo', '--images=line.png', '--hand=small.hand')[0] == 0
    written = ('--style_seed=3', f'--text={TEXT}')
    assert done('generate', f'--model={MODEL}', '--hand=mine.hand', *written, '--out=here.png')[0] == 0
    server = subprocess.Popen(**command('serve', f'--model={MODEL}', '--port=0'))
    impatient = threading.Timer(300, server.kill)  # a server that never serves is a failure, not a wait
    impatient.start()
    try:
        for line in server.stdout:
            if found := re.match(r'http://\S+?:(\d+)', line):
                break
        else:
            raise AssertionError(server.stderr.read())
        at = (f'--url=http://127.0.0.1:{found[1]}',)
        assert done('request', '--hand=mine.hand', *at, *written, '--out=served.png') == (0, '')
        # as it is, whatever the truncation, which is that of the noise
        status, said = done('request', '--hand=small.hand', *at, *written, '--out=wrong.png')
        assert status == 2 and 'small.hand: a hand of another model than the server has' in said
        assert len(said.splitlines()) == 1 and not os.path.exists('wrong.png')
        assert done('request', *at, *written, '--out=drawn.png') == (0, '')
    finally:
        impatient.cancel()
        server.kill()
        server.communicate()
    here, served, drawn = (
        np.asarray(Image.open(f'{name}.png'), float) for name in ('here', 'served', 'drawn')
    )
    assert served.shape[0] == here.shape[0] and abs(served.shape[1] - here.shape[1]) <= 2
    width = min(served.shape[1], here.shape[1])
    assert np.abs(served[:, :width] - here[:, :width]).mean() < 1
    assert drawn.shape != served.shape or np.abs(drawn - served).mean() > 3
