"""How many requests a running server answers, and how soon: with 1, 8, 64 clients that ask again as soon as
they have their answer.

    bin/serve &
    python -m benchmarks.serving [--url=http://127.0.0.1:8501]

Each request is one line of random common hanzi in a random hand (seeded), on a connection of its client's own
that stays open. A request that is answered 503 is counted and asked again. Meant for a server on this
machine: clients and server share its CPUs, and the server is started apart. With --hostile, so many more
clients send what no server should be sent, and each answer must have the status it ought to have. With
--large=64x64, instead: one request for `images` of 64 lines of 64 characters, and how long /healthz waits
meanwhile. With --idle=515, instead: so many connections that say nothing, and what others get in the 8
seconds after.
"""

import asyncio
import base64
import collections
import json
import os
import time
import urllib.parse

from absl import app, flags

_URL = flags.DEFINE_string('url', 'http://127.0.0.1:8501', 'The server.')
_MODEL_NAME = flags.DEFINE_string('model_name', 'hwgen', 'Name of its model.')
_CLIENTS = flags.DEFINE_list('clients', ['1', '8', '64'], 'Numbers of clients, one row each.')
_CHARACTERS = flags.DEFINE_integer('characters', 10, 'Characters of a line.')
_SECONDS = flags.DEFINE_float(
    'seconds', 20.0, 'Length of each measurement, after one of 2 seconds that warms up.'
)
_HOSTILE = flags.DEFINE_integer('hostile', 0, 'Hostile clients beside the others.')
_LARGE = flags.DEFINE_string(
    'large', None, 'One request for images, LINESxCHARACTERS, and the waits of /healthz beside it.'
)
_IDLE = flags.DEFINE_integer(
    'idle', 0, 'Connections that say nothing, and the answers of others beside them.'
)
_SEED = flags.DEFINE_integer('seed', 0, 'Of texts and hands.')


