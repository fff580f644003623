"""The example notebook: it has no stored outputs, which differ by machine, and runs from beginning to end."""

import json
import os
import re

import pytest

from hwgen.settings.resources import CHECKOUT

NOTEBOOK = CHECKOUT / 'examples' / 'hwgen.ipynb'


def test_it_is_stored_without_outputs():
    cells = json.loads(NOTEBOOK.read_text(encoding='utf-8'))['cells']
    assert len(cells) > 10
    for cell in cells:
        if cell['cell_type'] == 'code':
            assert cell['outputs'] == [] and cell['execution_count'] is None
            compile(''.join(cell['source']), str(NOTEBOOK), 'exec')
    named = re.findall(r'\]\(\.\./([^)]+)\)', ''.join(''.join(cell['source']) for cell in cells))
    assert named and not [page for page in named if not (CHECKOUT / page).is_file()]


@pytest.mark.slow
def test_it_runs(monkeypatch):
    nbformat = pytest.importorskip('nbformat', reason='nbclient is not installed: bin/test installs it')
    nbclient = pytest.importorskip('nbclient', reason='nbclient is not installed: bin/test installs it')
    monkeypatch.setenv('PYTHONPATH', str(CHECKOUT))
    monkeypatch.setenv('TF_CPP_MIN_LOG_LEVEL', '3')
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    here = {'metadata': {'path': os.getcwd()}}
    nbclient.NotebookClient(notebook, timeout=500, kernel_name='python3', resources=here).execute()
    outputs = [output for cell in notebook.cells for output in cell.get('outputs', ())]
    pictures = [output for output in outputs if 'image/png' in output.get('data', {})]
    texts = ''.join(
        output.get('text', '') + output.get('data', {}).get('text/plain', '') for output in outputs
    )
    assert len(pictures) == 7
    assert "('finished', 12)" in texts and 'at position 2' in texts and re.search(r'cer\S* \d', texts)
    assert os.listdir('.') == []
