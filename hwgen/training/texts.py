"""Texts to write while training: a part from running text, a part drawn evenly from the whole dictionary."""

import numpy as np

from hwgen.characters import Characters
from hwgen.data.reading.pipeline import random_stream
from hwgen.data.scribe import sentences

_BATCH, _SHUFFLE = 3, 4  # what a random stream is for; pipeline.py has 1 and 2


class TextSampler:
    """Fake texts as a pure function of (seed, step).

    Lines of the dictionary, characters without any image among them, are what makes unseen characters come
    out right; lines of running text keep the frequencies of the language.

    Args:
        charset: Charset.
        seed: int >= 0.
        texts: iterable of str, paragraphs of running text or words; None: those of the embedded corpus.
        dictionary_fraction: float in [0, 1], share of the lines that are drawn from the dictionary.
        vocabulary: character ids that lines are confined to (a `onehot` generator writes no others); None:
            the table.

    Raises:
        ValueError: no character of `texts` is in the vocabulary.
    """

    def __init__(self, charset, *, seed, texts=None, dictionary_fraction=0.5, vocabulary=None):
        self.charset, self.seed, self.dictionary_fraction = charset, seed, dictionary_fraction
        if not 0 <= dictionary_fraction <= 1:
            raise ValueError(f'dictionary_fraction={dictionary_fraction}: expected a share, 0 to 1')
        allowed = np.arange(1, charset.num_characters) if vocabulary is None else np.unique(vocabulary)
        symbols = np.array([structure.startswith('sym-') for structure in charset.structures])
        hanzi = allowed[~symbols[charset.character_structures[allowed]]]
        self._dictionary = (hanzi if len(hanzi) else allowed).astype(np.int32)
        if texts is None:
            texts = sentences.running_text('chinese' if len(hanzi) else 'latin')
        texts = list(texts)  # shuffled, as a list of words stands in an order that no text has
        text = ''.join(texts[k] for k in random_stream(seed, _SHUFFLE).permutation(len(texts)))
        letters, places = np.unique(np.array(list(text), 'U1'), return_inverse=True)
        ids = np.array([charset.character_id(c) for c in letters.tolist()], np.int32)[places]
        self._running = ids[np.isin(ids, allowed)]
        if dictionary_fraction < 1 and not len(self._running):
            raise ValueError(
                f'texts of {len(ids)} characters: none of them is in the vocabulary; expected running text, '
                'or dictionary_fraction=1'
            )

    def batch(self, step: int, batch_size: int, num_characters: int) -> Characters:
        """The texts of a step.

        Args:
            step: int >= 0.
            batch_size, num_characters: int, B and N; every line is N characters long.

        Returns:
            Characters.
        """
        rng = random_stream(self.seed, _BATCH, step)
        of_dictionary = rng.random(batch_size) < self.dictionary_fraction
        ids = np.zeros((batch_size, num_characters), np.int32)
        if of_dictionary.any():
            ids[:] = rng.choice(self._dictionary, ids.shape)
        if not of_dictionary.all():
            starts = rng.integers(len(self._running), size=(batch_size, 1))
            windows = self._running[(starts + np.arange(num_characters)) % len(self._running)]
            ids = np.where(of_dictionary[:, None], ids, windows)
        return Characters.from_table(ids, self.charset)
