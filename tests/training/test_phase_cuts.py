"""Cuts of phases by themselves: what plan.json says, what is forgotten, what is refused.

Within runs: test_minutes.py.
"""

import json
import os
import pathlib

import pytest

from hwgen.settings.schedule import Schedule
from hwgen.training.phase_cuts import PhaseCuts
from hwgen.training.run_directory import RunDirectoryError

PLANNED = Schedule(10, 20, 40)


def test_cuts_are_written_and_read_back():
    cuts = PhaseCuts('.', PLANNED)
    assert cuts.resume(5) == PLANNED and not os.path.exists('plan.json'), (
        'nothing happened, nothing is written'
    )
    assert cuts.add(4) == Schedule(4, 20, 40) and cuts.add(11) == Schedule(4, 7, 40)
    assert json.loads(pathlib.Path('plan.json').read_text(encoding='utf-8')) == dict(
        cuts=[
            dict(at_step=4, phase='recognizers', steps=4, planned_steps=10),
            dict(at_step=11, phase='reconstruction', steps=7, planned_steps=20),
        ]
    )
    assert pathlib.Path('plan.json').read_text(encoding='utf-8').endswith('}\n') and os.listdir('.') == [
        'plan.json'
    ]
    again = PhaseCuts('.', PLANNED)
    assert again.resume(11) == Schedule(4, 7, 40) and again.add(30) == Schedule(4, 7, 19)


@pytest.mark.parametrize(
    'step, schedule, kept',
    [
        (12, Schedule(4, 7, 40), [4, 11]),
        (11, Schedule(4, 7, 40), [4, 11]),
        (10, Schedule(4, 20, 40), [4]),
        (4, Schedule(4, 20, 40), [4]),
        (3, PLANNED, []),
        (0, PLANNED, []),
    ],
)
def test_a_cut_beyond_the_step_has_not_happened(step, schedule, kept):
    """One at the step itself has.

    What has not is forgotten for good, and only then is the file written anew.
    """
    cuts = PhaseCuts('.', PLANNED)
    cuts.add(4)
    cuts.add(11)
    before = os.stat('plan.json').st_ino
    again = PhaseCuts('.', PLANNED)
    assert again.resume(step) == schedule
    assert [
        cut['at_step'] for cut in json.loads(pathlib.Path('plan.json').read_text(encoding='utf-8'))['cuts']
    ] == kept
    assert (os.stat('plan.json').st_ino == before) == (len(kept) == 2)
    assert PhaseCuts('.', PLANNED).resume(99) == schedule


def test_a_plan_that_cannot_be_written_is_named():
    pathlib.Path('gone').write_text('a file')
    cuts = PhaseCuts('gone', PLANNED)
    with pytest.raises(
        RunDirectoryError, match='^gone/plan.json: cannot be written: (file exists|not a directory)$'
    ):
        cuts.add(4)
