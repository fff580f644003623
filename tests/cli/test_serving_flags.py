"""Every flag of `serve`, `export` and `request` reaches its place: each is given a value of its own, and
what is called with it is compared.
"""

import os

import pytest

pytest.importorskip('uvicorn', reason='the extra `serve` is not installed: pip install "hwgen[serve]"')

from many_calls import calls

WRITER = """
class Writer:
    def load(path, **options):
        tell('Writer.load', path, **options)
        return types.SimpleNamespace(description={'info': {'of': path}})
stand_in('hwgen.inference.writer', Writer=Writer)
def export_model(writer, path, **options):
    tell('export_model', path, **options)
    place = os.path.join(path, '1') if os.path.basename(path) == 'hwgen' else path
    os.makedirs(place)
    with open(os.path.join(place, 'graph'), 'wb') as file:
        file.write(bytes(2_345_678))
    return place, dict(
        note='a note' if options['truncation'] != 0.8 else '',
        characters=1234,
        compared=dict(lines=3, characters=48, largest_difference_grey_levels=0.5),
    )
UNSTATED = 'not stated'
stand_in(
    'hwgen.serving.export',
    export_model=export_model,
    UNSTATED=UNSTATED,
    data_licence=lambda info: 'own' if 'own' in info['of'] else UNSTATED,
)
"""
SERVE = (
    WRITER
    + """
import resource, signal
signal.signal = lambda *arguments: None
limits = [200, 4000]
resource.getrlimit = lambda kind: tuple(limits)
resource.setrlimit = lambda kind, values: tell('setrlimit', kind == resource.RLIMIT_NOFILE, *values)
import importlib.util
importlib.util.find_spec = lambda name: True
stand_in('hwgen.serving.served_model', MAX_CHARACTERS=11)
class Listener:
    def __init__(self, host):
        self.host = host
    def getsockname(self):
        return ({'any': '0.0.0.0', 'six': '::1', 'scope': 'fe80::1%eth0'}.get(self.host, '127.0.0.1'), 4711)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        tell('closed')
def bind(host, port):
    tell('bind', host, port)
    return Listener(host)
class HttpServer:
    def __init__(self, service, **options):
        tell(
            'HttpServer',
            service.name,
            **{**options, 'page': str(options['page']), 'limits': options['limits'].__dict__},
        )
        self.queue, self.companion = 'the queue', None
    def run(self, listener, *, announce):
        announce()
        tell('run', listener.host, self.companion and self.companion.name)
        if following:
            following[0]({1: 'one', 9: 'nine'})
            tell('follows', service_of[-1].models.versions, str(self.page))
stand_in(
    'hwgen.serving.http_server',
    bind=bind,
    HttpServer=HttpServer,
    Limits=lambda **options: types.SimpleNamespace(**options),
)
service_of, following = [], []
class Models:
    def replace(self, versions):
        self.versions = sorted(versions)
class RestService:
    def __init__(self, name, versions, **options):
        tell('RestService', name, versions, **options)
        self.name, self.models = 'service', Models()
        service_of.append(self)
stand_in('hwgen.serving.rest_service', RestService=RestService)
class VersionWatch:
    def __init__(self, base, *, wanted, labelled, report):
        tell('VersionWatch', base.replace(os.getcwd(), '.'), wanted, sorted(labelled))
        self.versions = {2: 'two', 10: 'ten'}
    def watch(self, seconds, follow):
        tell('watch', seconds)
        following.append(follow)
stand_in('hwgen.serving.version_watch', VersionWatch=VersionWatch)
class PageError(ValueError):
    pass
def Page(name, number, served):
    if name == 'pageless':
        raise PageError('no signature')
    return f'page of {name} {number} {served}'
stand_in('hwgen.serving.page', Page=Page, PageError=PageError)
class GrpcServer:
    def __init__(self, host, port, models, *, queue, limits):
        tell('GrpcServer', host, port, queue, limits.workers)
        self.port, self.name = 4712, 'gRPC'
    def start(self):
        tell('started')
stand_in('hwgen.serving.grpc_server', GrpcServer=GrpcServer)
"""
)
LIMITS = dict(
    workers=min(4, os.cpu_count()),
    max_waiting=64,
    max_body_bytes=2**20,
    timeout_sec=60.0,
    max_connections=512,
)


def told(found, name):
    """What a name was called with: lists of values, the named ones as the last."""
    return [one[1:] for one in found[1] if one[0] == name]


