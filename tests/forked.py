"""Processes that need not load TensorFlow anew: forked from one that has loaded it and has run nothing.

`Popen` and `run` are those of `subprocess` for `[sys.executable, '-P', '-c' or '-m', code or module, ...]`,
where loading takes most of the time. Process id, signals and exit status are those of the forked process
itself. One helper serves each process of the tests from its first call on, and ends with it. It is a single
thread whenever it forks, or it refuses to.

Not for tests of how Python or TensorFlow start, of what is imported, or of `sitecustomize`: these start anew.
Elsewhere than under Linux everything does.
"""

import array
import contextlib
import functools
import inspect
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import types

# What commands load; nothing of hwgen, as a test may replace parts of it before a command is imported.
LOADED = 'tensorflow', 'keras', 'numpy.random', 'PIL.Image', 'absl.flags', 'cv2', 'urllib3', 'multiprocessing'
# Of the interpreter's own variables, those that a forked process follows, too.
FOLLOWED = 'PYTHONPATH', 'PYTHONUNBUFFERED', 'PYTHONDONTWRITEBYTECODE'


# In the process of the tests
# ------------------------------------------------------------------------------------------


@functools.cache
def _helper():
    """Socket to the helper, which starts with the first call, and its process."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    inherited = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    with its:
        process = subprocess.Popen(
            [sys.executable, '-P', __file__, str(its.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
            # another thread than its own would not be there after a fork
            env={**inherited, 'TF_CPP_MIN_LOG_LEVEL': '3', 'OPENBLAS_NUM_THREADS': '1'},
        )
    return ours, process


def end():
    """Ends the helper, if there is one; its time of computing is then part of ours."""
    if _helper.cache_info().currsize:
        ours, process = _helper()
        ours.close()
        process.wait()
        _helper.cache_clear()


class _Forked(subprocess.Popen):
    """A process of the helper's, in the place of one of ours."""

    # The one private method of `subprocess.Popen` that starts a process; all else it does is kept.
    def _execute_child(self, *arguments):
        asked = inspect.signature(subprocess.Popen._execute_child).bind(self, *arguments).arguments
        if any(
            asked[name] for name in ('preexec_fn', 'pass_fds', 'shell', 'start_new_session', 'executable')
        ):
            raise ValueError('preexec_fn, pass_fds, shell, start_new_session: expected none with a fork')
        args = [os.fsdecode(part) for part in asked['args']]
        if args[:2] != [sys.executable, '-P'] or args[2] not in ('-c', '-m'):
            raise ValueError(f'{args[:3]}: expected {sys.executable} -P, then -c or -m')
        given = os.environ if asked['env'] is None else asked['env']
        environment = {os.fsdecode(name): os.fsdecode(value) for name, value in given.items()}
        for name in {*environment, *os.environ}:
            own = name.startswith('PYTHON') and name not in FOLLOWED
            if own and environment.get(name) != os.environ.get(name):
                raise ValueError(f'{name}: expected as in the environment of the tests')
        pipes = [asked[name] for name in ('p2cread', 'c2pwrite', 'errwrite')]
        request = dict(args=args[2:], env=environment, cwd=os.fsdecode(asked['cwd'] or os.getcwd()))
        self._answers, its = socket.socketpair()
        with its:
            fds = [its.fileno(), *(place if pipe == -1 else pipe for place, pipe in enumerate(pipes))]
            socket.send_fds(_helper()[0], [b'fork'], fds)
        with self._answers.makefile('wb') as file:
            file.write(json.dumps(request).encode() + b'\n')
        self.pid = self._told()
        self._child_created = True
        self._close_pipe_fds(
            *(asked[name] for name in 'p2cread p2cwrite c2pread c2pwrite errread errwrite'.split())
        )

    def _told(self):
        (number,) = array.array('q', self._answers.recv(8) or b'\xff' * 8)
        if number == -1:
            raise ChildProcessError('the helper of tests/forked.py is gone; what it said stands above')
        return number

    def poll(self):
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            self.returncode = os.waitstatus_to_exitcode(self._told())
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            wait_sec = None if timeout is None else max(timeout, 0)
            if not select.select([self._answers], [], [], wait_sec)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout)
        return self.poll()


