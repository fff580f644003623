"""The component reader: the feature network (`feature_recognizer`) as a reader of images. It says structures and components, so it can read what has no
code point."""

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.evaluation import feature_recognizer, protocols
from hwgen.losses import ctc

_BATCH_LINES = 16


class ComponentReader:
    """Reads the structures and components of lines (CTC, best path). Convolutions only, whose frames see little more than a character: there is no
    memory of what usually follows. Yet it has seen the combinations of its training lines alone.

    Args:
        path: str, folder of a feature network.

    Attributes:
        name: str, for reports.
        digest: str, SHA-256 of the weights.

    Raises:
        FeatureError: what `feature_recognizer.load` refuses.
    """

    def __init__(self, path):
        self._charset = Charset.load()
        self._network, _, self.digest = feature_recognizer.load(path)
        self.name = f'component reader {path}'

    def labels(self, text):
        """What is to be read.

        Args:
            text: str; a sequence such as ⿱山鱼 stands for one character.

        Returns:
            list of tuple of int, for each character its structure and then its components, 2 to 5 labels.
        """
        encoded = self._charset.encode(text)
        rows = ctc.line_labels('structured', component_ids=encoded.component_ids[:, np.newaxis], structure_ids=encoded.structure_ids[:, np.newaxis],
                               character_ids=encoded.character_ids[:, np.newaxis], num_components=self._charset.num_components)
        return [tuple(int(label) for label in row if label) for row in rows.numpy()]

    def read(self, images, num_characters):
        """Reads lines; what it reads in a line does not depend on the lines beside it, but for the last bits of its logits.

        Args:
            images: uint8 arrays [H, W], 255 = paper; scaled to cells of 32 x 32 px.
            num_characters: int, how many characters each line has.

        Returns:
            list of list of int, labels.
        """
        found, by_length = [None] * len(images), {}
        for place, length in enumerate(num_characters):
            by_length.setdefault(length, []).append(place)
        cell = feature_recognizer.CELL_PX
        for length, places in sorted(by_length.items()):
            for start in range(0, len(places), _BATCH_LINES):
                chosen = places[start:start + _BATCH_LINES]
                pictures = [protocols.to_cells(images[place], length, char_px=cell, char_width_px=cell) for place in chosen]
                batch = np.stack(pictures)[..., np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1)  # B x H x W -> B x H x W x 1
                _, logits = self._network(batch)
                read = ctc.greedy_labels(logits, num_frames=np.full(len(chosen), logits.shape[1], np.int32)).numpy()
                for place, row in zip(chosen, read):
                    found[place] = [int(label) for label in row if label]
        return found
