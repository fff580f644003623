"""Every preset and every row of the plan resolves to the values written down in preset_values.json, from any folder."""

import json

from preset_values import GOLDEN, described


def test_presets_come_to_the_values_they_always_had(tmp_path, monkeypatch):
    golden = json.loads(GOLDEN.read_text(encoding='utf-8'))
    monkeypatch.chdir(tmp_path)
    found = described()
    assert found.keys() == golden.keys()
    for name, entry in golden.items():
        assert found[name] == entry, name
