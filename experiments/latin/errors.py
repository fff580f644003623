"""Errors of a reader on Latin lines: words, characters, and the normalised edit distance."""

from collections.abc import Sequence

from hwgen.charset.reading_form import folded
from hwgen.metrics import text as text_metrics


def reading_errors(texts: Sequence[str], readings: Sequence[str], *, seed: int) -> dict[str, float]:
    """What a reader got wrong.

    Args:
        texts: what was written, L lines.
        readings: what was read, as many.
        seed: of the bootstrap over lines.

    Returns:
        dict: num_lines, num_words, num_characters; `wer` (words between spaces; a word that is not read
        exactly is an error) with its 95 % interval `wer_95_low`, `wer_95_high`; `cer` and `ned` of characters
        without spaces.
    """
    words = text_metrics.edit_counts(
        *([[folded(word) for word in line.split()] for line in lines] for lines in (texts, readings))
    )
    characters = text_metrics.edit_counts(*([folded(line) for line in lines] for lines in (texts, readings)))
    low, high = text_metrics.bootstrap_interval(words, text_metrics.character_error_rate, seed=seed)
    return {
        'num_lines': len(texts),
        'num_words': int(words.reference_lengths.sum()),
        'num_characters': int(characters.reference_lengths.sum()),
        'wer': text_metrics.character_error_rate(words),  # the same ratio, of words
        'wer_95_low': low,
        'wer_95_high': high,
        'cer': text_metrics.character_error_rate(characters),
        'ned': text_metrics.normalized_edit_distance(characters),
    }
