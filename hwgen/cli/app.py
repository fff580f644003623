"""Starts the commands: finds the module of a command, reads its flags, shows its help, and turns the user's
errors into one line.

A command is a module of `hwgen.cli` that has
- a docstring: its first line is the summary, the rest the text of `--help`;
- absl flags, defined when it is imported (those of `SECTIONS`, its dataclasses of settings, by
  `hwgen.settings.flags`). Nothing heavy is imported there (help is shown in a fraction of a second):
  TensorFlow and the rest of hwgen are imported inside `main`;
- `main(arguments)`, which gets the arguments that are not flags and returns None or an exit status;
- optionally `DEFAULT_FLAGFILE`, a preset that is read first unless --flagfile is given, and `POSITIONAL`, a
  word that names the arguments that are not flags, for a command that takes any.

Exit status: 0 done, 1 it went wrong, 2 the user's input is wrong, 130 interrupted.
"""

import ast
import atexit
import contextlib
import importlib
import io
import math
import os
import pathlib
import pkgutil
import re
import sys
import traceback
from collections.abc import Callable

from absl import flags

import hwgen
from hwgen import console
from hwgen.charset.printable import is_text, printable
from hwgen.cli import quiet
from hwgen.cli.help_text import format_help
from hwgen.settings import presets
from hwgen.settings.setting import SettingError

_HELP = ('--help', '-help', '-h', '--helpfull')


def command_summaries() -> dict[str, str]:
    """The commands and the first line of each one's docstring, read without importing any of them."""
    summaries = {}
    for module in pkgutil.iter_modules([str(pathlib.Path(__file__).parent)]):
        if module.name not in ('app', '__main__'):
            source = pathlib.Path(__file__).with_name(module.name + '.py').read_text(encoding='utf-8')
            tree = ast.parse(source)
            if any(isinstance(node, ast.FunctionDef) and node.name == 'main' for node in tree.body):
                summaries[module.name] = (ast.get_docstring(tree) or '').split('\n')[0]
    return summaries


def main() -> None:
    """`dispatch` as a process of its own: it ends with the status at once, after what modules do `atexit`.

    Threads of TensorFlow may still be running Python code (a pipeline that reads ahead). Where the
    interpreter takes itself apart around them, the process now and then hangs or is aborted (SIGABRT) instead
    of leaving with its status.
    """
    status: list[str | int] = [1]  # of a fault: Python shows its traceback before it comes to `leave`

    def leave():
        for stream in (sys.stdout, sys.stderr):
            # nobody reads on, or it is closed, or there is none
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(int(status[0]))

    atexit.register(leave)  # the first to be registered is the last to be called
    try:
        dispatch()
    except SystemExit as end:
        status[0] = end.code or 0
        raise


def dispatch(arguments: list[str] | None = None) -> None:
    """Runs `hwgen <command> [flags]` and leaves the process with its exit status.

    Args:
      arguments: what follows the program's name; default `sys.argv[1:]`.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    summaries = command_summaries()
    if not arguments or arguments[0] in _HELP:
        rows = '\n'.join(f'  {name:<10} {summary}' for name, summary in summaries.items())
        _print(
            f'{(hwgen.__doc__ or "").strip()}\n\nusage: hwgen <command> [flags]\n\n{rows}\n\n'
            '`hwgen <command> --help` explains a command. In a checkout, bin/<command> is the same and makes'
            ' its own environment.'
        )
        sys.exit(0 if arguments else 2)
    if arguments[0] == '--version':
        _print(f'hwgen {hwgen.__version__}')
        sys.exit(0)
    if arguments[0] not in summaries:
        console.warn(f'hwgen: no command {arguments[0]!r}; there are: {", ".join(summaries)}')
        sys.exit(2)
    module = importlib.import_module(f'hwgen.cli.{arguments[0]}')
    run(
        module.main,
        module.__doc__ or '',
        arguments=arguments[1:],
        program=os.environ.get('HWGEN_PROGRAM') or f'hwgen {arguments[0]}',
        default_flagfile=getattr(module, 'DEFAULT_FLAGFILE', None),
        positional=getattr(module, 'POSITIONAL', None),
        sections=getattr(module, 'SECTIONS', ()),
    )


def run(
    main: Callable[[list[str]], int | None],
    module_doc: str,
    *,
    arguments: list[str] | None = None,
    program: str | None = None,
    default_flagfile: str | None = None,
    positional: str | None = None,
    sections: tuple[type, ...] = (),
) -> None:
    """Reads the flags, calls `main` with the other arguments, and leaves the process with its exit status.

    An exception is taken for one that is meant for the user, and told in one line, if
    - its class is one of hwgen's: status 2 for a kind of ValueError, LookupError or OSError (wrong input),
      else 1;
    - it is a ValueError, LookupError or OSError from a `raise` of hwgen's own code, or an OSError about a
      named file: status 2. Any other is a fault of the program and keeps its traceback; so does every one
      where `HWGEN_TRACEBACK=1` is set.

    Args:
      main: the command's function; takes the list of arguments that are not flags.
      module_doc: docstring of its module, shown by `--help`.
      arguments: what follows the command; default `sys.argv[1:]`.
      program: the name shown in help and errors; default the file name of `sys.argv[0]`.
      default_flagfile: preset that is read first unless --flagfile names another, or none (--flagfile=).
      positional: what arguments that are not flags are called; None: there are none.
      sections: dataclasses of settings whose flags the help shows together, each under its title.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    program = program or os.path.basename(sys.argv[0])
    quiet.quiet_tensorflow()
    # A terminal that cannot show Chinese is no reason to stop.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        if any(argument in _HELP for argument in arguments):
            _print(
                format_help(
                    module_doc,
                    program=program,
                    positional=positional,
                    sections=sections,
                    everything='--helpfull' in arguments,
                    flag_values=flags.FLAGS,
                )
            )
            sys.exit(0)
        # `request --version=1` is another one, that of a model.
        if arguments == ['--version'] or '--version' in arguments and 'version' not in flags.FLAGS:
            _print(f'{program} {hwgen.__version__}')
            sys.exit(0)
        preset = None
        if default_flagfile and not any(
            argument.lstrip('-').partition('=')[0] == 'flagfile' for argument in arguments
        ):
            preset = f'--flagfile={default_flagfile}'
        rest = _parse([preset, *arguments] if preset else arguments, program=program, positional=positional)
        if preset:
            console.warn(
                f'{program}: no {"--flagfile" if arguments else "arguments"}, so'
                f' {printable(" ".join([program, preset, *arguments]))}'
            )
        status: int | None = main(rest)
        sys.stdout.flush()
    except KeyboardInterrupt:
        console.warn(f'{program}: interrupted')
        sys.exit(130)
    except BrokenPipeError:
        _forget_output()
        sys.exit(1)
    except flags.Error as error:
        console.warn(f'{program}: {_one_line(error)} (see {program} --help)')
        sys.exit(2)
    except Exception as error:
        status = _users_status(error)
        if status is None or os.environ.get('HWGEN_TRACEBACK'):
            raise
        console.warn(f'{program}: {_one_line(error)}')
    sys.exit(status)


