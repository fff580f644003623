"""The pages for readers: links lead somewhere, every page is reached from the index, commands and flags
exist, the README stays short.
"""

import functools
import os
import pathlib
import re
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

import hwgen
from hwgen.cli import app

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
README = CHECKOUT / 'README.md'
INDEX = CHECKOUT / 'docs' / 'index.md'
PAGES = sorted((CHECKOUT / 'docs').rglob('*.md'))
TEXTS = [README, CHECKOUT / 'CONTRIBUTING.md', CHECKOUT / 'CHANGELOG.md', *PAGES]
COMMANDS = sorted(app.command_summaries())
MAX_README_BYTES = 8000

FENCE = re.compile(r'^ *```.*?^ *```', re.MULTILINE | re.DOTALL)
INLINE = re.compile(r'`[^`\n]+`')
LINK = re.compile(r'\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)')
# The files that may name a page of docs/ in a comment, a docstring or a help text.
NAMING = [
    path
    for pattern in (
        'hwgen/**/*.py',
        'tests/**/*.py',
        'benchmarks/*.py',
        'experiments/**/*',
        'bin/*',
        '*.flags',
        'setup.cfg',
    )
    for path in CHECKOUT.glob(pattern)
    if path.is_file() and path.suffix not in ('.pyc', '.png', '.npz')
]


def name(path):
    return str(path.relative_to(CHECKOUT))


def read(path):
    return path.read_text(encoding='utf-8')


def links(text):
    """The targets of a page's links and pictures, those in code left out."""
    return LINK.findall(INLINE.sub('`code`', FENCE.sub('', text)))


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    found, counts = set(), {}
    for heading in re.findall(r'^#{1,6} +(.+?) *$', FENCE.sub('', text), re.MULTILINE):
        heading = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).lower()
        slug = ''.join(c for c in heading if c in ' -_' or unicodedata.category(c)[0] in 'LMN').replace(
            ' ', '-'
        )
        number = counts.get(slug, 0)
        counts[slug] = number + 1
        found.add(f'{slug}-{number}' if number else slug)
    return found


def broken_links(page, text):
    """What of a page's relative links leads nowhere, in words."""
    broken = []
    for target in links(text):
        if re.match(r'[a-z]+:', target):
            continue
        file, _, anchor = target.partition('#')
        place = pathlib.Path(os.path.normpath(page.parent / file)) if file else page
        if not place.exists():
            broken.append(f'{target}: no such file')
        elif anchor and (
            place.suffix != '.md' or anchor not in anchors(text if place == page else read(place))
        ):
            broken.append(f'{target}: no such heading')
    return broken


def commands(text):
    """What a page has one type: (command, rest of the line), of fences and of inline code; comments are
    left out.
    """
    lines = [line for fence in FENCE.findall(text) for line in fence.replace('\\\n', ' ').splitlines()]
    lines += [code.strip('`') for code in INLINE.findall(FENCE.sub('', text))]
    for line in lines:
        found = re.match(r'(?:bin/|hwgen )([a-z]+)\b(.*)', line.strip())
        if found:
            yield found[1], re.split(r'\s#|\s\|', found[2])[0]


@functools.cache
def flags_of_commands():
    """Command -> its flags, asked of each command in a process of its own, all at once."""
    code = (
        'import sys; from importlib import import_module; import_module("hwgen.cli." + sys.argv[1]); from'
        ' absl import flags; print(*(("no" if no else "") + name for name in flags.FLAGS for no in {False,'
        ' flags.FLAGS[name].boolean}))'
    )
    asked = {
        command: subprocess.Popen(
            [sys.executable, '-P', '-c', code, command],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
        )
        for command in COMMANDS
    }
    return {
        command: {'help', 'flagfile', *process.communicate(timeout=60)[0].split()}
        for command, process in asked.items()
    }


@pytest.mark.parametrize('page', TEXTS, ids=name)
def test_links_lead_somewhere(page):
    assert not broken_links(page, read(page))


