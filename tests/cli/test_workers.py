"""Two workers on one machine train as one process does."""

import json
import socket

import pytest
import train_process

STEPS = (
    '--recognizer_steps=2 --reconstruction_steps=2 --adversarial_steps=2 --discriminator_warmup_steps=1'
    ' --sample_every=100'.split()
)


def free_ports(count):
    """Ports that nobody listens on right now."""
    sockets = [socket.create_server(('localhost', 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.mark.slow
def test_two_workers_equal_one_process(tmp_path, monkeypatch):
    cluster = {'worker': [f'localhost:{port}' for port in free_ports(2)]}
    workers = []
    for index in range(2):
        monkeypatch.setitem(
            train_process.ENVIRONMENT,
            'TF_CONFIG',
            json.dumps({'cluster': cluster, 'task': {'type': 'worker', 'index': index}}),
        )
        workers.append(
            train_process.start(
                *train_process.TINY, *STEPS, '--strategy=multi_worker', f'--run_dir={tmp_path / str(index)}'
            )
        )
    for worker in workers:
        _, err = worker.communicate(timeout=300)
        assert worker.returncode == 0, err
    monkeypatch.delitem(train_process.ENVIRONMENT, 'TF_CONFIG')
    assert train_process.train(*train_process.TINY, *STEPS, f'--run_dir={tmp_path / "alone"}')[0] == 0

    def steps(name):
        return [
            {key: value for key, value in record.items() if key.startswith(('loss/', 'score/', 'grad/'))}
            for record in train_process.records(tmp_path / name)
        ]

    for name in ('0', '1'):
        assert len(steps(name)) == len(steps('alone'))
        for record, alone in zip(steps(name), steps('alone')):
            # Sums over workers are added in another order, and metrics.jsonl keeps six digits.
            assert record == pytest.approx(alone, rel=2e-4, abs=1e-6)