def test_serve():
    os.makedirs('mine/1')
    default, every, hosts, any_, six, scope, pageless, still, far, mine = calls(
        'serve',
        [
            ['--model_base_path=mine'],
            (
                '--model_base_path=mine --model_name=pen --versions=2,10 --labels=stable:2,canary:10'
                ' --host=localhost --allowed_hosts=a.b,c.d --allowed_origins=https://e --port=13'
                ' --grpc_port=14 --workers=15 --max_waiting=16 --max_request_bytes=17 --max_lines=18'
                ' --max_values=19 --file_system_poll_wait_seconds=2.5 --max_connections=21 --timeout_sec=22'
            ).split(),
            ['--model_base_path=mine', '--host=any', '--allowed_hosts=a.b'],
            ['--model_base_path=mine', '--host=any'],
            ['--model_base_path=mine', '--host=six'],
            ['--model_base_path=mine', '--host=scope'],
            ['--model_base_path=mine', '--model_name=pageless'],
            ['--model_base_path=mine', '--file_system_poll_wait_seconds=0'],
            ['--model_base_path=mine', '--max_connections=3873'],
            ['--model=own', '--allow_unseen'],
        ],
        setup=SERVE,
        after='following.clear()',
    )
    assert [found[0] for found in (default, every, hosts, any_, six, scope, pageless, still, mine)] == [
        None
    ] * 9, mine
    # 512 connections and 128 other files; 149 there are already
    assert told(default, 'setrlimit') == [[True, 640, 4000]] and told(every, 'setrlimit') == []
    assert told(default, 'bind') == [['127.0.0.1', 8501]] and told(every, 'bind') == [['localhost', 13]]
    assert told(default, 'VersionWatch') == [['mine', None, []]] and told(every, 'VersionWatch') == [
        ['mine', [2, 10], [2, 10]]
    ]
    versions = {'2': 'two', '10': 'ten'}
    assert told(default, 'RestService') == [
        ['hwgen', versions, dict(labels={}, refuse_unwritable=True, max_lines=64, max_values=5_000_000)]
    ]
    assert told(every, 'RestService') == [
        [
            'pen',
            versions,
            dict(labels=dict(stable=2, canary=10), refuse_unwritable=True, max_lines=18, max_values=19),
        ]
    ]
    assert told(default, 'HttpServer') == [
        ['service', dict(page='page of hwgen 10 ten', limits=LIMITS, hosts=['127.0.0.1'], origins=[])]
    ]
    assert told(every, 'HttpServer') == [
        [
            'service',
            dict(
                page='page of pen 10 ten',
                hosts=['localhost', 'a.b', 'c.d'],
                origins=['https://e'],
                limits=dict(
                    workers=15, max_waiting=16, max_body_bytes=17, timeout_sec=22.0, max_connections=21
                ),
            ),
        ]
    ]
    assert (
        told(every, 'GrpcServer') == [['localhost', 14, 'the queue', 15]]
        and told(every, 'started') == [[]]
        and told(default, 'GrpcServer') == []
    )
    assert (
        told(every, 'run') == [['localhost', 'gRPC']]
        and told(default, 'run') == [['127.0.0.1', None]]
        and told(default, 'closed') == [[]]
    )
    assert (
        told(every, 'watch') == [[2.5]] and told(default, 'watch') == [[1.0]] and told(still, 'watch') == []
    )
    # what changes is served, and the page is that of the newest
    assert told(every, 'follows') == [[[1, 9], 'page of pen 9 nine']]
    assert (
        every[2]
        == 'gRPC at port 4712\nhttp://127.0.0.1:4711: model pen, version 2, 10; Ctrl-C ends it\nstopped\n'
    )
    assert (
        told(hosts, 'HttpServer')[0][1]['hosts'] == ['any', 'a.b']
        and told(any_, 'HttpServer')[0][1]['hosts'] is None
        and told(six, 'HttpServer')[0][1]['hosts'] == ['six']
    )
    assert told(scope, 'HttpServer')[0][1]['hosts'] is None and six[2].startswith(
        'http://[::1]:4711: model hwgen'
    )
    assert (
        pageless[2].startswith('no page: no signature\n')
        and told(pageless, 'HttpServer')[0][1]['page'] == 'None'
    )
    assert (
        far[0] == 2
        and '--max_connections=3873: expected at most 3872, this system gives a process 4000 open files'
        ' (ulimit -Hn)'
        in far[3]
        and far[1] == []
    )
    assert told(mine, 'Writer.load') == [['own', dict(windows_per_step=1, allow_unseen=True)]] and told(
        mine, 'export_model'
    )[0][1] == dict(truncation=0.8, max_characters=11, licence='own')
    # what the export does not note is not said
    assert mine[2].startswith('exporting own, about half a minute\nhttp:')


def test_what_serve_refuses():
    cases = {
        '--allow_unseen': '--allow_unseen without --model: expected',
        '--versions=-1': '--versions: version -1: expected a number from 0 to 9223372036854775807',
        f'--versions={2**63}': f'--versions: version {2**63}: expected',
        '--labels=:1': '--labels=:1: expected NAME:NUMBER',
        '--labels=a:': '--labels=a:: expected NAME:NUMBER',
        '--labels=a:1:2': '--labels: version 1:2: expected a number',
        '--model=a --model_base_path=b': '--model and --model_base_path are both given',
    }
    for message, (status, called, _, err) in zip(
        cases.values(), calls('serve', [one.split() for one in cases], setup=SERVE)
    ):
        assert (status, called) == (2, []) and err.startswith(f'serve: {message}') and err.count('\n') == 1, (
            err
        )
    ((status, called, _, _),) = calls(
        'serve', [['--model_base_path=mine', f'--versions={2**63 - 1},0']], setup=SERVE
    )
    assert status is None and [one for one in called if one[0] == 'VersionWatch'] == [
        ['VersionWatch', 'mine', [2**63 - 1, 0], []]
    ]