def test_a_broken_link_is_seen():
    page = CHECKOUT / 'docs' / 'index.md'
    text = (
        '# A `b`, c: d\n[x](#a-b-c-d) [x](../README.md) [`x`](quickstart.md) ![x](images/written.png)'
        ' `[x](nowhere.md)`\n```\n[x](nowhere.md)\n# e\n```\n'
    )
    assert not broken_links(page, text)
    assert broken_links(
        page, text + '[x](#e) [x](nowhere.md) ![x](images/nothing.png) [x](quickstart.md#nothing)'
    ) == [
        '#e: no such heading',
        'nowhere.md: no such file',
        'images/nothing.png: no such file',
        'quickstart.md#nothing: no such heading',
    ]


def test_every_page_is_reached_from_the_index():
    reached, waiting = set(), [INDEX]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        linked = {
            pathlib.Path(os.path.normpath(page.parent / target.partition('#')[0]))
            for target in links(read(page))
        }
        waiting += [other for other in linked & set(PAGES) if other not in reached]
    assert not {name(page) for page in set(PAGES) - reached}


def test_the_readme_is_short_and_leads_on():
    text = read(README)
    assert len(text.encode('utf-8')) <= MAX_README_BYTES
    pages = (
        'quickstart',
        'writing',
        'your_data',
        'training',
        'serving/index',
        'evaluation',
        'results/index',
        'method',
        'glossary',
        'index',
    )
    assert not {f'docs/{page}.md' for page in pages} - set(links(text))


@pytest.mark.parametrize('page', TEXTS, ids=name)
def test_commands_and_presets_exist(page):
    text = read(page)
    assert not [
        script for script in re.findall(r'\bbin/([a-z]+)', text) if not (CHECKOUT / 'bin' / script).is_file()
    ]
    # Of presets in README and quickstart also those that are named outside of a command.
    presets = re.findall(r'--flagfile=([\w/]+\.flags)', text)
    if page in (README, INDEX.with_name('quickstart.md')):
        presets += re.findall(r'[\w/]+\.flags', text)
    assert not [preset for preset in presets if not (CHECKOUT / preset).is_file()]


@pytest.mark.parametrize('page', TEXTS, ids=name)
def test_flags_are_those_of_the_command(page):
    wrong = [
        f'{command} --{flag}'
        for command, rest in commands(read(page))
        if command in COMMANDS
        for flag in re.findall(r'(?<!\S)--?([a-z]\w+)', rest)
        if flag not in flags_of_commands()[command]
    ]
    assert not wrong


def test_a_flag_that_is_not_there_is_seen():
    text = (
        '```\nbin/train --data=x --unlabeled=y \\\n  --nolearn_boxes  # --nothing\n```\n`bin/serve'
        ' --gprc_port=1`'
    )
    assert [
        (command, [flag for flag in re.findall(r'--(\w+)', rest) if flag not in flags_of_commands()[command]])
        for command, rest in commands(text)
    ] == [('train', ['unlabeled']), ('serve', ['gprc_port'])]


def test_code_names_pages_that_exist():
    named = {
        (name(path), page)
        for path in NAMING
        for page in re.findall(
            r'\bdocs/[\w/]+\.(?:md|json|txt|config)\b', path.read_text(encoding='utf-8', errors='replace')
        )
    }
    assert named
    assert not [f'{path}: {page}' for path, page in named if not (CHECKOUT / page).is_file()]


@pytest.mark.parametrize('page', [README, CHECKOUT / 'docs' / 'writing.md'], ids=name)
def test_what_is_to_be_typed_in_python_runs(page):
    """From any folder, with the model that ships; one line of the height that the page tells of."""
    (snippet,) = re.findall(r'^```python\n(.*?)^```', read(page), re.MULTILINE | re.DOTALL)
    found = {}
    exec(compile(snippet, str(page), 'exec'), found)
    assert 'import hwgen\n' in snippet and 'uint8 [64, W]' in snippet
    (line,) = found['lines']
    assert (line.dtype, line.shape[0]) == ('uint8', 64) and 5 * 20 < line.shape[1] < 5 * 80
    assert 0.01 < np.mean(line < 128) < 0.4  # something is written


@pytest.mark.parametrize('page', TEXTS, ids=name)
def test_figures_have_their_zero(page):
    """0.052, not .052, outside of commands."""
    prose = INLINE.sub('', FENCE.sub('', read(page)))
    assert not re.findall(r'(?<![\w.])\.\d+', prose)
