"""The body of a request: read with a limit on its size and its time, unpacked with the same limit."""

import asyncio
import gzip
import io
import zlib

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

CLIENT_GONE = 499  # as nginx counts it; nobody reads this answer
_GZIP = ('gzip', 'x-gzip')


async def read_body(request: Request, *, most: int, timeout_sec: float) -> bytes:
    """Reads a body to its end.

    Args:
        request: starlette's Request.
        most: int, bytes.
        timeout_sec: float.

    Returns:
        bytes.

    Raises:
        HTTPException: 413 it is too large, 408 too slow, 499 it does not come to its end, 415 it is packed in
            a way that is not known.
    """
    encoding = encoding_of(request)
    if encoding not in ('', 'identity', *_GZIP):
        raise HTTPException(
            415, f'Content-Encoding {encoding[:100]}: expected gzip, or none', {'Accept-Encoding': 'gzip'}
        )
    if int(request.headers.get('content-length', 0)) > most:  # h11 has seen to it that it is a number
        raise _too_large(most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(timeout_sec):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > most:
                    raise _too_large(most)
    except TimeoutError:
        raise HTTPException(408, 'the request took too long to arrive', {'Connection': 'close'}) from None
    except ClientDisconnect:
        raise HTTPException(CLIENT_GONE, 'the client has gone') from None
    return b''.join(parts)


def encoding_of(request: Request) -> str:
    """The Content-Encoding of a request, str."""
    return request.headers.get('content-encoding', '').strip().lower()


def unpack(body: bytes, encoding: str, *, most: int) -> bytes:
    """Unpacks a body.

    Args:
        body: bytes.
        encoding: str, see `encoding_of`.
        most: int, bytes that it may have then.

    Returns:
        bytes.

    Raises:
        HTTPException: 413 it is too large, 400 it is not what it says.
    """
    if encoding not in _GZIP:
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            whole = packed.read(most + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise HTTPException(400, f'Content-Encoding {encoding}: {error}') from None
    if len(whole) > most:
        raise _too_large(most)
    return whole


def _too_large(most):
    return HTTPException(413, f'a request of more than {most} bytes: expected at most so many')
