"""RestService: loaded versions behind TF-Serving's REST calls, as a function of method, path and body."""

from collections.abc import Mapping
from typing import Any

from hwgen.serving import rest
from hwgen.serving.model_versions import ModelVersions
from hwgen.serving.saved_version import RequestError, shape_complaint


class RestService:
    """Answers status, metadata and predict as TF-Serving's model server does.

    Args:
        model: str, name in the paths.
        versions: dict int -> SavedVersion, the versions served; a path without one means the largest.
        refuse_unwritable: bool, answer 400 where the graph reports an `error`: `error` names the first such
            text, the outputs stand beside it, those of the other texts written as ever. TF-Serving answers
            200.
        **options: of `ModelVersions`.

    Attributes:
        models: ModelVersions.

    Raises:
        ValueError: no version, or a label of one that is not served.
    """

    def __init__(
        self, model: str, versions: Mapping[int, Any], *, refuse_unwritable: bool = False, **options: Any
    ) -> None:
        self.models, self._refuse_unwritable = ModelVersions(model, versions, **options), refuse_unwritable

    def answer(self, method: str, path: str, body: bytes = b'') -> tuple[int, bytes]:
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
        chosen = self.models.choose(
            target.model, version=target.version, label=target.label, status=target.call == rest.STATUS
        )
        if target.call == rest.STATUS:
            return 200, rest.format_status(chosen)
        version = max(chosen)
        served = chosen[version]
        if target.call == rest.METADATA:
            return 200, rest.format_metadata(self.models.model, version, served.signature_defs)

        def specs_of(signature):
            specs = served.inputs.get(signature)
            return specs and {
                name: 'object' if spec.dtype == 'string' else spec.dtype.name for name, spec in specs.items()
            }

        prediction = rest.parse_prediction(body, specs_of)
        complaints = [
            shape_complaint(name, prediction.inputs[name], spec)
            for name, spec in sorted(served.inputs[prediction.signature].items())
        ]
        if any(complaints):
            help_ = "each of 'instances' gives one row" if prediction.rows else "in 'inputs' give a list"
            raise rest.RestError('; '.join([*filter(None, complaints), help_]))
        outputs = self.models.run(served, prediction.signature, prediction.inputs)
        wrong = (
            [(index, error) for index, error in enumerate(outputs.get('error', ())) if error]
            if self._refuse_unwritable
            else ()
        )
        if not wrong:
            return 200, rest.format_prediction(outputs, rows=prediction.rows)
        index, error = wrong[0]
        return 400, rest.format_prediction(
            outputs, rows=prediction.rows, error=f'text {index}: {error.decode("utf-8", "replace")}'
        )
