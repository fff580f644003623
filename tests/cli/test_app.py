"""What every command shares, in this process and with flags of its own: places, presets, help, whose error
it is, and what TensorFlow says at its start.
"""

import os
import pathlib
import sys
import types

import pytest
from absl import flags

import hwgen
from hwgen.cli import app, quiet
from hwgen.settings import presets, resources
from hwgen.settings.generate import check_writing
from hwgen.settings.resources import resource_path
from hwgen.settings.setting import SettingError


@pytest.fixture
def own(monkeypatch):
    """Flags of no other command: a FlagValues, defined in a module that counts as hwgen's."""
    values = flags.FlagValues()
    module = types.SimpleNamespace(__name__='hwgen.cli.own', __dict__={})
    define = dict(flag_values=values)
    flags.DEFINE_string('text', None, 'What is written.', **define)
    flags.DEFINE_string('place', 'here', 'Where. Example: --place=there.', **define)
    flags.DEFINE_float('share', 0.5, 'How much.', **define)
    flags.DEFINE_list('names', ['a', 'b'], 'Whose names.', **define)
    for flag in list(values._flags().values()):
        values.register_flag_by_module(module.__name__, flag)
    monkeypatch.setattr(app, 'flags', types.SimpleNamespace(FLAGS=values, Error=flags.Error))
    return values


@pytest.fixture
def run(own, capsys):
    """Function of a command's function and arguments -> (exit status, stdout, stderr)."""

    def call(main, *arguments, **options):
        with pytest.raises(SystemExit) as end:
            app.run(main, 'Summary.\n\nMore.', arguments=list(arguments), program='own', **options)
        return end.value.code, *capsys.readouterr()

    return call


def fail(error):
    def main(arguments):
        raise error

    return main


def test_a_value_of_a_switch_that_is_turned_off(own, run):
    flags.DEFINE_bool('deterministic', True, 'Whether.', flag_values=own)
    assert run(lambda arguments: None, '--nodeterministic=1') == (
        2,
        '',
        'own: --nodeterministic=1 does not take an argument (see own --help)\n',
    )


def test_a_checkout_has_its_setup(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, 'CHECKOUT', tmp_path)
    assert not resources.in_checkout()
    (tmp_path / 'setup.cfg').touch()
    assert resources.in_checkout()


def test_seeds_end_at_64_bits():
    def check(seed, count=1, text='x', file=None, out='o'):
        return check_writing(text, file, out=out, style_seed=seed, num_styles=count)

    check(2**64 - 1), check(2**64 - 5, 5), check(0, text='', file=None), check(0, text=None, file='')
    for seed, count in ((2**64, 1), (2**64 - 1, 2), (2**64 - 5, 6)):
        with pytest.raises(SettingError, match=f'^--style_seed={seed}: expected 0 to 2.64 - 1$'):
            check(seed, count)
    for text, file in ((None, None), ('', '')):
        with pytest.raises(SettingError, match='expected either --text "..." or --text_file FILE'):
            check(0, text=text, file=file)
    for out in (None, ''):
        with pytest.raises(SettingError, match='--out is missing'):
            check(0, out=out)


def test_presets_and_flags(run, own):
    pathlib.Path('mine.flags').write_text('--place=preset\n--share=.25\n', encoding='utf-8')
    seen = []

    def main(rest):
        return seen.append((own.place, own.share, rest))

    for arguments, default, expected in (
        (['--share=.1'], None, ('here', 0.1)),
        (['--share=.1'], 'mine.flags', ('preset', 0.1)),
        (['--flagfile='], 'mine.flags', ('here', 0.5)),
        (['-flagfile='], 'mine.flags', ('here', 0.5)),
        (['--flagfile', 'mine.flags', '--place=x'], 'none.flags', ('x', 0.25)),
        (['-flagfile', 'mine.flags'], None, ('preset', 0.25)),
        (['--flagfile=./mine.flags'], 'none.flags', ('preset', 0.25)),
    ):
        own.unparse_flags()
        for flag in own._flags().values():
            flag.unparse()
        status, out, err = run(main, *arguments, default_flagfile=default)
        assert (status, seen.pop()) == (None, (*expected, [])), err
        assert err == (
            f'own: no --flagfile, so own --flagfile=mine.flags {" ".join(arguments)}\n'
            if default == 'mine.flags' and 'flagfile' not in arguments[0]
            else ''
        )


def test_a_bare_name_means_the_preset_that_ships(own, tmp_path, monkeypatch):
    assert presets.find('demo.flags') == resource_path('demo.flags')
    pathlib.Path('demo.flags').touch()
    assert presets.find('demo.flags') == pathlib.Path('demo.flags')
    os.mkdir('folder')
    for name in ('none.flags', './fast.flags', 'folder', 'x/demo.flags'):
        with pytest.raises(presets.PresetError, match=f'^--flagfile={name}: no such file$'):
            presets.find(name)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert presets.find('~/demo.flags') == tmp_path / 'demo.flags'


