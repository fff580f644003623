"""docs/settings.md is what the dataclasses of settings say, and says something of each."""

import re

from hwgen.settings import reference
from hwgen.settings.resources import CHECKOUT
from hwgen.settings.setting import described, flag_of


def test_the_page_is_up_to_date():
    assert (CHECKOUT / reference.PLACE).read_text(encoding='utf-8') == reference.page(), (
        'python -m hwgen.settings.reference writes it anew'
    )


def test_every_flag_stands_there_once():
    all_sections = [cls for sections in reference.COMMANDS.values() for cls in sections]
    found = re.findall(r'^\| `--(?:\[no\])?(\w+)` \| .* \| .+ \| .{10,} \|$', reference.page(), re.MULTILINE)
    assert (
        found == [flag_of(cls, name) for cls in all_sections for name in described(cls) if flag_of(cls, name)]
        and len(found) > 100
    )
    assert [line for line in reference.page().splitlines() if line.startswith('### ')] == [
        f'### {cls.SECTION}' for cls in all_sections
    ]
    row = next(line for line in reference.page().splitlines() if '`--char_width_px`' in line)
    assert row.startswith('| `--char_width_px` |  | whole number, may be left out | Width of a character')
