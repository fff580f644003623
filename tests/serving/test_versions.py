"""Version folders: the next number, and none twice."""

import pytest

from hwgen.serving.versions import version_folder


def test_versions(tmp_path):
    base = tmp_path / 'hwgen'
    assert version_folder(str(base)) == str(base / '1')
    assert version_folder(str(base / '7')) == str(base / '7')
    for name in ('2', '10', '.11.temporary', 'models.config'):
        (base / name).mkdir(parents=True)
    assert version_folder(str(base)) == str(base / '11')
    with pytest.raises(FileExistsError, match='version exists and may be served; expected a new number') as caught:
        version_folder(str(base / '2'))
    assert caught.value.filename == str(base / '2')
    (tmp_path / 'file').touch()
    with pytest.raises(FileExistsError, match='is a file, expected a folder for versions'):
        version_folder(str(tmp_path / 'file'))
