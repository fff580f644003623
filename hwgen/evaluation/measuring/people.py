"""People's numerals: 100 people wrote 15 characters ten times each (Nazarpour and Chen, Newcastle
University, doi 10.17634/137930-3, CC BY 4.0).
"""

import os
import zipfile
import zlib

import numpy as np

NUMERALS = '零一二三四五六七八九十百千万亿'  # code 1 to 15
_ARRAYS = {'images': 3, 'code': 1, 'writer': 1, 'sample': 1}  # name -> axes


def read_people(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads the scans.

    Args:
        path: of an .npz with images uint8 [N, H, W], 255 = paper; code int [N], 1 to 15, the place in
            NUMERALS; writer and sample int [N].

    Returns:
        uint8 [writers, 15, copies, H, W], writers and copies in ascending order of their numbers.

    Raises:
        OSError: no such file.
        ValueError: not such an archive, truncated, an array missing or of another shape, a code out of range,
            a character that a writer has not written as often as the others; names the file and what was
            expected.
    """
    try:
        archive = np.load(path, allow_pickle=False)
        if not hasattr(archive, 'files'):
            raise ValueError('a single array, expected an .npz archive of several')
        with archive:
            missing = sorted(set(_ARRAYS) - set(archive.files))
            if missing:
                raise ValueError(f'no array {", ".join(missing)}; expected {", ".join(_ARRAYS)}')
            images, code, writer, sample = (archive[name] for name in _ARRAYS)
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f'{path}: {error}') from error
    for name, array in zip(_ARRAYS, (images, code, writer, sample), strict=True):
        if array.ndim != _ARRAYS[name] or len(array) != len(images) or not len(array):
            raise ValueError(
                f'{path}: {name} has shape {list(array.shape)}, expected {_ARRAYS[name]} axes and'
                f' {len(images)} > 0 entries'
            )
    if images.dtype != np.uint8:
        raise ValueError(f'{path}: images are {images.dtype}, expected uint8 with 255 = paper')
    if code.min() < 1 or code.max() > len(NUMERALS):
        raise ValueError(f'{path}: codes {code.min()} to {code.max()}, expected 1 to {len(NUMERALS)}')
    writers, rows = np.unique(writer, return_inverse=True)
    samples, copies = np.unique(sample, return_inverse=True)
    counts = np.zeros([len(writers), len(NUMERALS), len(samples)], int)
    np.add.at(counts, (rows, code.astype(int) - 1, copies), 1)
    if (counts != 1).any():
        w, c, s = np.argwhere(counts != 1)[0]
        raise ValueError(
            f'{path}: writer {writers[w]}, code {c + 1}, sample {samples[s]} occurs {counts[w, c, s]} times,'
            ' expected once'
        )
    people = np.empty([*counts.shape, *images.shape[1:]], np.uint8)
    people[rows, code.astype(int) - 1, copies] = images
    return people
