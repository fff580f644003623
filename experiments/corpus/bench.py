"""What all parts of `worth.py` share: sizes, people, where things lie."""

import pathlib
from typing import NamedTuple

import numpy as np

from experiments.corpus import hands
from experiments.corpus.character_worth import Pools
from experiments.corpus.pictures import longer_side
from hwgen.evaluation.measuring.people import read_people

FULL = {
    'seeds': 3,
    'taught': 160,
    'tested': 24,
    'copies': 120,
    'steps': 1200,
    'people_copies': 5,
    'lines': 8000,
    'test_lines': 500,
    'vocabulary': 640,
    'writers': 400,
    'recognizer_steps': 2000,
    'people_lines': 4,
    'reconstruction_steps': 2000,
    'written_lines': 200,
    'written_hands': 120,
    'read_hands': 24,
}
# Proves nothing but that it runs.
SMOKE = {
    'seeds': 1,
    'taught': 4,
    'tested': 2,
    'copies': 4,
    'steps': 20,
    'people_copies': 1,
    'lines': 64,
    'test_lines': 40,
    'vocabulary': 300,
    'writers': 8,
    'recognizer_steps': 8,
    'people_lines': 1,
    'reconstruction_steps': 8,
    'written_lines': 6,
    'written_hands': 4,
    'read_hands': 2,
}


class Bench(NamedTuple):
    """Attributes:
    out: pathlib.Path, folder of everything.
    sizes: dict, FULL or SMOKE.
    scans: list [people][15][copies] of uint8 [H, W], 255 = paper.
    people: uint8 [people, 15, copies, SIDE_PX, SIDE_PX], 255 = ink, as networks see them.
    pools: Pools.
    fingerprints: dict kind of hands -> str; other hands, other figures.
    jobs: int, trainings at a time.
    log: takes a str.
    """

    out: pathlib.Path
    sizes: dict
    scans: np.ndarray
    people: np.ndarray
    pools: Pools
    fingerprints: dict
    jobs: int
    log: object

    @classmethod
    def open(cls, out, numbers, *, sizes, jobs, log):
        """Reads the people and looks at the hands.

        Args:
            out: path; made if absent.
            numbers: path of people's scans, see `people.read_people`.
            sizes, jobs, log: see the attributes.

        Raises:
            OSError, ValueError: no such scans, see `people.read_people`.
        """
        out = pathlib.Path(out)
        out.mkdir(parents=True, exist_ok=True)
        scans = read_people(numbers)
        people = np.array(
            [
                [[hands.prepare(scan) for scan in copies[: sizes['people_copies']]] for copies in characters]
                for characters in scans
            ]
        )
        log(f'{len(people)} people')
        longer_px = longer_side(scans)
        pools = Pools(out / 'pools', writers=sizes['taught'], tested=sizes['tested'], longer_px=longer_px)
        return cls(
            out,
            sizes,
            scans,
            people,
            pools,
            {kind: hands.fingerprint(kind) for kind in hands.KINDS},
            jobs,
            log,
        )

    def under(self, row, *names):
        """The conditions that figures of a row were measured under: its corpus, all hands, and some of the
        sizes.
        """
        return {
            'corpus': row.version,
            'pen_share': row.pen_share,
            'hands': self.fingerprints,
            **{name: self.sizes[name] for name in names},
        }