Popen = _Forked if sys.platform == 'linux' else subprocess.Popen


def run(args, *, input=None, capture_output=False, timeout=None, check=False, **options):
    """`subprocess.run`."""
    if input is not None:
        options['stdin'] = subprocess.PIPE
    if capture_output:
        options.update(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with Popen(args, **options) as process:
        try:
            out, err = process.communicate(input, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


# In the helper
# ------------------------------------------------------------------------------------------


def _serve(control):
    """Forks as it is asked to, until nobody asks any more; returns in a forked process alone: what to run."""
    running = {}  # file descriptor of a process -> (its id, where its status is told)
    waits = select.poll()
    waits.register(control, select.POLLIN)
    while True:
        for ready, _ in waits.poll():
            if ready != control.fileno():
                pid, answers = running.pop(ready)
                _tell(answers, os.waitpid(pid, 0)[1])
                answers.close()
                waits.unregister(ready)
                os.close(ready)
                continue
            _, fds, _, _ = socket.recv_fds(control, 16, 4)
            if not fds:
                os._exit(0)
            answers = socket.socket(fileno=fds[0])
            with answers.makefile('rb') as file:
                request = json.loads(file.readline())
            threads = os.listdir('/proc/self/task')
            if len(threads) > 1:
                raise SystemExit(
                    f'{len(threads)} threads: expected one, as others would be gone after a fork'
                )
            pid = os.fork()
            if not pid:
                for place, fd in enumerate(fds[1:]):
                    os.dup2(fd, place)
                for fd in {*fds, control.detach(), *running} - {0, 1, 2}:
                    os.close(fd)
                for _, other in running.values():
                    other.close()
                answers.detach()
                return request
            for fd in fds[1:]:
                os.close(fd)
            _tell(answers, pid)
            place = os.pidfd_open(pid)
            running[place] = pid, answers
            waits.register(place, select.POLLIN)


def _tell(answers, number):
    with contextlib.suppress(OSError):  # nobody waits for it
        answers.sendall(array.array('q', [number]))


def _become(request, interrupt):
    """Makes of a forked process what a started one would be, up to its first line.

    Args:
        request: dict, of what is asked.
        interrupt: the handler of SIGINT with which Python started; what a shell starts in the background
            ignores it.
    """
    signal.signal(signal.SIGINT, interrupt)
    os.chdir(request['cwd'])
    os.environ.clear()
    os.environ.update(request['env'])
    path = os.environ.get('PYTHONPATH')
    sys.path[:0] = path.split(os.pathsep) if path else []
    sys.dont_write_bytecode = bool(os.environ.get('PYTHONDONTWRITEBYTECODE'))
    at_once = bool(os.environ.get('PYTHONUNBUFFERED'))
    sys.stdin = sys.__stdin__ = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)
    for place, name in (1, 'stdout'), (2, 'stderr'):
        before = getattr(sys, name)
        stream = io.TextIOWrapper(
            open(place, 'wb', buffering=0 if at_once else -1, closefd=False),
            encoding=before.encoding,
            errors=before.errors,
            line_buffering=not at_once and (name == 'stderr' or os.isatty(place)),
            write_through=at_once,
        )
        setattr(sys, name, stream)
        setattr(sys, f'__{name}__', stream)
    sys.modules['numpy.random'].seed()  # Python's own does so by itself


def _main():
    """-> what a forked process runs."""
    import gc
    import importlib

    control = socket.socket(fileno=int(sys.argv[1]))
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the tests end it
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else a collection in each process would copy all pages
    request = _serve(control)
    _become(request, interrupt)
    return request['args']


if __name__ == '__main__':
    kind, what, *rest = _main()
    sys.argv[:] = [kind, *rest]
    if kind == '-m':
        runpy.run_module(what, run_name='__main__', alter_sys=True)
    else:
        main = sys.modules['__main__'] = types.ModuleType('__main__')
        exec(compile(what, '<string>', 'exec'), vars(main))
