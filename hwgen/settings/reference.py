"""The reference of all settings, docs/settings.md, as the dataclasses have them: `python -m
hwgen.settings.reference` writes it anew.
"""

import re
from typing import Any

from hwgen import files
from hwgen.settings import generate, imitate, prepare, serving, train
from hwgen.settings.resources import CHECKOUT
from hwgen.settings.setting import Setting, bounds, default_of, described, flag_of, item_of, type_of

PLACE = 'docs/settings.md'
COMMANDS: dict[str, tuple[type, ...]] = {
    'generate': generate.SECTIONS,
    'imitate': imitate.SECTIONS,
    'prepare': prepare.SECTIONS,
    'train': train.SECTIONS,
    'export': serving.EXPORT_SECTIONS,
    'serve': serving.SERVE_SECTIONS,
    'request': serving.REQUEST_SECTIONS,
}
_HEAD = """# Settings

Every flag of the commands, as their `--help` tells them too. From Python ([API](api.md)) they are keywords by
the same names: `bin/train --batch_size=4` is `hwgen.train(batch_size=4)`. The defaults of `bin/train` are
those of the main job, `demo.flags`. The flags of `bin/evaluate` come from its protocols: see
[Evaluation](evaluation.md) and `bin/evaluate --help`.

Presets (`*.flags`) hold flags, one a row; a preset may name another, its parent, by a row such as
`--flagfile=demo.flags` and then hold the difference alone. Later flags win.

This page is written by `python -m hwgen.settings.reference` from `hwgen/settings/`; change it there.
"""


def page() -> str:
    """The whole page, Markdown."""
    parts = [_HEAD]
    for command, sections in COMMANDS.items():
        parts += [f'## bin/{command}\n', *(_section(cls) for cls in sections)]
    return '\n'.join(parts)


def _section(cls: Any) -> str:
    """A dataclass of settings as a heading and a table."""
    rows = [
        f'### {cls.SECTION}',
        '',
        (cls.__doc__ or '').strip().splitlines()[0],
        '',
        '| flag | default | values | |',
        '|---|---|---|---|',
    ]
    for name, about in described(cls).items():
        if flag_of(cls, name):
            kind, optional = type_of(cls, name)
            head = f'`--[no]{flag_of(cls, name)}`' if kind is bool else f'`--{flag_of(cls, name)}`'
            values = _values(kind, optional, about, items=_items(cls, name))
            rows.append(
                f'| {head} | {_default(default_of(cls, name), about)} | {values} | {_told(about.help)} |'
            )
    return '\n'.join([*rows, ''])


def _told(help_text: str) -> str:
    """A help text as a cell of the table: flags and what is typed as their values are code."""
    parts = re.split(r'(`[^`]*`)', help_text.replace('|', r'\|'))
    return ''.join(
        (
            part
            if part.startswith('`')
            else re.sub(r"--\w+(?:=(?:'[^']*'|[^\s;()]*[^\s,;().]))?", r'`\g<0>`', part)
        )
        for part in parts
    )


def _default(value: Any, about: Setting) -> str:
    if isinstance(value, bool):
        return 'on' if value else 'off'
    if value is None:
        return ''
    shown = (
        ','.join(map(str, value))
        if isinstance(value, tuple)
        else f'{value:g}'
        if isinstance(value, float)
        else str(value)
    )
    return f'`{shown}`{" " * bool(about.unit)}{about.unit}' if shown else 'none'


def _items(cls: type, name: str) -> str:
    """What a list holds, in words."""
    return 'texts' if type_of(cls, name)[0] is tuple and item_of(cls, name) is str else 'whole numbers'


def _values(kind: type, optional: bool, about: Setting, *, items: str) -> str:
    if about.choices:
        return ', '.join(f'`{choice}`' for choice in about.choices)
    named = {bool: 'on or off', int: 'whole number', float: 'number', tuple: items, str: 'text'}[kind]
    return ', '.join(filter(None, [named, bounds(about), 'may be left out' if optional else '']))


if __name__ == '__main__':
    files.write_file(CHECKOUT / PLACE, page().encode())
