"""The LMDB folder of code that recognises text in scenes: keys num-samples, image-%09d and label-%09d, from
1.

Values: the number in ASCII; an image file (PNG, JPEG, ...); the text in UTF-8.

Source: create_lmdb_dataset of CRNN and of its followers (deep-text-recognition-benchmark, PARSeq). The
library `lmdb` is imported when it is used. It trusts its files: a data.mdb that was made to harm may crash
it.
"""

import functools
import io
import pathlib
from collections.abc import Iterator, Sequence

from hwgen.charset.printable import as_text
from hwgen.data.formats.archives import File
from hwgen.data.formats.casia_names import named_partition
from hwgen.data.formats.format import Format, Part
from hwgen.data.formats.samples import FormatError, Picture, Refuse, refuse_or_raise


def read_lmdb(folder: pathlib.Path, *, name: str | None = None, refuse: Refuse = None) -> Iterator[Picture]:
    """The samples of a folder with `data.mdb`.

    Args:
        folder: pathlib.Path.
        name: str, what messages call it; None: the path.
        refuse: function of a FormatError, told of samples that cannot be read; None: raised.

    Yields:
        Picture; the writer is unknown. The offset is 0: a data base has no order of bytes.

    Raises:
        FormatError: no such data base, or `refuse` is None and a sample cannot be read.
        ValueError: the library is not there.
    """
    name = name or as_text(folder)
    try:
        import lmdb
    except ImportError:
        raise ValueError(
            f'{name}: reading LMDB needs the package lmdb, which is not installed: pip install lmdb'
        ) from None
    try:
        with (
            lmdb.open(str(folder), readonly=True, lock=False, readahead=False, create=False) as environment,
            environment.begin() as transaction,
        ):
            count = transaction.get(b'num-samples', b'')
            if not count.isdigit() or len(count) > 18 or int(count) > 2 * environment.stat()['entries']:
                raise FormatError(
                    f'{name}: num-samples {count[:20]!r}, expected the number of samples in the '
                    f'{environment.stat()["entries"]} entries',
                    reason='header',
                )
            for record in range(1, int(count) + 1):
                try:
                    yield _read_sample(transaction, name, record)
                except FormatError as error:
                    refuse_or_raise(error, refuse)
    except lmdb.Error as error:
        raise FormatError(f'{name}: no readable LMDB ({error})', reason='magic') from error


def _read_sample(transaction, name, record):
    from hwgen.data.formats.image_files import read_image  # here: the help is shown without it

    place = f'{name}, sample {record}'
    image, label = transaction.get(b'image-%09d' % record), transaction.get(b'label-%09d' % record)
    if image is None or label is None:
        missing = ' and '.join(
            f'{kind}-{record:09d}' for kind, value in (('image', image), ('label', label)) if value is None
        )
        raise FormatError(f'{place}: no key {missing}', reason='table')
    try:
        text = label.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f'{place}: label {label[:20]!r} is no UTF-8', reason='text') from error
    try:
        pixels = read_image(io.BytesIO(image), name=f'image-{record:09d}')
    except OSError as error:
        raise FormatError(f'{place}: {error}', reason='image') from error
    return Picture(image=pixels, text=text, writer='', record=record, offset=0)


def _is_there(files: Sequence[File]) -> bool:
    return any(_is_data_base(file) for file in files)


def _is_data_base(file: File) -> bool:
    return file.base == 'data.mdb' and not file.member


def _parts(files: Sequence[File], unit: str, refuse: Refuse) -> Iterator[Part]:
    """A part for each data base."""
    del unit, refuse
    for file in filter(_is_data_base, files):
        folder = str(pathlib.PurePosixPath(file.name).parent)
        yield Part(
            name=folder,
            kind='lmdb',
            writer='',
            partition=named_partition(folder),
            num_bytes=file.size,
            read=functools.partial(read_lmdb, file.path.parent, name=folder),
            format=FORMAT,
        )


FORMAT = Format(
    name='lmdb',
    summary='LMDB folders of text recognition: pictures with their texts',
    suffixes=('.mdb',),
    parts=_parts,
    is_there=_is_there,
    expected='a folder with data.mdb',
    archives=False,
    record='sample',
    white_paper=False,
    unbounded=True,
    place=12,
)
