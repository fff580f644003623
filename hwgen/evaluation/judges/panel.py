"""Judges: a feature space, the independent reader (PP-OCR), the reader of structures and components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hwgen.settings.resources import resource_path

if TYPE_CHECKING:
    from hwgen.evaluation.judges.independent_reader import IndependentReader

FEATURES = 'saved_models/features'  # the network that ships
SPACES = ('recognizer', 'inception', 'vgg16_hwd')


def open_judges(
    names: Sequence[str], *, space: str = 'recognizer', weights: str | None = None, square: bool = True
) -> dict[str, Any]:
    """Opens the judges that a protocol needs.

    Args:
        names: of `space`, `reader`, `component_reader`.
        space: whose features distances are measured in, one of SPACES.
        weights: path of the network; None: the one that ships, for `recognizer`.
        square: bool, Inception sees pictures as squares.

    Returns:
        dict name -> judge.

    Raises:
        FeatureError: no network there, or one that trained a generator.
        ReaderUnavailableError: PP-OCR is not installed.
    """
    from hwgen.evaluation.judges import feature_space

    opened: dict[str, Any] = {}
    if weights is None and space == 'recognizer':
        weights = str(resource_path(FEATURES))
    if 'space' in names:
        opened['space'] = feature_space.open_space(space, weights, square=square)
    if 'component_reader' in names:
        from hwgen.evaluation.judges.component_reader import ComponentReader

        opened['component_reader'] = ComponentReader.load(
            weights if weights is not None and space == 'recognizer' else str(resource_path(FEATURES))
        )
    if 'reader' in names:
        opened['reader'] = open_reader()
    return opened


def open_reader() -> IndependentReader:
    """PP-OCR; nothing heavy is imported before this is called.

    Raises:
        ReaderUnavailableError: it is not installed.
    """
    from hwgen.evaluation.judges.independent_reader import IndependentReader

    return IndependentReader()
