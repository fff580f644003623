"""Every preset and every row of the plan resolves to the values written down in preset_values.json, from
any folder.
"""

import json

from preset_values import GOLDEN, PLAN, described, differences, resolve
from train_process import CHECKOUT

from hwgen.settings import presets


def test_presets_come_to_the_values_they_always_had(tmp_path, monkeypatch):
    golden = json.loads(GOLDEN.read_text(encoding='utf-8'))
    monkeypatch.chdir(tmp_path)
    found = described()
    assert found.keys() == golden.keys()
    for name, entry in golden.items():
        assert found[name] == entry, name


def test_presets_hold_the_difference_from_their_parent_alone(tmp_path):
    """A row that says what holds without it would have to be changed at two places."""
    files = [
        *CHECKOUT.glob('*.flags'),
        *CHECKOUT.glob('experiments/*.flags'),
        *CHECKOUT.glob('experiments/accelerator/*.flags'),
        *PLAN.glob('*.flags'),
    ]
    parents = {}
    for file in files:
        rows = [row for row in file.read_text(encoding='utf-8').splitlines() if row.startswith('--')]
        if rows and file.name != 'paper_sizes.flags':
            assert rows[0].startswith('--flagfile='), f'{file.name} names no parent in its first row'
            parents[file] = [presets.find(rows[0].partition('=')[2], named_in=file), len(rows) - 1]
    values = resolve(
        [[f'--flagfile={path}'] for file, (parent, _) in parents.items() for path in (file, parent)],
        cwd=tmp_path,
    )
    for (file, (_, num_rows)), own, above in zip(parents.items(), values[::2], values[1::2]):
        assert len(differences(own, above)) == num_rows, file.name
    assert len(parents) > 9
