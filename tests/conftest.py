"""What all tests share: a quiet TensorFlow, two logical CPU devices for the replica tests, hypothesis
settings fit for a busy machine; options for a part of the tests and of the time.
"""

import gc
import os
import sys
import time

import hypothesis
import pytest
import time_bound
from one_trace import one_trace_a_generator
from touched import belongs, changed_files, touched

from hwgen.cli import quiet

STARTED = time.monotonic()

quiet.quiet_tensorflow()

if 'PYTEST_XDIST_WORKER' in os.environ:  # a process a core: more threads would wait for each other
    for threads in ('OMP_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS'):
        os.environ.setdefault(threads, '1')

# Deadlines measure the machine, not the code; the same examples every time, so that a failure elsewhere can
# be had here.
hypothesis.settings.register_profile('hwgen', deadline=None, derandomize=True)
hypothesis.settings.register_profile('explore', deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'hwgen'))


def pytest_addoption(parser, pluginmanager):
    pluginmanager.register(time_bound)  # with an option of its own
    parser.addoption(
        '--touched', action='store_true', help='Only tests of what the change touches (touched.py).'
    )
    parser.addoption(
        '--minutes', type=float, help='Tests that would begin later are skipped; for the slow ones.'
    )


def pytest_collectstart():
    """Until all is collected: nothing of it is garbage, and to look for some takes its time."""
    gc.disable()


def pytest_collection_modifyitems(config, items):
    if config.option.touched:
        places = touched(changed_files(config.rootpath), config.rootpath)
        kept = [item for item in items if belongs(item.nodeid, places)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def pytest_runtest_setup(item):
    minutes = item.config.option.minutes
    if minutes is not None and time.monotonic() - STARTED > 60 * minutes:
        pytest.skip(f'the {minutes:g} minutes of --minutes are over')


def pytest_collection_finish(session):
    """Splits the CPU into two logical devices: replica tests need two, and TensorFlow takes the number
    only before it runs its first operation.
    """
    del session
    gc.enable()
    gc.freeze()  # modules and thousands of tests live to the end: no collection looks at them again
    tf = sys.modules.get('tensorflow')
    if tf is not None:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2
        )


def pytest_sessionfinish():
    if 'forked' in sys.modules:
        sys.modules['forked'].end()


@pytest.fixture(scope='session', autouse=True)
def _one_trace_a_generator():
    if 'hwgen.inference.writer' not in sys.modules:  # nobody writes
        yield
        return
    with one_trace_a_generator():
        yield


@pytest.fixture(autouse=True)
def _working_directory(tmp_path, monkeypatch):
    """Every test runs in an empty folder: nothing may depend on where it is started, and nothing is left
    in the checkout.
    """
    monkeypatch.chdir(tmp_path)
