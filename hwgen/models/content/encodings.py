"""The content encodings by name. A new one has its class here, and its name in `hwgen/settings/model.py`."""

from typing import Any

from hwgen.models.content.encoder import ContentEncoder
from hwgen.models.content.layout import LayoutEncoder
from hwgen.models.content.onehot import OneHotEncoder
from hwgen.models.content.sequence import SequenceEncoder
from hwgen.models.content.warped import WarpedEncoder
from hwgen.settings.model import GeneratorConfig

ENCODINGS: dict[str, type[ContentEncoder]] = {
    'sequence': SequenceEncoder,
    'layout': LayoutEncoder,
    'warped': WarpedEncoder,
    'onehot': OneHotEncoder,
}


def content_encoder(config: GeneratorConfig, **kwargs: Any) -> ContentEncoder:
    """The content encoder of a generator.

    Args:
        config: GeneratorConfig, whose `content_encoding` is one of `ENCODINGS`.
        **kwargs: of the Keras layer.

    Returns:
        ContentEncoder, not built.
    """
    return ENCODINGS[config.content_encoding](config, **kwargs)
