"""RestService: loaded versions behind TF-Serving's REST calls, as a function of method, path and body."""

from hwgen.serving import rest
from hwgen.serving.saved_version import RequestError


class RestService:
    """Answers status, metadata and predict as TF-Serving's model server does.

    Args:
        model: str, name in the paths.
        versions: dict int -> SavedVersion, the versions served; a path without one means the largest.
        labels: dict str -> int, version labels.
        refuse_unwritable: bool, answer 400 where the graph reports an `error`: `error` names the first such text, the outputs stand
            beside it, those of the other texts written as ever. TF-Serving answers 200.
        max_lines: int, most lines of a request, or None.

    Raises:
        ValueError: no version, or a label of one that is not served.
    """

    def __init__(self, model, versions, *, labels=None, refuse_unwritable=False, max_lines=None):
        self._model, self._versions, self._labels = model, dict(versions), dict(labels or {})
        self._refuse_unwritable, self._max_lines = refuse_unwritable, max_lines
        if not self._versions:
            raise ValueError(f'model {model}: no version to serve')
        for label, version in self._labels.items():
            if version not in self._versions:
                raise ValueError(f'label {label} of version {version}: expected one of the served versions {", ".join(map(str, self._versions))}')

    def answer(self, method, path, body=b''):
        """Answers one request.

        Args:
            method: str, 'GET' or 'POST'.
            path: str.
            body: bytes.

        Returns:
            status: int, of HTTP; body: bytes, JSON.
        """
        try:
            return self._answer(rest.parse_path(method, path), body)
        except rest.RestError as error:
            return error.status, rest.format_error(str(error))
        except RequestError as error:
            return 400, rest.format_error(str(error))

    def _answer(self, target, body):
        if target.call == rest.STATUS:
            return 200, rest.format_status(self._chosen(target))
        version = max(self._chosen(target))
        served = self._versions[version]
        if target.call == rest.METADATA:
            return 200, rest.format_metadata(self._model, version, served.signature_defs)

        def specs_of(signature):
            specs = served.inputs.get(signature)
            return specs and {name: 'object' if spec.dtype == 'string' else spec.dtype.name for name, spec in specs.items()}
        prediction = rest.parse_prediction(body, specs_of)
        lines = max((len(value) for value in prediction.inputs.values() if value.ndim), default=0)
        if self._max_lines is not None and lines > self._max_lines:
            raise rest.RestError(f'{lines} lines: expected at most {self._max_lines} in a request')
        outputs = served.run(prediction.signature, prediction.inputs)
        wrong = [(index, error) for index, error in enumerate(outputs.get('error', ())) if error] if self._refuse_unwritable else ()
        if not wrong:
            return 200, rest.format_prediction(outputs, rows=prediction.rows)
        index, error = wrong[0]
        return 400, rest.format_prediction(outputs, rows=prediction.rows, error=f'text {index}: {error.decode("utf-8", "replace")}')

    def _chosen(self, target):
        """The versions that a target means.

        Raises:
            RestError: there is none, in the words of TF-Serving.
        """
        versions = self._versions if target.model == self._model else {}
        if target.label is not None and versions:
            if target.label not in self._labels:
                raise rest.RestError(f'Unrecognized servable version label: {target.label}')
            versions = {self._labels[target.label]: None}
        if target.version is not None:
            if target.version not in versions:
                said = (f'Could not find version {target.version} of model {target.model}' if target.call == rest.STATUS else
                        f'Servable not found for request: Specific({target.model}, {target.version})')
                raise rest.RestError(said, 404)
            versions = {target.version: None}
        if not versions:
            raise rest.RestError(f'Could not find any versions of model {target.model}' if target.call == rest.STATUS else
                                 f'Servable not found for request: Latest({target.model})', 404)
        return list(versions)
