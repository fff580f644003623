"""The text of `--help`: what a command says of itself, and its flags with their defaults."""

import re
import sys
import textwrap
from typing import Any

from absl import flags

from hwgen.settings.setting import Setting, described, flag_of


def format_help(
    module_doc: str,
    *,
    program: str,
    positional: str | None = None,
    sections: tuple[Any, ...] = (),
    everything: bool = False,
    flag_values: flags.FlagValues = flags.FLAGS,
) -> str:
    """The text of `--help`: the docstring, then the flags of hwgen's modules (or of all modules) with their
    defaults.

    Args:
      module_doc: docstring of the command's module.
      program: how the command is called.
      positional: what arguments that are not flags are called.
      sections: dataclasses of settings, each a section of its own; other flags come after them.
      everything: also the flags that libraries define.
      flag_values: where the flags are registered.
    """
    lines = [
        f'usage: {program} [flags]' + (f' {positional}' if positional else ''),
        '',
        module_doc.strip(),
        '',
    ]
    by_module = flag_values.flags_by_module_dict()
    shown = {
        name: found
        for name, found in by_module.items()
        if everything or name.startswith('hwgen.') or name == sys.argv[0]
    }
    in_sections: dict[str, Setting] = {}
    for cls in sections:
        in_sections |= {
            flag_of(cls, name): about for name, about in described(cls).items() if flag_of(cls, name)
        }
        lines += [
            f'{cls.SECTION}:',
            *(
                row
                for name in described(cls)
                if flag_of(cls, name)
                for row in _describe(flag_values[flag_of(cls, name)], described(cls)[name])
            ),
            '',
        ]
    for module, found in shown.items():
        rows = [row for flag in found if flag.name not in in_sections for row in _describe(flag)]
        if rows or not in_sections:
            lines += [f'flags of {module}:' if everything else 'flags:', *rows]
    lines += [
        '',
        '  --flagfile=FILE  (a preset)',
        (
            '      Reads flags from FILE, one a row; later flags win. A bare name that is no file here means'
            ' the preset that ships with hwgen. A preset may name'
        ),
        (
            '      another, its parent, by a row --flagfile=PARENT, which is looked for beside it first.'
            ' --flagfile= is no preset: the defaults above.'
        ),
    ]
    return '\n'.join(lines)


def _describe(flag: flags.Flag, about: Setting | None = None) -> list[str]:
    """The lines of one flag in the help text; a setting has its unit beside its default."""
    unit = f' {about.unit}' if about is not None and about.unit else ''
    if flag.boolean:
        head = f'  --[no]{flag.name}  (default: {"on" if flag.default else "off"})'
    else:
        choices = getattr(flag.parser, 'enum_values', None)
        kind = (
            '|'.join(map(str, choices))
            if choices
            else flag.flag_type().upper().replace('COMMA SEPARATED LIST OF STRINGS', 'A,B,...')
        )
        default = (flag.default_as_str or '').strip("'") if flag.default is not None else None
        head = f'  --{flag.name}={kind}  ' + (
            '(no default)' if default is None else f'(default: {default or "none"}{unit})'
        )
    return [
        head,
        *textwrap.wrap(
            re.sub(r'^<[^>]*>: ', '', flag.help or ''),
            112,
            initial_indent='      ',
            subsequent_indent='      ',
        ),
    ]
