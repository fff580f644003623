"""Signatures of the training steps: one trace for lines of every length."""

import tensorflow as tf


def of_any_length(value, name=''):
    """The signature of a step's inputs, as they are but for the axis that is as long as the lines.

    Args:
        value: tensor or array, a value of each replica, or dict or NamedTuple of these.
        name: str, its key: the third axis of `images` is open, that of `style` none, of all others the
            second.

    Returns:
        tf.TensorSpec, a specification for each replica, or the same dict or NamedTuple of these.
    """
    if isinstance(value, dict):
        return {key: of_any_length(inner, key) for key, inner in value.items()}
    if hasattr(value, '_fields'):
        return type(value)(**of_any_length(value._asdict()))
    spec = tf.type_spec_from_value(value)
    if not isinstance(spec, tf.TensorSpec):  # a value of each replica
        return type(spec)(*(_open_axis(part, name) for part in spec._value_specs))
    return _open_axis(spec, name)


def _open_axis(spec, name):
    shape, axis = spec.shape.as_list(), 2 if name == 'images' else 1
    if len(shape) > axis and name != 'style':
        shape[axis] = None
    return tf.TensorSpec(shape, spec.dtype)
