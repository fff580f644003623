"""ModelVersions: the versions of one model that are served, by number and label, and what one request may
ask of them; for every protocol.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwgen.charset.normal_form import plain
from hwgen.serving.rest import RestError

_IMAGES = 'images'  # the signature whose answers are large


class ModelVersions:
    """What is served under one name.

    Args:
        model: str, name.
        versions: dict int -> SavedVersion; a request without a version means the largest.
        labels: dict str -> int, version labels.
        max_lines: int, most lines of a request, or None.
        max_values: int, most values of an answer, a picture or a text being one, or None.

    Raises:
        ValueError: no version, or a label of one that is not served.
    """

    def __init__(
        self,
        model: str,
        versions: Mapping[int, Any],
        *,
        labels: Mapping[str, int] | None = None,
        max_lines: int | None = None,
        max_values: int | None = None,
    ) -> None:
        self.model = model
        self._labels, self._max_lines, self._max_values = dict(labels or {}), max_lines, max_values
        self.replace(versions)

    def replace(self, versions: Mapping[int, Any]) -> None:
        """Serves these from now on; requests that run end with the version they have. Raises as the class."""
        versions = dict(versions)
        if not versions:
            raise ValueError(f'model {self.model}: no version to serve')
        for label, version in self._labels.items():
            if version not in versions:
                raise ValueError(
                    f'label {label} of version {version}: expected one of the served versions'
                    f' {", ".join(map(str, versions))}'
                )
        self._versions = versions

    def choose(
        self, model: str, *, version: int | None = None, label: str | None = None, status: bool = False
    ) -> dict[int, Any]:
        """The versions that a request means.

        Args:
            model: str.
            version: int, or None.
            label: str, or None.
            status: bool, whether it asks for their status.

        Returns:
            dict int -> SavedVersion.

        Raises:
            RestError: there is none, in the words of TF-Serving.
        """
        versions = self._versions if model == self.model else {}
        if label is not None and versions:
            if label not in self._labels:
                raise RestError(f'Unrecognized servable version label: {label}')
            versions = {self._labels[label]: versions[self._labels[label]]}
        if version is not None:
            if version not in versions:
                raise RestError(
                    (
                        f'Could not find version {version} of model {model}'
                        if status
                        else f'Servable not found for request: Specific({model}, {version})'
                    ),
                    404,
                )
            versions = {version: versions[version]}
        if not versions:
            raise RestError(
                (
                    f'Could not find any versions of model {model}'
                    if status
                    else f'Servable not found for request: Latest({model})'
                ),
                404,
            )
        return versions

    def run(self, served: Any, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature within the limits.

        Args:
            served: SavedVersion.
            signature: str.
            inputs: dict name -> array.

        Returns:
            dict name -> array.

        Raises:
            RestError: it is beyond a limit; RequestError: the signature does not take these inputs.
        """
        lines = max((len(value) for value in inputs.values() if value.ndim), default=0)
        if self._max_lines is not None and lines > self._max_lines:
            raise RestError(f'{lines} lines: expected at most {self._max_lines} in a request')
        if signature == _IMAGES:  # known before it is computed
            self._check_values(_values_of_images(inputs, served.description))
        outputs = served.run(signature, inputs)
        self._check_values(sum(np.size(value) for value in outputs.values()))
        return outputs

    def _check_values(self, count):
        if self._max_values is not None and count > self._max_values:
            raise RestError(
                f'an answer of {count} values: expected at most {self._max_values} (--max_values); fewer or'
                ' shorter lines give fewer, and pictures as PNG (serving_default) are one value each'
            )


def _values_of_images(inputs, description):
    """The values that `ServedModel.draw` gives for texts that can be written. description: dict, what
    `export` says of the version; without it: 0.
    """
    texts = inputs.get('texts')
    if (
        texts is None
        or texts.ndim != 1
        or not description.keys() >= {'char_px', 'char_width_px', 'max_characters'}
    ):
        return 0
    lengths = [len(plain(text.decode('utf-8', 'replace'))) for text in texts]
    longest = max((length for length in lengths if length <= description['max_characters']), default=0) or 1
    return len(texts) * (longest * (description['char_px'] * description['char_width_px'] + 4) + 2)
