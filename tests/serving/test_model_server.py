"""The ready files of docs/serving, and the real tensorflow_model_server where it is on the PATH."""

import pathlib
import re
import shutil
import socket
import subprocess

import numpy as np
import pytest

import hwgen
from hwgen.serving.client import MAX_TEXTS_PER_REQUEST, Client
from hwgen.serving.rest_transport import RestTransport

FILES = pathlib.Path(hwgen.__file__).resolve().parent.parent / 'docs' / 'serving'


def test_models_config_is_what_the_server_reads():
    reason = 'tensorflow-serving-api is not installed (pip install "hwgen[grpc]")'
    model_server_config_pb2 = pytest.importorskip(
        'tensorflow_serving.config.model_server_config_pb2', reason=reason
    )
    from google.protobuf import text_format

    (config,) = text_format.Parse(
        (FILES / 'models.config').read_text(), model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    assert (config.name, config.base_path, config.model_platform) == ('hwgen', '/models/hwgen', 'tensorflow')
    served = list(config.model_version_policy.specific.versions)
    assert served == [1] and dict(config.version_labels) == dict(stable=1, canary=1)


def test_batching_parameters_are_those_the_server_has():
    """Names of session_bundle_config.proto, BatchingParameters, which no package brings."""
    rows = [row for row in (FILES / 'batching.config').read_text().splitlines() if not row.startswith('#')]
    values = dict(re.fullmatch(r'(\w+) { value: (\d+) }|(\w+): true', row).group(1, 2) for row in rows[:-1])
    assert set(values) == {
        'max_batch_size',
        'batch_timeout_micros',
        'num_batch_threads',
        'max_enqueued_batches',
    }
    # else the server refuses what the client sends
    assert int(values['max_batch_size']) >= MAX_TEXTS_PER_REQUEST
    assert rows[-1] == 'pad_variable_length_inputs: true'


@pytest.mark.skipif(
    not shutil.which('tensorflow_model_server'),
    reason=(
        'tensorflow_model_server is not on the PATH; our REST answers are held '
        'against its documented behaviour in test_rest.py and test_rest_service.py'
    ),
)
def test_the_real_server(exported, served, tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    config = (
        (FILES / 'models.config').read_text().replace('/models/hwgen', str(pathlib.Path(exported[0]).parent))
    )
    (tmp_path / 'models.config').write_text(re.sub(r'(versions|value): 1', r'\1: 3', config))
    with subprocess.Popen(
        [
            'tensorflow_model_server',
            f'--rest_api_port={port}',
            '--port=0',
            f'--model_config_file={tmp_path / "models.config"}',
            '--allow_version_labels_for_unavailable_models=true',
            '--enable_batching=true',
            f'--batching_parameters_file={FILES / "batching.config"}',
        ]
    ) as server:
        try:
            client = Client(RestTransport(f'http://127.0.0.1:{port}', label='stable', retries=9))
            good, bad, glyph = client.write(['永人', 'ก', '⿱山鱼'], style_seeds=[7, 8, 9])
        finally:
            server.terminate()
    expected = served.run(
        'serving_default', dict(texts=np.array(['永人'.encode()], object), style_seeds=np.array([7]))
    )
    assert (
        good == (expected['image_bytes'][0], '') and bad == (None, 'U+0E01 at position 0') and glyph.picture
    )