def test_export():
    os.makedirs('runs/own/model')
    default, every, stated = calls(
        'export',
        [
            ['--model=mine', '--out=served/hwgen'],
            '--run=runs/own --out=other/3 --truncation=.25 --max_characters=12 --allow_unseen'.split(),
            ['--model=mine', '--out=served/9', '--data_licence=mine alone'],
        ],
        setup=WRITER,
    )
    assert told(default, 'Writer.load') == [['mine', dict(windows_per_step=1, allow_unseen=False)]] and told(
        every, 'Writer.load'
    ) == [['runs/own/model', dict(windows_per_step=1, allow_unseen=True)]]
    assert told(default, 'export_model') == [
        ['served/hwgen', dict(truncation=0.8, max_characters=256, licence='not stated')]
    ]
    assert told(every, 'export_model') == [
        ['other/3', dict(truncation=0.25, max_characters=12, licence='own')]
    ]
    assert told(stated, 'export_model')[0][1]['licence'] == 'mine alone'
    assert default[2].startswith(
        'model mine; licence of its data: not stated; --data_licence states it\nserved/hwgen/1: 1,234'
        ' characters, 2.3 MB, in '
    )
    assert default[2].endswith(
        ' s; a fresh process wrote 3 lines of 48 characters by six signatures, largest difference 0.5 grey'
        ' levels\n'
    )
    assert every[2].startswith(
        'model runs/own/model; licence of its data: own\nruns/own/model: a note\nother/3: '
    ) and stated[2].startswith('model mine; licence of its data: mine alone\nserved/9: ')


REQUEST = """
def transport(name):
    def make(place, **options):
        tell(name, place, **options)
        return name
    return make
stand_in('hwgen.serving.rest_transport', RestTransport=transport('RestTransport'))
stand_in('hwgen.serving.grpc_transport', GrpcTransport=transport('GrpcTransport'))
import numpy as np
from hwgen.inference import picture_files
class Client:
    def __init__(self, transport):
        tell('Client', transport)
    def write(self, texts, **options):
        tell('write', texts, **options)
        seeds = options['style_seeds']
        return [
            types.SimpleNamespace(
                error='wrong' if '?' in text else '',
                picture=picture_files.encode_png(np.full([8, 8 * len(text)], seed % 200, np.uint8)),
            )
            for text, seed in zip(texts, seeds)
        ]
stand_in('hwgen.serving.client', Client=Client)
"""


def test_request():
    with open('lines.txt', 'w', encoding='utf-8') as file:
        file.write('明\n\n ? \n天地\n' + '?\n' * 4)
    asked = (
        '--text=明 --model_name=pen --version=0 --label=stable --timeout_sec=7 --retries=8 --truncation=0'
        ' --style_seed=9 --num_styles=2'.split()
    )
    default, rest, grpc, rows, last, beyond = calls(
        'request',
        [
            ['--text=明天', '--out=a.png'],
            [*asked, '--url=http://here:1', '--out=b.png'],
            [*asked, '--grpc=there:2', '--out=c.tif'],
            ['--text_file=lines.txt', '--skip_unwritable', '--num_styles=2', '--out=rows'],
            ['--text=明', f'--style_seed={2**64 - 1}', '--out=d.png'],
            ['--text=明', f'--style_seed={2**64 - 1}', '--num_styles=2', '--out=e.png'],
        ],
        setup=REQUEST,
    )
    assert told(default, 'RestTransport') == [
        ['http://localhost:8501', dict(retries=5, model='hwgen', version=None, label=None, timeout_sec=60.0)]
    ] and told(default, 'Client') == [['RestTransport']]
    assert (
        told(default, 'write') == [[['明天'], dict(style_seeds=[0], truncation=None, hand=None)]]
        and default[2] == 'a.png: 1 picture\n'
    )
    assert told(rest, 'RestTransport') == [
        ['http://here:1', dict(retries=8, model='pen', version=0, label='stable', timeout_sec=7.0)]
    ]
    assert told(grpc, 'GrpcTransport') == [
        ['there:2', dict(model='pen', version=0, label='stable', timeout_sec=7.0)]
    ] and told(grpc, 'Client') == [['GrpcTransport']]
    assert (
        told(rest, 'write') == [[['明', '明'], dict(style_seeds=[9, 10], truncation=0.0, hand=None)]]
        and rest[2] == 'b.png: 2 pictures\n'
    )
    assert told(rows, 'write') == [
        [
            [text for text in ('明', '?', '天地', '?', '?', '?', '?') for _ in range(2)],
            dict(style_seeds=[0, 1] * 7, truncation=None, hand=None),
        ]
    ]
    # three are enough
    assert rows[2] == 'rows: 4 pictures, 5 left out\n' and rows[3] == ''.join(
        f'left out: lines.txt:{row}: wrong\n' for row in (3, 5, 6)
    )
    assert (last[0], beyond[0]) == (
        None,
        2,
    ) and f'--style_seed={2**64 - 1}: expected 0 to 2^64 - 1' in beyond[3]
