"""The registry: the protocols that ship, one from an installed package, one that is registered; none of
them costs NumPy.
"""

import importlib.metadata
import os
import pathlib
import subprocess
import sys

import pytest

from hwgen.evaluation import protocols
from hwgen.evaluation.measuring import conventions
from hwgen.evaluation.protocols import registry
from hwgen.evaluation.protocols.protocol import JUDGES, Protocol, ProtocolError, Request
from hwgen.evaluation.reporting import seed_figures

CHECKOUT = pathlib.Path(registry.__file__).resolve().parents[3]
SHIPPED = [
    'reader',
    'hands',
    'hct',
    'scrabblegan',
    'ganwriting',
    'hwd',
    'interpolation',
    'neighbours',
    'shots',
    'nonsense',
    'comparison',
    'ablation',
    'usefulness',
    'imitation',
]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """What a test registers is gone behind it."""
    monkeypatch.setattr(registry, '_registered', {})


class Taste(Protocol):
    name, summary = 'taste', 'Is it beautiful?'


def test_those_that_ship_are_found_in_the_order_of_the_help():
    found = registry.find_protocols()
    assert list(found) == SHIPPED and all(found[name].name == name for name in SHIPPED)
    assert len({protocol.place for protocol in found.values()}) == len(SHIPPED)


@pytest.mark.parametrize('name', SHIPPED)
def test_what_one_says_of_itself(name):
    protocol = registry.find_protocol(name)
    assert (
        protocol.summary.endswith('?')
        and '\n' not in protocol.summary
        and protocol.title
        and protocol.description
        and type(protocol).__doc__
    )
    assert set(protocol.judges) <= set(JUDGES) and all(option.help for option in protocol.options)
    assert max(map(len, protocol.description.split('\n'))) <= 128
    assert all(
        better in ('lower', 'higher', 'near 1', 'neither', None) for better in protocol.directions.values()
    )
    if name in conventions.CONVENTIONS:
        assert protocol.square == conventions.CONVENTIONS[name].square


def test_each_says_which_way_its_figures_are_better():
    """Names as the protocols' measuring gives them."""
    distances = ['fid_recognizer_3', 'kid_recognizer_3', 'is_recognizer_3']
    copies = ['geometry_score_pixels_3', 'copying_z_recognizer_3', 'copied_share_recognizer_3']
    read = ['cer_3', 'label_error_3']
    names = {
        'reader': ['cer_seen_3', 'cer_punctuation_3'],
        'hands': [],
        'hct': distances + copies,
        'scrabblegan': distances + copies,
        'ganwriting': distances,
        'hwd': [*distances, 'hwd_recognizer_3'],
        'interpolation': [
            'ppl_styles_pixels_3',
            'uneven_styles_pixels_3',
            'detour_styles_pixels_3',
            'step_styles_pixels_3',
            'darkness_styles_3',
        ],
        'neighbours': ['neighbour_pixels_1_3', 'nearest_eighth_1_3', 'copies_pixels_3', 'real_pixels_3'],
        'shots': ['error_ppocr_seen_3', 'error_components_shots0_3'],
        'nonsense': ['error_labels_nonsense_3', 'error_structures_seen_3'],
        'comparison': distances + copies + read + [f'{name}_other_texts' for name in distances],
        'ablation': (
            distances + copies + read + ['unseen_cer_3', 'unseen_label_error_3', 'hands_distance_pixels']
        ),
        'usefulness': ['reads_pens_3', 'reads_people_numerals_3', 'loss_pens_3'],
        'imitation': ['own_distance', 'other_distance', 'nearest_own', 'centred_own_distance'],
    }
    assert list(names) == SHIPPED
    for name, figures in names.items():
        directions = registry.find_protocol(name).directions
        assert {
            row['name']
            for row in seed_figures.gather([{figure: {'floor': 1.0} for figure in figures}], directions)
        } == set(figures)


def test_the_protocols_of_distances_are_those_of_the_conventions():
    assert [name for name in SHIPPED if name in conventions.CONVENTIONS] == list(conventions.CONVENTIONS)


