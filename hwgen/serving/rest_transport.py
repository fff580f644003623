"""RestTransport: predict requests over HTTP, repeated politely while a server is busy or starting."""

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

import urllib3

from hwgen.serving import rest
from hwgen.serving.client import RefusalError, ServerError

# overloaded, starting, or behind a proxy that says so; a repeated request gives the same picture
BUSY = (429, 502, 503, 504)
FIRST_WAIT_SEC, LONGEST_WAIT_SEC = 0.5, 20.0
_ALONE = {'styles': 'styles'}  # signatures of a single output, and what it is called


class RestTransport:
    """Calls one model of a server.

    Args:
        url: str, http://host:port.
        model: str, name of the model there.
        version: int, or None for the newest.
        label: str, version label in place of a version, or None.
        timeout_sec: float, of each try.
        retries: int, tries after the first: the waits double from half a second, with chance added so that
            clients do not return together; a Retry-After is kept, up to 20 seconds.

    Raises:
        ValueError: url is none, or version and label are both given.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = 'hwgen',
        version: int | None = None,
        label: str | None = None,
        timeout_sec: float = 60.0,
        retries: int = 5,
    ) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ValueError(f'{url}: expected an address such as http://localhost:8501')
        if version is not None and label is not None:
            raise ValueError(f'version {version} and label {label}: expected one of them')
        place = (
            ''
            if version is None and label is None
            else f'/labels/{_quoted(label)}'
            if version is None
            else f'/versions/{version}'
        )
        self.url = f'{url.rstrip("/")}/v1/models/{_quoted(model)}{place}:predict'
        longest: Any = LONGEST_WAIT_SEC  # urllib3 says int, and waits for any
        retry = urllib3.Retry(
            total=retries,
            redirect=0,
            status_forcelist=BUSY,
            allowed_methods={'POST'},
            backoff_factor=FIRST_WAIT_SEC,
            backoff_jitter=FIRST_WAIT_SEC,
            backoff_max=LONGEST_WAIT_SEC,
            retry_after_max=longest,
            raise_on_status=False,
        )
        self._pool = urllib3.PoolManager(retries=retry, timeout=urllib3.Timeout(timeout_sec))

    def predict(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Asks.

        Args:
            signature: str.
            inputs: dict name -> array.

        Returns:
            dict name -> array; strings as object arrays of bytes.

        Raises:
            RefusalError: the server's own words; ServerError: no answer, or none that can be read.
        """
        try:
            answer = self._pool.request(
                'POST',
                self.url,
                body=rest.format_request(signature, inputs),
                headers={'Content-Type': 'application/json'},
            )
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, 'reason', None) or error
            raise ServerError(f'{self.url}: no answer: {" ".join(str(cause).split())}') from None
        if answer.status == 400:
            try:
                # pictures beside the complaint about some text, whose own `error` says it too
                return rest.parse_outputs(answer.data)
            except ValueError:
                pass
        if answer.status != 200:
            said = f'{self.url}: status {answer.status}: {_message(answer.data)}'
            raise (
                RefusalError(said)
                if 400 <= answer.status < 500 and answer.status not in BUSY
                else ServerError(said)
            )
        try:
            return rest.parse_outputs(answer.data, alone=_ALONE.get(signature))
        except ValueError as error:
            raise ServerError(f'{self.url}: an answer that cannot be read: {error}') from None


def _message(body):
    """What a body says is wrong: its `error`, or its beginning."""
    try:
        return ' '.join(str(json.loads(body)['error']).split())
    except (ValueError, KeyError, TypeError):
        return ' '.join(body[:200].decode('utf-8', 'replace').split()) or 'an empty answer'


def _quoted(name):
    return urllib.parse.quote(name, safe='')
