"""`train` on lines of few hands: none is fit to validate; folders whose names are no UTF-8."""

import json
import os
import pathlib

import numpy as np
import pytest
from PIL import Image
from train_process import READING, TINY, train

from hwgen.data.preparing.prepare_folder import prepare_folder
from hwgen.settings.prepare import InputSettings, OutputSettings

NAME = os.fsdecode(b'\xd5\xc5')


@pytest.mark.slow
def test_validation_lines_that_are_too_long_do_not_refuse_training(tmp_path, monkeypatch):
    """One hand writes short lines, another a long one, which alone would validate; the run lies below a
    name in GBK and goes on there.
    """
    monkeypatch.chdir(tmp_path)
    rows = []
    for i in range(9):
        hand, text = ('anna', '明天') if i < 8 else ('berta', '天地玄黄宇宙')
        pathlib.Path('in', hand).mkdir(parents=True, exist_ok=True)
        Image.fromarray(
            np.random.default_rng(i).integers(0, 256, (16, 16 * len(text))).astype(np.uint8)
        ).save(f'in/{hand}/{i}.png')
        rows.append(f'{hand}/{i}.png\t{text}\n')
    pathlib.Path('in/labels.tsv').write_text(''.join(rows), encoding='utf-8')
    os.mkdir(NAME)
    info = prepare_folder(
        OutputSettings(out=f'{NAME}/lines'),
        InputSettings(input='in', validation_share=0.11, test_share=0),
        report=lambda line: None,
    )
    assert {split: counts['records'] for split, counts in info['splits'].items()} == {
        'train': 8,
        'validation': 1,
    }
    arguments = [*TINY[1:], *READING, f'--data={NAME}/lines', f'--run_dir={NAME}/run', '--checkpoint_every=1']
    for steps in (1, 2):
        status, out, err = train(*arguments, f'--max_steps={steps}')
        assert (status, err) == (0, ''), err
        assert (
            "lines, split 'validation': no line of 1 to 3 characters; its 1 lines have 6 to 6" in out
            and 'no validation: ' in out
            and f'at step {steps}/' in out
        )
    config = json.loads(pathlib.Path(NAME, 'run', 'config.json').read_text(encoding='utf-8'))
    assert config['data']['folder'] == '\\xd5\\xc5/lines' and config['flags']['run_dir'] == '\\xd5\\xc5/run'