def test_one_is_registered():
    assert registry.register(Taste) is Taste and isinstance(registry.find_protocol('taste'), Taste)
    assert list(registry.find_protocols()) == [*SHIPPED, 'taste']
    registry.register(Taste)  # twice is once
    with pytest.raises(
        ProtocolError, match="protocol 'taste' of .*: .* has one of that name; expected another name"
    ):
        registry.register(type('Other', (Protocol,), dict(name='taste', summary='What?')))
    with pytest.raises(ProtocolError, match="protocol 'hct' of"):
        registry.register(type('Other', (Protocol,), dict(name='hct', summary='What?')))


@pytest.mark.parametrize(
    'wrong, message',
    [
        (dict, 'expected a subclass of hwgen.evaluation.protocols.protocol.Protocol'),
        (Taste(), 'expected a subclass'),
        (type('X', (Protocol,), dict(summary='What?')), "X: name '', expected letters"),
        (type('X', (Protocol,), dict(name='a b', summary='What?')), "name 'a b'"),
        (type('X', (Protocol,), dict(name='x')), "summary '', expected one line"),
        (type('X', (Protocol,), dict(name='x', summary='a\nb')), 'expected one line'),
        (
            type('X', (Protocol,), dict(name='x', summary='a', judges=('space', 'nose'))),
            'judges nose, expected some of space, reader, component_reader',
        ),
        (
            type('X', (Protocol,), dict(name='x', summary='a', directions={'ink': False})),
            "direction of 'ink' is False, expected one of",
        ),
    ],
)
def test_what_is_no_protocol_is_refused(wrong, message):
    with pytest.raises(ProtocolError, match=message):
        registry.register(wrong)


def test_one_from_an_installed_package(monkeypatch):
    """What cannot be loaded, or takes a name that is taken, is told with the entry point."""
    entries = [importlib.metadata.EntryPoint('mine', f'{__name__}:Taste', registry.ENTRY_POINTS)]
    monkeypatch.setattr(
        importlib.metadata, 'entry_points', lambda group: entries if group == 'hwgen.protocols' else []
    )
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    registry._outside.cache_clear()
    try:
        assert list(registry.find_protocols()) == [*SHIPPED, 'taste']
        for value, message in (
            ('hwgen.nothing:X', 'No module named'),
            (f'{__name__}:Nothing', 'Nothing'),
            (f'{__name__}:pytest', 'expected a subclass'),
            ('hwgen.evaluation.protocols.hands:Hands', "the name 'hands' is that of a protocol that ships"),
        ):
            entries[:] = [importlib.metadata.EntryPoint('mine', value, registry.ENTRY_POINTS)]
            registry._outside.cache_clear()
            with pytest.raises(ProtocolError, match=f"entry point 'mine' of hwgen.protocols .*{message}"):
                registry.find_protocols()
    finally:
        registry._outside.cache_clear()


def test_a_file_in_the_folder_is_enough(monkeypatch, tmp_path):
    """Nothing else is edited."""
    (tmp_path / 'beauty.py').write_text(
        'from hwgen.evaluation.protocols.protocol import Protocol\n\n\nclass Beauty(Protocol):\n    name,'
        ' summary, place = "beauty", "Is it?", 5.5\n'
    )
    monkeypatch.setattr(protocols, '__path__', [*protocols.__path__, str(tmp_path)])
    registry._own.cache_clear()
    try:
        assert list(registry.find_protocols()) == [*SHIPPED[:6], 'beauty', *SHIPPED[6:]]
    finally:
        registry._own.cache_clear()
        sys.modules.pop('hwgen.evaluation.protocols.beauty', None)


def test_a_protocol_without_anything_of_its_own():
    taste, request = Taste(), Request(None, (), None, 0.8, {})
    assert (
        taste.open(request),
        taste.first_model(request, None),
        taste.corpus_settings(None),
        taste.conditions(request),
    ) == (None, None, None, {})
    assert taste.sheets(None, None) == [] and taste.conclude(None, None, None) is None


def test_help_needs_no_numpy():
    """Help is shown in a fraction of a second: protocols import what is heavy where they measure."""
    program = (
        'import sys; import hwgen.cli.evaluate; print(*sorted({"numpy", "tensorflow", "cv2", "PIL"} &'
        ' set(sys.modules)))'
    )
    done = subprocess.run(
        [sys.executable, '-P', '-c', program],
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '\n'