def test_every_way_to_name_a_preset_is_looked_up(own, monkeypatch):
    pathlib.Path('mine.flags').write_text('--place=preset\n', encoding='utf-8')
    monkeypatch.setattr(
        presets,
        'find',
        lambda value, named_in: {('shipped.flags', None): pathlib.Path('mine.flags')}[value, named_in],
    )
    for arguments in (
        ['--flagfile=shipped.flags'],
        ['-flagfile=shipped.flags'],
        ['--flagfile', 'shipped.flags'],
        ['-flagfile', 'shipped.flags'],
    ):
        own.unparse_flags()
        own['place'].unparse()
        assert (
            app._parse([*arguments, '--share=.1'], program='own', positional=None) == []
            and own.place == 'preset'
        )


def test_values_that_are_looked_at(run, own, monkeypatch):
    monkeypatch.setenv('HOME', '/home/me')
    seen = []

    def main(rest):
        return seen.append((own.place, own.text, rest))

    assert run(main, '--place=~/x', '--text=~/x', 'a', 'b', positional='FILE')[0] is None and seen == [
        ('/home/me/x', '~/x', ['a', 'b'])
    ]
    assert run(main, '--place=a~/x')[0] is None and seen[-1][0] == 'a~/x'
    for value in ('nan', 'inf', '-inf'):
        assert run(main, f'--share={value}')[::2] == (
            2,
            f'own: flag --share={value}: expected a number (see own --help)\n',
        )
    status, _, err = run(main, '--share=.1', '--text=' + os.fsdecode(b'\xc3\xf7'))
    assert status == 2 and err.startswith(
        'own: --text=\\xc3\\xf7: no UTF-8 (typed or read in GBK?); expected a text in UTF-8'
    )
    assert (
        run(main, '--share=.1', '--text=x', 'stray')[::2]
        == (2, "own: argument 'stray' is not a flag: flags begin with -- (see own --help)\n")
        and len(seen) == 2
    )


def test_versions(run, own):
    def main(rest):
        return 3

    assert (
        run(main, '--version') == (0, f'own {hwgen.__version__}\n', '') == run(main, '--place=x', '--version')
    )
    flags.DEFINE_integer('version', None, 'Another one.', flag_values=own)
    assert run(main, '--version=1')[0] == 3 and run(main, '--version')[0] == 0


def test_help(run, own):
    for flag in ('--help', '-h', '-help'):
        status, out, err = run(fail(AssertionError()), '--share=nonsense', flag, positional='[B]')
        assert (status, err) == (0, '') and out.startswith(
            'usage: own [flags] [B]\n\nSummary.\n\nMore.\n\nflags:\n'
        )
        for row in (
            '  --text=STRING  (no default)\n      What is written.\n',
            '  --place=STRING  (default: here)\n      Where. Example: --place=there.\n',
            '  --share=FLOAT  (default: 0.5)\n',
            '  --names=A,B,...  (default: a,b)\n      Whose names.\n',
        ):
            assert row in out
    assert run(fail(AssertionError()), '--help')[1].startswith('usage: own [flags]\n\n')
    assert 'flags of hwgen.cli.own:\n' in run(fail(AssertionError()), '--helpfull')[1]


class Theirs(Exception):
    """An error of hwgen's own that is no wrong input."""


Theirs.__module__ = 'hwgen.cli.own'


class Missing(LookupError):
    """One that is."""


Missing.__module__ = 'hwgen.cli.own'


def raised_inside(code):
    """An error as it comes out of hwgen's own code: its last place is a line of the package."""
    line = next(
        number
        for number, text in enumerate(pathlib.Path(app.__file__).read_text(encoding='utf-8').splitlines(), 1)
        if text.strip().startswith(code)
    )
    try:
        exec(compile('\n' * (line - 1) + 'raise ValueError("inside")', app.__file__, 'exec'))
    except ValueError as error:
        return error


def test_whose_error_it_is(monkeypatch):
    def caught(error):
        try:
            raise error
        except BaseException as found:
            return app._users_status(found)

    assert [
        caught(error)
        for error in (
            Theirs('x'),
            Missing('x'),
            SettingError('x'),
            OSError(2, 'x', 'file'),
            OSError(2, 'x'),
            ValueError('x'),
            KeyError('x'),
        )
    ] == [1, 2, 2, 2, None, None, None]
    assert app._users_status(raised_inside('raise SettingError')) == 2  # from a `raise` of ours
    # from what we called with something wrong
    assert app._users_status(raised_inside('return summaries')) is None


def test_messages_are_one_line(own):
    for error, line in (
        (KeyError('no such row'), 'no such row'),
        (KeyError(), 'KeyError'),
        (ValueError(' a\n  b '), 'a b'),
        (ValueError(), 'ValueError'),
        (OSError(2, 'No such file', 'f'), 'f: no such file'),
        (OSError('odd'), 'odd'),
        (OSError(2, '', 'f'), "[Errno 2] : 'f'"),
        (
            ValueError('share=2 and --share=3, unshare=4, x/share=5, a.share=6, place=, other=7'),
            '--share=2 and --share=3, unshare=4, x/share=5, a.share=6, --place=, other=7',
        ),
    ):
        assert app._one_line(error) == line


