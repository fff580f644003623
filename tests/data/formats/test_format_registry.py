"""Which formats there are, and what is refused as one."""

import dataclasses
import importlib.metadata

import pytest

from hwgen.data.formats import registry
from hwgen.data.formats.format import Format
from hwgen.settings.prepare import OutputSettings
from hwgen.settings.setting import choices_of


def read(file, *, refuse=None):
    return iter(())


MINE = Format(name='mine', summary='a format of a test', suffixes=('.mine',), read=read)


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    """No format that a test registers outlives it."""
    monkeypatch.setattr(registry, '_registered', {})


def test_the_sources_that_ship_are_choices_of_the_flag():
    assert set(registry.sources()) <= set(choices_of(OutputSettings, 'source'))
    for source in registry.sources():
        assert {one.asked_by for one in registry.formats_of(source)} == {source}
    with pytest.raises(ValueError, match=r"^source 'x': expected one of casia, iam, iam_online, lmdb$"):
        registry.formats_of('x')


def test_a_registered_format_stands_behind_those_that_ship():
    assert registry.register(MINE) is MINE and registry.register(MINE) is MINE
    assert list(registry.find_formats())[-1] == 'mine' and registry.formats_of('mine') == [MINE]
    other = dataclasses.replace(MINE, name='other', suffixes=('.other',), source='mine', place=0)
    registry.register(other)
    assert registry.formats_of('mine') == [other, MINE] and registry.sources()[0] == 'casia'


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'name': 'my format'}, "name 'my format', expected letters, digits and _"),
        ({'name': 'gnt', 'suffixes': ('.x',)}, "there is a format 'gnt', expected another name"),
        ({'name': 'folder'}, "name 'folder' is no format, expected another name"),
        ({'source': 'auto'}, "name 'auto' is no format, expected another name"),
        ({'summary': ''}, "summary '', expected one line"),
        ({'summary': 'a\nb'}, 'expected one line'),
        ({'suffixes': ('mine',)}, "suffix 'mine', expected one such as .gnt, in lower case"),
        ({'suffixes': ('.Mine',)}, "suffix '.Mine', expected one such as .gnt, in lower case"),
        ({'suffixes': ('.mine', '.gnt')}, 'files .gnt are those of gnt'),
        ({'read': None}, 'expected one of read and parts'),
        ({'parts': read}, 'expected one of read and parts'),
        ({'read': None, 'parts': read}, 'parts without is_there, which tells such a collection from others'),
    ],
)
def test_what_is_no_whole_format_is_refused(changes, message):
    with pytest.raises(ValueError) as caught:
        registry.register(dataclasses.replace(MINE, **changes))
    assert message in str(caught.value)
    assert 'mine' not in registry.find_formats()


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        (
            'missing_module:FORMAT',
            "entry point 'x' of hwgen.formats (missing_module:FORMAT): No module named",
        ),
        ('json:FORMAT', "has no attribute 'FORMAT'"),
        ('json:dumps', 'expected a hwgen.data.formats.format.Format'),
        ('hwgen.data.formats.readers.gnt:FORMAT', None),
    ],
)
def test_an_entry_point_names_a_format(monkeypatch, value, message):
    """One that is refused is named with its entry point."""
    entry = importlib.metadata.EntryPoint('x', value, registry.ENTRY_POINTS)
    monkeypatch.setattr(registry.importlib.metadata, 'entry_points', lambda group: [entry])
    find = registry._outside.__wrapped__
    if message is None:
        assert list(find()) == ['gnt']
        return
    with pytest.raises(ValueError) as caught:
        find()
    assert message in str(caught.value)
