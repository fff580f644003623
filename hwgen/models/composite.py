"""Modules that hold no variables but those of the layers within them."""


class Composite:
    """For a `keras.layers.Layer` or `keras.Model` whose layers are all made in `__init__`: the first call
    builds them on its way.

    Without it Keras calls such a module with symbols before its first call, and every module within it once
    more: nine tenths of the time in which a generator is made. Variables, their paths and their first values
    are the same.
    """

    def build(self, input_shape: object = None) -> None:
        """Nothing is left to do: the layers build themselves as `call` comes to them."""
