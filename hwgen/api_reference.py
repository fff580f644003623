"""The reference of the Python interface, docs/api.md, as the docstrings have it: `python -m
hwgen.api_reference` writes it anew.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import hwgen
from hwgen import files
from hwgen.settings.resources import CHECKOUT

PLACE = 'docs/api.md'
FUNCTIONS = ('load', 'generate', 'verified', 'imitate', 'prepare', 'train', 'evaluate', 'export', 'serve')
# Classes and those of their methods that the page has.
CLASSES = {
    'Writer': ('write', 'stream', 'styles', 'styles_between', 'hand', 'encode', 'can_write'),
    'Charset': ('load', 'encode'),
}
# Further functions and classes, where they are imported from.
FURTHER = {
    'hwgen.inference.imitation': ('read_style', 'read_hand'),
    'hwgen.inference.line_boxes': ('boxes_of', 'LineBoxes'),
    'hwgen.generation.verification': ('VerifiedLine', 'Verified'),
    'hwgen.inference.hand_file': ('load_hand', 'save_hand'),
    'hwgen.inference.content_interpolation': ('ContentInterpolation',),
    'hwgen.serving.client': ('Client',),
}
_HEAD = """# From Python

```python
import hwgen

writer = hwgen.load()                                     # the model that ships
images = writer.write(['明天⿱山鱼'], style_seeds=[7])        # a list of uint8 [32, 32 N], 255 = paper
hwgen.generate('明天去钓鱼', 'hands.png', num_styles=3, model=writer)
summary = hwgen.train('fast', data='tfrecords/mine', run_dir='runs/mine')
hwgen.evaluate(summary['model'], 'reader', num_lines=100, seeds=1)
hwgen.export(summary['model'], 'saved_models/mine/1')
```

`import hwgen` takes hundredths of a second: NumPy and TensorFlow are loaded when a function needs them. Each
function is the command of the same name. Its keywords are called as the flags are ([Settings](settings.md)),
with values of Python: `batch_size=4`, `deterministic=False`, `style_channels=[16, 32]`. Wrong settings are a
`TypeError` or `ValueError` that names them and says what was expected. A [notebook](../examples/hwgen.ipynb)
shows all this with pictures.

This page is written by `python -m hwgen.api_reference` from the docstrings; change them there.
"""


def page() -> str:
    """The whole page, Markdown."""
    import importlib

    parts = [_HEAD, '## Functions\n']
    parts += [_function(f'hwgen.{name}', getattr(hwgen, name)) for name in FUNCTIONS]
    for name, methods in CLASSES.items():
        parts += [f'## hwgen.{name}\n', _docstring(getattr(hwgen, name))]
        parts += [_function(f'{name}.{method}', getattr(getattr(hwgen, name), method)) for method in methods]
    parts.append('## Further\n')
    for module, names in FURTHER.items():
        for name in names:
            found = getattr(importlib.import_module(module), name)
            parts.append(_function(f'{module}.{name}', found))
            if inspect.isclass(found):
                own = [one for one in vars(found) if not one.startswith('_') and callable(vars(found)[one])]
                parts += [_function(f'{name}.{method}', getattr(found, method)) for method in own]
    return '\n'.join(parts)


def _function(name: str, function: Callable[..., Any]) -> str:
    """A function or class as a heading, its signature and its docstring."""
    parameters = inspect.signature(function).parameters.values()
    shown: list[str] = []
    for one in parameters:
        if one.name in ('self', 'cls'):
            continue
        if one.kind is one.KEYWORD_ONLY and '*' not in shown and not any(s.startswith('*') for s in shown):
            shown.append('*')
        stars = '*' * (one.kind is one.VAR_POSITIONAL) + '**' * (one.kind is one.VAR_KEYWORD)
        default = '' if one.default is one.empty else f'={_default(one.default)}'
        shown.append(f'{stars}{one.name}{default}')
    return (
        f'### {name}\n\n```python\n{name.split(".")[-1]}({", ".join(shown)})\n```\n\n{_docstring(function)}'
    )


def _default(value: Any) -> str:
    """A default as it is typed."""
    return getattr(value, '__name__', None) or repr(value)


def _docstring(found: Any) -> str:
    """A docstring as Markdown: its sections in bold, their entries as lists."""
    lines: list[str] = []
    section = False
    for line in inspect.cleandoc(found.__doc__ or '').splitlines():
        head = re.fullmatch(r'(Args|Attributes|Returns|Yields|Raises):(?: (.*))?', line)
        if head:
            section = True
            lines += [f'**{head[1]}**', '', *([f'- {head[2]}'] if head[2] else [])]
        elif section and re.match(r' {4}\S', line):
            lines.append(f'- {_escaped(line.strip())}')
        elif section and line.strip():
            lines.append(f'  {_escaped(line.strip())}')
        else:
            lines.append(_escaped(line))
    return '\n'.join(lines).rstrip() + '\n'


def _escaped(line: str) -> str:
    """A line in which names with stars are no emphasis: those outside of code."""
    parts = re.split(r'(`[^`]*`)', line)
    return ''.join(
        part if part.startswith('`') else part.replace('*', r'\*').replace('[', r'\[').replace('<', '&lt;')
        for part in parts
    )


if __name__ == '__main__':
    files.write_file(CHECKOUT / PLACE, page().encode())
