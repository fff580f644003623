"""Chromium without a window, driven over a pipe by its DevTools protocol
(https://chromedevtools.github.io/devtools-protocol): needs no package.
"""

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
WAIT_SEC = 60
# The browser reads file 3 and writes file 4, which may be anything here.
_START = """
import fcntl, os, sys
source, sink = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(source, 3)
os.dup2(sink, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium():
    """Path of the browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """A page in the browser; `call` sends any command of the protocol to it."""

    def __init__(self, sink, source):
        self._sink, self._source, self._session, self._numbers = sink, source, None, itertools.count(1)
        self.errors = []  # what the page's scripts threw, and what its console calls an error
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self._session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Runtime', 'Page', 'Log'):
            self.call(f'{domain}.enable')

    def call(self, method, **parameters):
        number = next(self._numbers)
        message = dict(id=number, method=method, params=parameters) | (
            {'sessionId': self._session} if self._session else {}
        )
        os.write(self._sink, json.dumps(message).encode() + b'\0')
        while True:
            answer = json.loads(self._read())
            if answer.get('method') == 'Runtime.exceptionThrown':
                self.errors.append(
                    answer['params']['exceptionDetails']
                    .get('exception', {})
                    .get('description', 'an exception')
                )
            elif answer.get('method') == 'Log.entryAdded' and answer['params']['entry']['level'] == 'error':
                self.errors.append(answer['params']['entry']['text'])
            if answer.get('id') == number:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]}')
                return answer['result']

    def _read(self):
        parts = []
        while (byte := self._source.read(1)) != b'\0':
            if not byte:
                raise RuntimeError('the browser has gone')
            parts.append(byte)
        return b''.join(parts)

    def run(self, script):
        """The value of an expression in the page; promises are waited for."""
        answer = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(f'{script}: {answer["exceptionDetails"]}')
        return answer['result'].get('value')

    def wait(self, script):
        """Waits until an expression is true, and returns its value."""
        end = time.monotonic() + WAIT_SEC
        while not (value := self.run(script)):
            assert time.monotonic() < end, f'not within {WAIT_SEC} s: {script}'
            time.sleep(0.05)
        return value

    def show(self, url, *, width, height, dark=False):
        """Opens an address in a window of this size."""
        self.call(
            'Emulation.setDeviceMetricsOverride',
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call(
            'Emulation.setEmulatedMedia',
            features=[dict(name='prefers-color-scheme', value='dark' if dark else 'light')],
        )
        self.call('Page.navigate', url=url)
        self.wait(f'location.href.startsWith({json.dumps(url)}) && document.readyState === "complete"')

    def move(self, selector):
        """Moves the mouse to the middle of an element."""
        x, y = self.run(
            f'(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); '
            'return [box.x + box.width / 2, box.y + box.height / 2]; })()'
        )
        self.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y)
        return x, y

    def click(self, selector):
        """Clicks on an element, by the mouse."""
        self.run(f'document.querySelector({json.dumps(selector)}).scrollIntoView({{block: "center"}})')
        x, y = self.move(selector)
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def type(self, selector, text):
        """Replaces what an input holds by typing."""
        self.run(f'document.querySelector({json.dumps(selector)}).select()')
        if text:
            self.call('Input.insertText', text=text)
        else:
            for kind in ('keyDown', 'keyUp'):
                self.call(
                    'Input.dispatchKeyEvent', type=kind, key='Delete', code='Delete', windowsVirtualKeyCode=46
                )

    def screenshot(self, path):
        """Writes a PNG of the window."""
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self.call('Page.captureScreenshot', format='png')['data']))


@contextlib.contextmanager
def open_tab():
    """Yields a Tab of a browser with a profile of its own."""
    to_read, sink = os.pipe()
    source, to_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, open(source, 'rb') as answers:
        # No sandbox, since tests may run as root in a container.
        command = [
            sys.executable,
            '-c',
            _START,
            str(to_read),
            str(to_write),
            find_chromium(),
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--disable-dev-shm-usage',
            '--no-first-run',
            '--remote-debugging-pipe',
            f'--user-data-dir={profile}',
        ]
        process = subprocess.Popen(
            command, pass_fds=[to_read, to_write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(to_write)
        try:
            yield Tab(sink, answers)
        finally:
            os.close(sink)
            process.terminate()
            process.wait(WAIT_SEC)
