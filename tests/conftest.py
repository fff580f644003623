"""What all tests share: a quiet TensorFlow, two logical CPU devices for the replica tests, hypothesis
settings fit for a busy machine.
"""

import os
import sys

import hypothesis
import pytest

from hwgen.cli import quiet

quiet.quiet_tensorflow()

# Deadlines measure the machine, not the code; the same examples every time, so that a failure elsewhere can
# be had here.
hypothesis.settings.register_profile('hwgen', deadline=None, derandomize=True)
hypothesis.settings.register_profile('explore', deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'hwgen'))


def pytest_collection_finish(session):
    """Splits the CPU into two logical devices: replica tests need two, and TensorFlow takes the number
    only before it runs its first operation.
    """
    del session
    tf = sys.modules.get('tensorflow')
    if tf is not None:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2
        )


@pytest.fixture(autouse=True)
def _working_directory(tmp_path, monkeypatch):
    """Every test runs in an empty folder: nothing may depend on where it is started, and nothing is left
    in the checkout.
    """
    monkeypatch.chdir(tmp_path)