def _parse(arguments, *, program, positional):
    """Parses the flags and returns the other arguments.

    Presets named in --flagfile are looked up beside the package.
    """
    expanded = presets.expand(arguments)
    try:
        rest = flags.FLAGS([program, *expanded])[1:]
    except ValueError as error:  # absl's, of `--noname=value`; what else is wrong it tells as flags.Error
        raise SettingError(f'{error} (see {program} --help)') from None
    if rest and not positional:
        raise SettingError(f'argument {rest[0]!r} is not a flag: flags begin with -- (see {program} --help)')
    for flag in _own_flags():
        if isinstance(flag.value, float) and not math.isfinite(flag.value):  # nan is within any bounds
            raise SettingError(f'flag --{flag.name}={flag.value}: expected a number (see {program} --help)')
        # an empty text is told as such
        if flag.value == '' and flag.present and flag.name != 'text' and 'Empty: ' not in flag.help:
            raise SettingError(f'--{flag.name}= is empty: expected a value (see {program} --help)')
        if isinstance(flag.value, str) and flag.value.startswith('~/') and flag.name != 'text':
            flag.value = os.path.expanduser(flag.value)  # a shell does not, behind a =
    text = flags.FLAGS['text'].value if 'text' in flags.FLAGS else None
    if isinstance(text, str) and not is_text(text):
        raise SettingError(
            f'--text={text}: no UTF-8 (typed or read in GBK?); expected a text in UTF-8, for example'
            ' --text="$(iconv -f gbk FILE)"'
        )
    return rest


def _own_flags():
    """The flags of hwgen's modules, not those of libraries."""
    return [
        flag
        for module, found in flags.FLAGS.flags_by_module_dict().items()
        if module.startswith('hwgen.')
        for flag in found
    ]


def _users_status(error) -> int | None:
    """The exit status of an exception that is meant for the user (see `run`); None: it is a fault of the
    program.
    """
    wrong_input = isinstance(error, (ValueError, LookupError, OSError))
    if type(error).__module__.startswith('hwgen.'):
        return 2 if wrong_input else 1
    raised_in = traceback.extract_tb(error.__traceback__)[-1]
    package = pathlib.Path(hwgen.__file__).resolve().parent
    meant = package in pathlib.Path(raised_in.filename).resolve().parents and (
        raised_in.line or ''
    ).startswith('raise ')
    return 2 if wrong_input and (meant or getattr(error, 'filename', None) is not None) else None


def _one_line(error) -> str:
    """An exception's message on one line that does nothing to a terminal; for an operating system's error,
    the file and what the system says.
    """
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
        return f'{printable(name)}: {error.strerror[0].lower()}{error.strerror[1:]}'
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return printable(_with_dashes(' '.join(str(text).split()))) or type(error).__name__


def _with_dashes(text) -> str:
    """A message in which settings that are flags are called as the user types them: `pen_share=2` becomes
    `--pen_share=2`.
    """
    own = {flag.name for flag in _own_flags()}
    return re.sub(r'(?<![\w./\\-])(\w+)=', lambda found: f'{"--" * (found[1] in own)}{found[0]}', text)


def _print(text) -> None:
    """Prints to the standard output, whether or not its reader takes all of it (`| head`)."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _forget_output()


def _forget_output() -> None:
    """The reader of our output has gone: nothing is wrong, and Python shall not complain when it flushes
    at its end.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
