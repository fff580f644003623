"""What is expensive and read only, made once in a run of the tests, by whichever process needs it first."""

import fcntl
import os
import pickle


def made_once(tmp_path_factory, name, make):
    """What `make(folder)` gives.

    Args:
        tmp_path_factory: the fixture of pytest.
        name: str, of the folder; one for each thing.
        make: function of an empty folder (Path) -> what pickle can store. The others get a copy of it.
    """
    shared = tmp_path_factory.getbasetemp()
    if 'PYTEST_XDIST_WORKER' in os.environ:
        shared = shared.parent  # that of all processes
    folder, told = shared / name, shared / f'{name}.pickle'
    with open(shared / f'{name}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            folder.mkdir(exist_ok=True)
            answer = make(folder)
            told.write_bytes(pickle.dumps(answer))
        return pickle.loads(told.read_bytes())