async def post(reader, writer, path, body):
    """One request on an open connection -> status, body."""
    writer.write(
        f'POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body
    )
    head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1').lower()
    length = int(head.partition('content-length:')[2].split('\r\n')[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def client(address, path, bodies, end, seconds, statuses):
    """Asks until `end`; adds the seconds of each answer with a picture and all statuses."""
    reader, writer = await asyncio.open_connection(*address)
    while time.perf_counter() < end:
        start = time.perf_counter()
        status, body = await post(reader, writer, path, next(bodies))
        statuses[status] += 1
        if status == 200:
            assert base64.b64decode(json.loads(body)['predictions'][0]['image_bytes']['b64']).startswith(
                b'\x89PNG'
            )
            seconds.append(time.perf_counter() - start)
        elif status != 503:
            raise ValueError(f'status {status}: {body[:200]!r}')
    writer.close()


def hostile_requests(rng):
    """Endless pairs of a body and the status it deserves (503: nobody is at fault)."""

    def line(text, seed):
        return json.dumps({'instances': [{'texts': text, 'style_seeds': seed}]}, ensure_ascii=False).encode()

    nasty = [
        (b'{"instances": [', 400),
        (line('永', 'seven'), 400),
        (line(7, 7), 400),
        (line('永' * 333_333, 7), 400),
        (line('x' * 2_000_000, 7), 413),
        (b'[' * 900_000, 400),
        (b'{"a":' * 150_000, 400),
        (rng.bytes(100_000), 400),
        (line('永ก', 7), 400),
        (line('', 7), 400),
        (b'{"instances": [{"texts": "\xe6\x98", "style_seeds": 7}]}', 400),
        (json.dumps({'inputs': {'texts': ['永'] * 9999, 'style_seeds': [1]}}).encode(), 400),
    ]
    while True:
        yield nasty[rng.integers(len(nasty))]


async def hostile_client(address, path, requests, end, statuses):
    """Sends hostile requests until `end`, one in ten as a client that never ends its own."""
    number = 0
    while time.perf_counter() < end:
        number += 1
        reader, writer = await asyncio.open_connection(*address)
        if number % 10:
            body, expected = next(requests)
            status, said = await post(reader, writer, path, body)
            if status not in (expected, 503):
                raise ValueError(f'status {status}, expected {expected}: {body[:60]!r}: {said[:200]!r}')
            statuses[status] += 1
        else:
            writer.write(b'POST / HTTP/1.1\r\nx: ')
        writer.close()


async def measure(count, address, path, bodies, length, *, hostile=None):
    """-> seconds of each answer, statuses, those of the hostile clients, wall seconds."""
    seconds, statuses, others, start = [], collections.Counter(), collections.Counter(), time.perf_counter()
    await asyncio.gather(
        *(client(address, path, bodies, start + length, seconds, statuses) for _ in range(count)),
        *(
            hostile_client(address, path, hostile, start + length, others)
            for _ in range(_HOSTILE.value if hostile else 0)
        ),
    )
    return seconds, statuses, others, time.perf_counter() - start


async def ask_once(address, method, path, body=b''):
    """One request on a connection of its own -> status, seconds, bytes of the body; status 0: the
    connection broke.
    """
    began = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection(*address, limit=2**20)
        writer.write(
            f'{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length:'
            f' {len(body)}\r\n\r\n'.encode()
            + body
        )
        answer = await reader.read()
        writer.close()
    except OSError:
        answer = b''
    return int(answer.split(maxsplit=2)[1]) if answer else 0, time.perf_counter() - began, len(answer)


async def measure_large(address, path, lines, characters):
    """Prints the answer to one large request, and the waits of /healthz until it is there."""
    body = json.dumps(
        {
            'signature_name': 'images',
            'inputs': {'texts': ['永' * characters] * lines, 'style_seeds': list(range(lines))},
        },
        ensure_ascii=False,
    ).encode()
    large, waits = asyncio.ensure_future(ask_once(address, 'POST', path, body)), []
    while not large.done() or not waits:
        waits.append((await ask_once(address, 'GET', '/healthz'))[1])
        await asyncio.sleep(0.02)
    status, seconds, size = large.result()
    print(
        f'images of {lines} x {characters}: request of {len(body):,} bytes, status {status} with {size:,}'
        f' bytes after {seconds:.2f} s; /healthz meanwhile: N {len(waits)}, longest {1000 * max(waits):.0f}'
        f' ms, median {1000 * sorted(waits)[len(waits) // 2]:.1f} ms'
    )


async def measure_idle(address, path, count, body):
    """Prints what others get beside connections that say nothing."""
    idle, statuses, start, last = (
        [await asyncio.open_connection(*address) for _ in range(count)],
        collections.Counter(),
        time.perf_counter(),
        0.0,
    )
    while time.perf_counter() - start < 8:
        for request in (('GET', '/healthz'), ('POST', path, body)):
            status = (await ask_once(address, *request))[0]
            statuses[status] += 1
            last = last if status == 200 else time.perf_counter() - start
        await asyncio.sleep(0.1)
    print(f'{count} idle connections: {dict(statuses)}, the last that was not 200 after {last:.1f} s')
    for _, writer in idle:
        writer.close()


def main(argv):
    del argv
    import numpy as np

    from hwgen.charset.encoding import Charset

    charset, rng = Charset.load(), np.random.default_rng(_SEED.value)
    hanzi = [charset.characters[i] for i in charset.character_set('gb2312-1')]

    def requests():
        while True:
            text = ''.join(rng.choice(hanzi, _CHARACTERS.value))
            yield json.dumps(
                {'instances': [{'texts': text, 'style_seeds': int(rng.integers(2**62))}]}
            ).encode()

    parts, path, bodies = (
        urllib.parse.urlsplit(_URL.value),
        f'/v1/models/{_MODEL_NAME.value}:predict',
        requests(),
    )
    address = parts.hostname, parts.port
    if _LARGE.value:
        asyncio.run(measure_large(address, path, *map(int, _LARGE.value.split('x'))))
        return
    if _IDLE.value:
        asyncio.run(measure_idle(address, path, _IDLE.value, next(bodies)))
        return
    asyncio.run(measure(8, address, path, bodies, 2.0))
    print(
        f'{os.cpu_count()} cores; lines of {_CHARACTERS.value} characters, seed {_SEED.value},'
        f' {_SECONDS.value:g} s a row'
    )
    print('clients      N  requests/s  p50 ms  p95 ms  p99 ms  max ms   503  load')
    for count in map(int, _CLIENTS.value):
        seconds, statuses, others, wall = asyncio.run(
            measure(count, address, path, bodies, _SECONDS.value, hostile=hostile_requests(rng))
        )
        p50, p95, p99, most = 1000 * np.percentile(seconds, [50, 95, 99, 100])
        print(
            f'{count:7} {len(seconds):6} {len(seconds) / wall:11.1f} {p50:7.0f} {p95:7.0f} {p99:7.0f}'
            f' {most:7.0f} {statuses[503]:5} {os.getloadavg()[0]:5.1f}'
            + (f'  hostile: {dict(sorted(others.items()))}' if others else ''),
            flush=True,
        )


if __name__ == '__main__':
    app.run(main)