def test_ends(run, monkeypatch):
    assert run(fail(KeyboardInterrupt())) == (130, '', 'own: interrupted\n')
    assert run(fail(Theirs('too bad')))[::2] == (1, 'own: too bad\n') and run(fail(Missing('no row')))[
        ::2
    ] == (2, 'own: no row\n')
    forgotten = []
    monkeypatch.setattr(app, '_forget_output', lambda: forgotten.append(1))
    assert run(fail(BrokenPipeError())) == (1, '', '') and forgotten == [1]
    monkeypatch.setenv('HWGEN_TRACEBACK', '1')
    with pytest.raises(Theirs):
        app.run(fail(Theirs('x')), 'Summary.', arguments=[], program='own')


def test_the_dispatcher_without_a_command(capsys):
    for arguments, status in (([], 2), (['-h'], 0), (['--helpfull'], 0), (['--version'], 0)):
        with pytest.raises(SystemExit) as end:
            app.dispatch(arguments)
        out = capsys.readouterr().out
        assert end.value.code == status and ('usage: hwgen <command> [flags]' in out) == (
            arguments != ['--version']
        )
    assert {'app', '__main__', 'quiet', 'help_text'}.isdisjoint(app.command_summaries()) and {
        'train',
        'generate',
    } <= app.command_summaries().keys()


# What TensorFlow says at its start
# ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'files, level', [((), '3'), (('/dev/nvidiactl',), '2'), (('/dev/dxg',), '2'), (('/dev/null',), '3')]
)
def test_errors_are_shown_where_there_is_a_gpu(monkeypatch, files, level):
    for name in ('TF_CPP_MIN_LOG_LEVEL', 'GRPC_VERBOSITY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(quiet.os.path, 'exists', lambda path: path in files)
    finders = [finder for finder in sys.meta_path if not isinstance(finder, quiet._QuietFinder)]
    monkeypatch.setattr(sys, 'meta_path', finders)
    monkeypatch.setattr(quiet, 'sys', types.SimpleNamespace(modules={}, meta_path=finders))
    quiet.quiet_tensorflow()
    quiet.quiet_tensorflow()
    assert (os.environ['TF_CPP_MIN_LOG_LEVEL'], os.environ['GRPC_VERBOSITY']) == (level, 'ERROR')
    assert [isinstance(finder, quiet._QuietFinder) for finder in finders].count(True) == 1 and isinstance(
        finders[0], quiet._QuietFinder
    )
    monkeypatch.setattr(quiet.sys, 'meta_path', [])
    quiet.sys.modules['tensorflow'] = None
    quiet.quiet_tensorflow()  # too late
    assert quiet.sys.meta_path == []


def test_what_is_set_already_stays(monkeypatch):
    monkeypatch.setattr(quiet, 'sys', types.SimpleNamespace(modules={}, meta_path=[]))
    monkeypatch.setenv('TF_CPP_MIN_LOG_LEVEL', '1')
    monkeypatch.setenv('GRPC_VERBOSITY', 'DEBUG')
    quiet.quiet_tensorflow()
    assert (os.environ['TF_CPP_MIN_LOG_LEVEL'], os.environ['GRPC_VERBOSITY'], len(quiet.sys.meta_path)) == (
        '1',
        'DEBUG',
        1,
    )
    monkeypatch.setenv('TF_CPP_MIN_LOG_LEVEL', '0')
    monkeypatch.delenv('GRPC_VERBOSITY')
    quiet.sys.meta_path.clear()
    quiet.quiet_tensorflow()  # all of it is asked for
    assert 'GRPC_VERBOSITY' not in os.environ and quiet.sys.meta_path == []


def test_start_up_notes_alone_are_left_out(capfd):
    with quiet._filtered_stderr():
        os.write(
            2,
            b'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\nI0000'
            b' 00:00:1795698538.4  1962 port.cc:153] oneDNN\nW0000 00:00:1795698538.4    1962'
            b' cudart_stub.cc:31] no\nE0000 00:00:1.4  1962 port.cc:153] wrong\nI0000 00:00:1.4  1962'
            b' other.cc:153] kept\nI0000 00:00:1.4 1 cpu_feature_guard.cc:1] x\nW0000 0:0:1.4 1'
            b' computation_placer.cc:9] x\nlast words',
        )
    os.write(2, b'I0000 00:00:1.4  1962 port.cc:153] behind it\n')
    assert capfd.readouterr().err.splitlines() == [
        'E0000 00:00:1.4  1962 port.cc:153] wrong',
        'I0000 00:00:1.4  1962 other.cc:153] kept',
        'last words',
        'I0000 00:00:1.4  1962 port.cc:153] behind it',
    ]


def test_without_grep_all_is_said(monkeypatch, capfd):
    monkeypatch.setenv('PATH', '')
    with quiet._filtered_stderr():
        os.write(2, b'I0000 00:00:1.4  1962 port.cc:153] said\n')
    assert capfd.readouterr().err == 'I0000 00:00:1.4  1962 port.cc:153] said\n'
