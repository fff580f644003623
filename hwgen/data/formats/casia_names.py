"""What the names of CASIA's files and folders say: the writer, and the official partition.

Names as the download page has them (nlpr.ia.ac.cn/databases/handwriting/Download.html): Gnt1.0TrainPart1.zip
with 001-f.gnt, HWDB1.1tst_gnt.zip with 1241-c.gnt, HWDB2.0Test.zip with 006-P16.dgrl, Pot1.0Train.zip with
001.pot, WPTT2.0-Train.zip with 501-P14.wptt; the competition's Competition13Line.zip with C001-P16.dgrl. The
number is the writer's, the same person in every set. Older downloads have one file of many writers,
1.0train-gb1.gnt: it names none.
"""

import pathlib
import re

_WRITER = re.compile(r'[Cc]?\d{3,4}(?=[-_.]|$)')
_PARTITIONS = (
    ('test', re.compile(r'(?<![a-z])(?i:test|tst)(?![a-z])|(?<![a-z])(?i:competition|testset)|Test')),
    ('validation', re.compile(r'(?<![a-z])(?i:validation|valid|val|dev)(?![a-z])')),
    ('train', re.compile(r'(?<![a-z])(?i:train|trn|training|trainset)(?![a-z])|Train')),
)


def casia_writer(name: str) -> str:
    """The writer of a file.

    Args:
        name: str, its path.

    Returns:
        str: '001' for 001-P16.dgrl, 'C001' for C001-f-f.gnt; '' where the name begins with no number of 3 or
            4 digits.
    """
    found = _WRITER.match(pathlib.PurePosixPath(name).name)
    return found.group().upper() if found else ''


def named_partition(name: str) -> str:
    """The official partition that a file belongs to, by its own name or else that of the nearest folder or
    archive.

    Args:
        name: str, its path; folders above the collection should not be in it.

    Returns:
        'train', 'validation', 'test' or ''. The competition's files are a test.
    """
    for part in reversed(pathlib.PurePosixPath(name).parts):
        for partition, pattern in _PARTITIONS:
            if pattern.search(part):
                return partition
    return ''
