"""The corpora that are compared: fonts, pens, and mixtures of the two."""

from typing import NamedTuple

from hwgen.data.scribe.corpus import FONTS_VERSION, SCRIBE_VERSION

PARTS = ('characters', 'lines', 'writer')


class Row(NamedTuple):
    """A corpus.

    Attributes:
        name: str, of files and flags.
        title: str, for tables.
        version: str, of `plan_corpus`.
        pen_share: float in [0, 1], share of the writers who write with a pen.
        parts: tuple of str, of PARTS: what is done by default; the later ones are dear.
    """

    name: str
    title: str
    version: str
    pen_share: float
    parts: tuple

    def kinds(self):
        """dict of the kinds of hands (`hands.KINDS`) -> share of the writers, without those of no share."""
        fonts = 'fonts_1_1' if self.version == FONTS_VERSION else 'fonts_2_0'
        return {
            kind: share for kind, share in ((fonts, 1 - self.pen_share), ('pen', self.pen_share)) if share
        }


ROWS = (
    Row('fonts_1_1', 'fonts, 1.1', FONTS_VERSION, 0.0, PARTS),
    Row('fonts_2_0', 'fonts, 2.0', SCRIBE_VERSION, 0.0, PARTS[:2]),
    Row('pen_30', '0.3 pens', SCRIBE_VERSION, 0.3, PARTS[:1]),
    Row('pen_50', '0.5 pens', SCRIBE_VERSION, 0.5, PARTS[:2]),
    Row('pen_70', '0.7 pens', SCRIBE_VERSION, 0.7, PARTS),
    Row('pen_85', '0.85 pens', SCRIBE_VERSION, 0.85, PARTS[:1]),
    Row('pen', 'pens', SCRIBE_VERSION, 1.0, PARTS),
)


def choose_rows(names, part):
    """The rows of a part.

    Args:
        names: list of str, names of rows, or none for those that the part has by default.
        part: str, of PARTS.

    Returns:
        tuple of Row, in the order of ROWS.

    Raises:
        ValueError: no such row; names it and those there are.
    """
    known = [row.name for row in ROWS]
    for name in names or ():
        if name not in known:
            raise ValueError(f'--rows: no row {name!r}; expected some of {", ".join(known)}')
    return tuple(row for row in ROWS if (row.name in names if names else part in row.parts))


def choose_parts(names):
    """The parts to do, in their order.

    Raises:
        ValueError: no such part.
    """
    for name in names:
        if name not in PARTS:
            raise ValueError(f'--parts: no part {name!r}; expected some of {", ".join(PARTS)}')
    return tuple(part for part in PARTS if part in names)
