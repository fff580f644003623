"""The record of a handwritten line: its schema, its writer and its reader.

`shards.py` holds the files they lie in.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from hwgen.data.reading import trajectories

if TYPE_CHECKING:
    import tensorflow as tf

# What is added as an optional feature leaves it as it is: readers pass over features that they do not know.
SCHEMA_VERSION = 1
# name -> kind; ids and boxes are flat lists. widths, heights and lengths are stored so that a damaged image
# or id list shows before it is used, and an image of a hostile file is refused before it is decompressed.
FEATURES = {
    'image': bytes,  # PNG, 8 bit grey, 255 = paper
    'height': int,  # px
    'width': int,  # px
    # UTF-8; a character or an IDS for each written character; empty where nobody transcribed the line
    'text': bytes,
    'length': int,  # written characters, N; 0 without a text
    'character_ids': list,  # [N], 0 where the unit is no character of the table
    'component_ids': list,  # [N * 4]
    'structure_ids': list,  # [N]
    'boxes': list,  # [N * 4] px x0, y0, x1, y1 of each character; empty where unknown
    'writer': bytes,  # UTF-8
    'source': bytes,  # UTF-8, the collection and its version
}
# A record has them or not; those of before they were thought of have none, and a record without them is, byte
# for byte, one of those.
OPTIONAL_FEATURES = {
    'component_boxes': list,  # [N * 16] px x0, y0, x1, y1 of each component slot
    'trajectory': bytes,  # see trajectories.py
    'trajectory_slots': bytes,  # the same
}
_KINDS = FEATURES | OPTIONAL_FEATURES
MAX_IMAGE_PIXELS = 1 << 26


class LineRecord(NamedTuple):
    """A line of handwriting.

    Attributes:
        image: uint8 [H, W], 255 = paper. While a corpus is being written also bytes, the PNG of it.
        text: str; '' for a line without a transcript, then N = 0.
        character_ids: int32 [N]; component_ids: int32 [N, 4]; structure_ids: int32 [N].
        writer: str, who wrote it; splits are made by this name.
        source: str, the collection.
        boxes: int32 [N, 4] px x0, y0, x1, y1 of each character, or None where unknown.
        component_boxes: int32 [N, 4, 4] px x0, y0, x1, y1 of the ink of each component slot, zeros where it
            is unused or unknown; or None.
        trajectory: float32 [T, 5], the path of the pen: x px, y px, time s, pen 0..1 (1 = on paper, 0 = in
            the air), pressure 0..1; or None where unknown. Stored to 1/64 px, 1/8192 s, 1/1024; one of no
            sample becomes None.
        trajectory_slots: int32 [T], 4 * character + slot that a sample belongs to, -1 for travel between
            characters; None without a trajectory.
    """

    image: np.ndarray
    text: str
    character_ids: np.ndarray
    component_ids: np.ndarray
    structure_ids: np.ndarray
    writer: str
    source: str
    boxes: np.ndarray | None = None
    component_boxes: np.ndarray | None = None
    trajectory: np.ndarray | None = None
    trajectory_slots: np.ndarray | None = None


def encode_png(image: np.ndarray) -> bytes:
    """PNG of a line.

    Args:
        image: uint8 [H, W] with H, W > 0.

    Returns:
        bytes.

    Raises:
        ValueError: another shape or dtype.
    """
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f'image: {image.dtype} {list(image.shape)}, expected uint8 [H, W] with H, W > 0')
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, 'PNG')
    return buffer.getvalue()


def decode_png(png: bytes, *, expected_shape: tuple[int, int] | None = None) -> np.ndarray:
    """Image of a PNG; its size is checked before anything is decompressed.

    Args:
        png: bytes.
        expected_shape: (H, W) px or None.

    Returns:
        uint8 [H, W].

    Raises:
        ValueError: no PNG, truncated, too large, or of another size.
    """
    try:
        with Image.open(io.BytesIO(png), formats=('PNG',)) as image:
            width, height = image.size
            if expected_shape is not None and (height, width) != tuple(expected_shape):
                raise ValueError(
                    f'image of {height} x {width} px, expected {expected_shape[0]} x {expected_shape[1]} px'
                )
            if height * width > MAX_IMAGE_PIXELS:
                raise ValueError(
                    f'image of {height} x {width} px, expected at most {MAX_IMAGE_PIXELS} pixels'
                )
            return np.array(image if image.mode == 'L' else image.convert('L'))
    except Image.DecompressionBombError as error:  # Pillow's own limit, before it tells the size
        raise ValueError(
            f'image of {len(png)} bytes: {error}; expected at most {MAX_IMAGE_PIXELS} pixels'
        ) from error
    # what Pillow raises for damaged PNG files
    except (OSError, SyntaxError, struct.error, OverflowError) as error:
        raise ValueError(f'image of {len(png)} bytes is no complete PNG file ({error})') from error


def serialize_record(record: LineRecord) -> bytes:
    """Bytes of a record.

    Args:
        record: LineRecord; its image may already be PNG bytes.

    Returns:
        bytes of a `tf.train.Example`.

    Raises:
        ValueError: arrays of different lengths, or a trajectory that cannot be (see `encode_trajectory`).
    """
    import tensorflow as tf  # here, so that the processes that draw lines start without it

    png = record.image if isinstance(record.image, bytes) else encode_png(record.image)
    width, height = struct.unpack('>II', png[16:24])  # IHDR is the first chunk of every PNG
    ids = np.asarray(record.character_ids)
    n = len(ids)
    for name, shape in (
        ('component_ids', (n, 4)),
        ('structure_ids', (n,)),
        ('boxes', (n, 4)),
        ('component_boxes', (n, 4, 4)),
    ):
        value = getattr(record, name)
        if value is not None and np.shape(value) != shape:
            raise ValueError(
                f'{name} {list(np.shape(value))} of a line of {n} characters, expected {list(shape)}'
            )
    values = {
        'image': png,
        'height': height,
        'width': width,
        'text': record.text.encode(),
        'length': n,
        'character_ids': ids,
        'component_ids': record.component_ids,
        'structure_ids': record.structure_ids,
        'boxes': () if record.boxes is None else record.boxes,
        'writer': record.writer.encode(),
        'source': record.source.encode(),
    }
    values |= _optional_values(record, n)
    example = tf.train.Example()
    for name, kind in _KINDS.items():
        if name not in values:
            continue
        feature = example.features.feature[name]
        if kind is bytes:
            feature.bytes_list.value.append(values[name])
        else:
            feature.int64_list.value.extend(np.reshape(values[name], -1).astype(np.int64).tolist())
    return example.SerializeToString(deterministic=True)


def _optional_values(record: LineRecord, n: int) -> dict[str, Any]:
    """The optional features that a record of n characters has."""
    values: dict[str, Any] = {}
    if record.component_boxes is not None and n:
        values['component_boxes'] = record.component_boxes
    trajectory, slots = record.trajectory, record.trajectory_slots
    if (trajectory is None) != (slots is None):
        missing = 'trajectory' if trajectory is None else 'trajectory_slots'
        raise ValueError(f'{missing}: None, expected both of trajectory and trajectory_slots, or neither')
    if trajectory is not None and slots is not None and len(trajectory):
        _check_slots(np.shape(trajectory), np.asarray(slots), n)
        values['trajectory'] = trajectories.encode_trajectory(trajectory)
        values['trajectory_slots'] = trajectories.encode_slots(slots)
    return values


def _check_slots(shape, slots, n):
    if slots.shape != shape[:1]:
        raise ValueError(
            f'trajectory_slots {list(slots.shape)} of a trajectory {list(shape)}, expected [{shape[0]}]'
        )
    if slots.size and not -1 <= slots.min() <= slots.max() < 4 * n:
        raise ValueError(
            f'trajectory_slots: numbers from {slots.min()} to {slots.max()}, expected -1 to {4 * n - 1} for'
            f' {n} characters'
        )


def deserialize_record(
    serialized: bytes, *, decode_image: bool = True, decode_trajectory: bool = True
) -> LineRecord:
    """The record of `serialize_record`'s bytes.

    Args:
        serialized: bytes.
        decode_image: bool; False leaves the PNG bytes in `image`.
        decode_trajectory: bool; False leaves `trajectory` and `trajectory_slots` None, unread.

    Returns:
        LineRecord.

    Raises:
        ValueError: not of this schema, or fields that contradict each other.
    """
    import tensorflow as tf

    try:
        features = tf.train.Example.FromString(serialized).features.feature
    except Exception as error:  # the protobuf library's DecodeError has no public name in TensorFlow
        raise ValueError(f'{len(serialized)} bytes are no tf.train.Example ({error})') from error
    values: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        if name not in features:
            if name in OPTIONAL_FEATURES:
                values[name] = () if kind is list else b''
                continue
            raise ValueError(
                f'no feature {name!r}, expected {", ".join(FEATURES)}; found {sorted(features)[:16]}'
            )
        stored = features[name].bytes_list.value if kind is bytes else features[name].int64_list.value
        if kind is not list and len(stored) != 1:
            raise ValueError(f'feature {name!r}: {len(stored)} values of {kind.__name__}, expected 1')
        values[name] = np.asarray(stored, np.int64) if kind is list else stored[0]
    n = values['length']
    sizes = {
        'character_ids': n,
        'component_ids': 4 * n,
        'structure_ids': n,
        'boxes': 4 * n if len(values['boxes']) else 0,
        'component_boxes': 16 * n if len(values['component_boxes']) else 0,
    }
    for name, size in sizes.items():
        if len(values[name]) != size:
            raise ValueError(
                f'feature {name!r}: {len(values[name])} numbers for {n} characters, expected {size}'
            )
        least = 1 - 2**31 if name.endswith('boxes') else 0
        if size and not least <= values[name].min() <= values[name].max() < 2**31:
            raise ValueError(
                f'feature {name!r}: numbers from {values[name].min()} to {values[name].max()}, '
                f'expected 0 to {2**31 - 1}'
            )
    image = values['image']
    if decode_image:
        image = decode_png(image, expected_shape=(values['height'], values['width']))
    boxes = values['boxes'].astype(np.int32).reshape(n, 4) if len(values['boxes']) else None
    component_boxes = (
        values['component_boxes'].astype(np.int32).reshape(n, 4, 4)
        if len(values['component_boxes'])
        else None
    )
    trajectory = slots = None
    if decode_trajectory and (values['trajectory'] or values['trajectory_slots']):
        trajectory, slots = (
            trajectories.decode_trajectory(values['trajectory']),
            trajectories.decode_slots(values['trajectory_slots']),
        )
        _check_slots(trajectory.shape, slots, n)
    return LineRecord(
        image=image,
        text=_utf8('text', values['text']),
        character_ids=values['character_ids'].astype(np.int32),
        component_ids=values['component_ids'].astype(np.int32).reshape(n, 4),
        structure_ids=values['structure_ids'].astype(np.int32),
        writer=_utf8('writer', values['writer']),
        source=_utf8('source', values['source']),
        boxes=boxes,
        component_boxes=component_boxes,
        trajectory=trajectory,
        trajectory_slots=slots,
    )


def _utf8(name, value):
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f'feature {name!r}: no UTF-8 ({error})') from error


def parse_example(
    serialized: tf.Tensor, *, features: Sequence[str] = tuple(FEATURES)
) -> dict[str, tf.Tensor]:
    """The same in a TensorFlow graph; what is not asked for costs nothing.

    Args:
        serialized: string scalar tensor.
        features: sequence of str, names of FEATURES and OPTIONAL_FEATURES. Default: all that every record
            has.

    Returns:
        dict of those: image uint8 [H, W]; text, writer, source strings; length, height, width int32;
        character_ids int32 [N], component_ids int32 [N, 4], structure_ids int32 [N], boxes int32 [N or 0, 4],
        component_boxes int32 [N or 0, 4, 4], trajectory float32 [T or 0, 5], trajectory_slots int32 [T or 0].

    Raises:
        ValueError: no such feature.
    """
    import tensorflow as tf

    unknown = [name for name in features if name not in _KINDS]
    if unknown:
        raise ValueError(f'feature {unknown[0]!r}: expected some of {", ".join(_KINDS)}')
    spec = {
        name: (
            tf.io.VarLenFeature(tf.int64)
            if _KINDS[name] is list
            else tf.io.FixedLenFeature(
                [],
                tf.string if _KINDS[name] is bytes else tf.int64,
                default_value='' if name in OPTIONAL_FEATURES else None,
            )
        )
        for name in features
    }
    out = tf.io.parse_single_example(serialized, spec)
    shapes = {'component_ids': [-1, 4], 'boxes': [-1, 4], 'component_boxes': [-1, 4, 4]}
    for name in features:
        if _KINDS[name] is list:
            out[name] = tf.reshape(tf.cast(tf.sparse.to_dense(out[name]), tf.int32), shapes.get(name, [-1]))
        elif _KINDS[name] is int:
            out[name] = tf.cast(out[name], tf.int32)
    for name, parse in (
        ('image', lambda png: tf.io.decode_png(png, channels=1)[..., 0]),
        ('trajectory', trajectories.parse_trajectory),
        ('trajectory_slots', trajectories.parse_slots),
    ):
        if name in out:
            out[name] = parse(out[name])
    return out
