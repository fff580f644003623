"""The reader of components: the feature network reads the structures and components of any pictures of lines, written ones too."""

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.data.pipeline import resize_line
from hwgen.evaluation import feature_recognizer

_BATCH_LINES = 16


class ComponentReader:
    """Reads structures and components (CTC) with a network that no generator learned from (`feature_recognizer`).

    Where `IndependentReader` guesses a character from what is left of it, this one sees every component; it knows characters by nothing else.

    Args:
        network: FeatureRecognizer.
        charset: Charset, or None for the packaged one.
    """

    def __init__(self, network, charset=None):
        self._network, self._charset = network, charset or Charset.load()

    @classmethod
    def load(cls, path):
        """Reads a feature network's folder; raises as `feature_recognizer.load`, and CharsetMismatchError for one of another table."""
        network, description, _ = feature_recognizer.load(path)
        charset = Charset.load()
        if 'charset' in description:
            charset.check_compatible(description['charset']['row_count'], description['charset']['hash'])
        return cls(network, charset)

    def label_errors(self, images, texts):
        """Reads lines and counts what is wrong; a line's errors do not depend on the lines beside it.

        Args:
            images: list of uint8 [H, W], 255 = paper; scaled to 32 px in height and 32 px a character, as in its training.
            texts: list of str, what was to be written; as many.

        Returns:
            int64 [L], edit distances between what was read and the structures and components of the text; int64 [L], numbers of these.

        Raises:
            CharsetError: a text with a character that the table does not have.
        """
        encoded, px = [self._charset.encode(text) for text in texts], feature_recognizer.CELL_PX
        errors, counts, by_length = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64), {}
        for place, codes in enumerate(encoded):
            by_length.setdefault(len(codes.units), []).append(place)
        for length, places in sorted(by_length.items()):
            for start in range(0, len(places), _BATCH_LINES):
                chosen = places[start:start + _BATCH_LINES]
                batch = {name: np.stack([getattr(encoded[place], name) for place in chosen]) for name in ('component_ids', 'structure_ids', 'character_ids')}
                batch['images'] = np.stack([resize_line(images[place], height_px=px, width_px=length * px) for place in chosen])[..., np.newaxis]
                errors[chosen], counts[chosen] = feature_recognizer.line_errors(self._network, batch, charset=self._charset)
        return errors, counts
