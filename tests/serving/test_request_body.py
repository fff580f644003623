"""Bodies: exactly as large as they may be, one byte more, and what is told of them. Without a server."""

import asyncio
import gzip
import types

import pytest

pytest.importorskip('starlette', reason='the extra `serve` is not installed: pip install "hwgen[serve]"')

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from hwgen.serving.request_body import encoding_of, read_body, unpack


def request(parts, wait=0.0, **headers):
    async def stream():
        for part in parts:
            if isinstance(part, Exception):
                raise part
            await asyncio.sleep(wait)
            yield part

    return types.SimpleNamespace(
        headers={name.replace('_', '-'): value for name, value in headers.items()}, stream=stream
    )


def read(*arguments, most=10, timeout_sec=60.0, **options):
    return asyncio.run(read_body(request(*arguments, **options), most=most, timeout_sec=timeout_sec))


def test_bodies_of_the_largest_size():
    assert (
        read([b'12345', b'', b'67890']) == b'1234567890' == read([b'1234567890'], content_length='10')
        and read([]) == b''
    )
    for parts, headers in (([b'12345', b'678901'], {}), ([b'x'], dict(content_length='11'))):
        with pytest.raises(HTTPException) as caught:
            read(parts, **headers)
        assert (caught.value.status_code, caught.value.detail) == (
            413,
            'a request of more than 10 bytes: expected at most so many',
        )


def test_bodies_that_do_not_come():
    with pytest.raises(HTTPException) as caught:
        read([b'1', b'2'], 5.0, timeout_sec=0.01)
    assert (caught.value.status_code, caught.value.detail, caught.value.headers) == (
        408,
        'the request took too long to arrive',
        {'Connection': 'close'},
    )
    with pytest.raises(HTTPException) as caught:
        read([b'1', ClientDisconnect()])
    assert (caught.value.status_code, caught.value.detail) == (499, 'the client has gone')


def test_encodings_that_are_not_known():
    with pytest.raises(HTTPException) as caught:
        read([], content_encoding='B' * 200)
    assert caught.value.status_code == 415 and caught.value.headers == {'Accept-Encoding': 'gzip'}
    assert caught.value.detail == f'Content-Encoding {"b" * 100}: expected gzip, or none'
    for encoding in ('', 'identity', 'GZip', ' x-gzip '):
        assert read([b'1'], content_encoding=encoding) == b'1'
    assert encoding_of(request([], content_encoding=' GZip ')) == 'gzip' and encoding_of(request([])) == ''


def test_unpacked_bodies_of_the_largest_size():
    packed = gzip.compress(b'x' * 10)
    for encoding in ('gzip', 'x-gzip'):
        assert unpack(packed, encoding, most=10) == b'x' * 10
        with pytest.raises(HTTPException) as caught:
            unpack(packed, encoding, most=9)
        assert caught.value.status_code == 413
    assert unpack(packed, '', most=1) == packed == unpack(packed, 'identity', most=1)
    with pytest.raises(HTTPException) as caught:
        unpack(b'x', 'x-gzip', most=9)
    assert caught.value.status_code == 400 and caught.value.detail.startswith(
        'Content-Encoding x-gzip: Not a gzipped file'
    )
