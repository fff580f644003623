"""experiments/corpus: what the parts of `worth.py` and `calibration.py` do for a row, with networks and
trainings that are stood in for.
"""

import collections
import json
import pathlib
import sys
import types

import numpy as np
import pytest

from experiments.corpus import (
    bench,
    character_worth,
    hands,
    judges,
    line_worth,
    seen,
    worth_rows,
    writer_worth,
)
from hwgen.data.preparing import prepare
from hwgen.data.scribe import corpus
from hwgen.data.scribe.corpus import plan_corpus
from hwgen.evaluation.measuring import people

ROW = next(row for row in worth_rows.ROWS if row.name == 'pen_70')
SIZES = {**bench.SMOKE, 'test_lines': 6, 'written_lines': 3}


def bench_of(tmp_path, **attributes):
    values = dict(
        out=tmp_path,
        sizes=SIZES,
        scans=[],
        people=None,
        pools=None,
        fingerprints={'pen': 'f'},
        jobs=2,
        log=lambda told: None,
    )
    return bench.Bench(**{**values, **attributes})


def test_a_bench_reads_people_and_looks_at_the_hands(tmp_path, monkeypatch):
    def scan(side):
        picture = np.full([40, 40], 255, np.uint8)
        picture[5 : 5 + side, 10:14] = 0
        return picture

    w, c, s = (axis.ravel() for axis in np.meshgrid([3, 7], np.arange(1, 16), [1, 2], indexing='ij'))
    np.savez(
        tmp_path / 'n.npz',
        images=np.stack([scan(20 if writer == 3 else 30) for writer in w]),
        code=c,
        writer=w,
        sample=s,
    )
    monkeypatch.setattr(hands, 'fingerprint', lambda kind: f'print of {kind}')
    opened = bench.Bench.open(
        tmp_path / 'deep' / 'out', tmp_path / 'n.npz', sizes={**SIZES, 'people_copies': 1}, jobs=3, log=print
    )
    assert (
        opened.out.is_dir()
        and opened.scans.shape == (2, 15, 2, 40, 40)
        and opened.people.shape == (2, 15, 1, 32, 32)
        and opened.people.max() == 255
    )
    assert opened.fingerprints == {kind: f'print of {kind}' for kind in hands.KINDS} and opened.jobs == 3
    assert (
        opened.pools._longer_px == 25
        and opened.pools._folder == opened.out / 'pools'
        and len(opened.pools._indices['taught']) == 4
        and len(opened.pools._indices['tested']) == 2
    )
    assert opened.under(ROW, 'seeds', 'lines') == {
        'corpus': '2.0',
        'pen_share': 0.7,
        'hands': opened.fingerprints,
        'seeds': 1,
        'lines': 64,
    }


def test_trainings_of_a_row(tmp_path):
    own = bench_of(tmp_path)
    recognizer, writer = line_worth.recognizer_job(own, ROW), writer_worth.writer_job(own, ROW)
    assert (
        recognizer.run_dir == tmp_path / 'recognizers' / 'pen_70'
        and writer.run_dir == tmp_path / 'writers' / 'pen_70'
    )
    assert (
        recognizer.flagfiles == writer.flagfiles == (line_worth.PRESET,)
        and line_worth.PRESET.name == 'fast.flags'
        and line_worth.PRESET.exists()
    )
    assert set(recognizer.arguments) == {
        f'--data={tmp_path}/corpora/pen_70',
        '--seed=1',
        '--recognizer_steps=8',
        '--reconstruction_steps=0',
        '--adversarial_steps=0',
        '--sample_every=1000000',
    }
    assert set(writer.arguments) == {
        f'--data={tmp_path}/corpora/pen_70',
        '--seed=1',
        '--recognizer_steps=0',
        f'--recognizers_from={tmp_path}/recognizers/pen_70',
        '--reconstruction_steps=8',
        '--adversarial_steps=0',
        '--sample_every=1000000',
    }


def test_the_lines_of_a_row_are_written_as_they_are_planned(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(prepare, 'prepare_scribe', lambda out, **settings: calls.append((out, settings)))
    own = bench_of(tmp_path)
    line_worth.prepare_corpus(own, ROW)
    ((out, settings),) = calls
    settings.pop('report')
    assert out == tmp_path / 'corpora' / 'pen_70' and settings == dict(
        lines=64,
        vocabulary_size=300,
        validation_lines=64,
        test_lines=6,
        unseen_lines=6,
        num_writers=8,
        version='2.0',
        pen_share=0.7,
        workers=2,
    )
    plan, whole = (
        line_worth.plan_of(own, 'pen_70'),
        plan_corpus(
            lines=64, vocabulary_size=300, test_lines=6, unseen_lines=6, num_writers=8, pen_share=0.7
        ),
    )
    for split in ('test', 'unseen'):
        assert [plan.text(split, i) for i in range(6)] == [whole.text(split, i) for i in range(6)]
    assert plan.splits == {'train': 0, 'validation': 0, 'test': 6, 'unseen': 6}


def test_all_read_what_all_have_learned(tmp_path):
    own, charset = bench_of(tmp_path), corpus.corpus_charset()
    plans = [line_worth.plan_of(own, name) for name in ('fonts_1_1', 'fonts_2_0', 'pen')]
    for group in ('vocabulary', 'held_out'):
        common = line_worth.common_characters(own, group)
        assert (
            common
            == set.intersection(*({charset.characters[i] for i in getattr(plan, group)} for plan in plans))
            and common
        )
    common = line_worth.common_characters(own)
    scan = np.full([64, 64], 255, np.uint8)
    scan[20:44, 30:34] = 40
    tested = line_worth.draw_tested(bench_of(tmp_path, scans=[[[scan]] * 15] * 2))
    assert list(tested) == ['fonts_1_1', 'fonts_2_0', 'pen', 'people'] and tested['people'][2] == ['0', '1']
    for kind, plan in zip(tested, plans):
        images, texts, owners = tested[kind]
        expected = [plan.text('test', i) for i in range(6) if common.issuperset(plan.text('test', i))]
        assert (
            texts == expected
            and len(images) == len(owners)
            and all(image.shape == (32, 32 * len(text)) for image, text in zip(images, texts))
        )
        assert all(owner.split(' ')[0] in ('chinese', 'pen') for owner in owners)
    assert all(set(text) <= common & set(people.NUMERALS) for text in tested['people'][1])
    texts = writer_worth.read_texts(own)
    held = line_worth.common_characters(own, 'held_out')
    assert list(texts) == ['seen', 'unseen'] and max(map(len, texts.values())) <= 3
    assert all(common.issuperset(text) for text in texts['seen']) and all(
        held.issuperset(text) for text in texts['unseen']
    )
    assert (
        texts['seen']
        == [plans[2].text('test', i) for i in range(6) if common.issuperset(plans[2].text('test', i))][:3]
    )


def test_what_a_recogniser_reads_is_counted_by_hands(monkeypatch):
    monkeypatch.setattr(
        line_worth,
        'load_reader',
        lambda run_dir: types.SimpleNamespace(label_errors=lambda images, texts: ([1, 0, 3], [6, 9, 12])),
    )
    monkeypatch.setattr(
        line_worth,
        'read_components',
        lambda reader, images, texts: types.SimpleNamespace(wrong=np.array([0, 2, 0, 0, 1, 1, 0, 4, 1])),
    )
    found = line_worth.measure(
        'run', {'pen': (['image'] * 3, ['天地', '玄黄宇', '宙洪荒日'], ['b', 'a', 'b'])}
    )
    # Wrong characters of the lines: (0, 2), (0, 0, 1), (1, 0, 4, 1).
    assert found == {'pen': {'lines': 3, 'labels': [[0, 9], [4, 18]], 'characters': [[1, 3], [4, 6]]}}


def test_pp_ocr_reads_the_same_lines(monkeypatch):
    monkeypatch.setattr(
        line_worth, 'IndependentReader', lambda: types.SimpleNamespace(read=lambda images: ['天也', '玄黄'])
    )
    found = line_worth.measure_pp_ocr({'pen': (['image'] * 2, ['天地', '玄黄宇'], ['b', 'a'])})
    assert found == {'pen': {'lines': 2, 'characters': [[1, 3], [1, 2]]}}


class Network:
    """Stands for SmallNetwork: says for every picture the number in its first pixel; tells what it learned
    from.
    """

    made = []

    def __init__(self, classes, *, seed):
        self.classes, self.seed, self.lessons = classes, seed, []
        Network.made.append(self)

    def train(self, drawn, labels, *, steps):
        self.lessons.append((drawn, np.asarray(labels), steps))
        return self

    def save(self, path):
        pathlib.Path(path).write_bytes(b'')

    def logits(self, drawn):
        return np.eye(self.classes)[np.minimum(drawn[:, 0, 0], self.classes - 1)]


@pytest.fixture
def networks(monkeypatch):
    Network.made.clear()
    monkeypatch.setattr(character_worth, 'SmallNetwork', Network)
    return Network.made


def numbered(writers, characters, copies):
    """Pictures whose first pixel is the number of the character."""
    drawn = np.zeros([writers, characters, copies, 32, 32], np.uint8)
    drawn[..., 0, 0] = np.arange(characters)[:, None]
    return drawn


def test_what_a_corpus_is_worth(networks, tmp_path):
    people_ = numbered(8, 15, 3)
    people_[2, :, :, 0, 0] = 19  # taken for another character: neither right among all nor among the numerals
    tested = numbered(3, 20, 1)[:, :, 0]
    tested[1, :5, 0, 0] = 7  # five of twenty wrong
    there = np.ones([3, 20], bool)
    there[1, :4], there[2, 10:] = False, False
    pools = types.SimpleNamespace(
        characters='字' * 20,
        get=lambda kind, side: (tested, there),
        lesson=lambda kinds, *, copies, rng: (
            np.full([40, 32, 32], copies, np.uint8),
            np.repeat(np.arange(20), 2),
        ),
    )
    found = character_worth.measure(
        ROW, pools, people_, seeds=2, copies=9, steps=11, folder=tmp_path / 'networks'
    )
    assert found['people'] == [[1, 1, 0, 1, 1, 1, 1, 1]] * 2 and set(found) == {
        'people',
        'people_15',
        'tuned_15',
        *hands.KINDS,
    }
    assert found['pen'] == [[1, round(15 / 16, 4), 1]] * 2
    for seed, network in enumerate(networks):
        assert (network.classes, network.seed) == (20, seed) and (
            tmp_path / 'networks' / f'pen_70-{seed}.npz'
        ).exists()
        (drawn, labels, steps), (tuned, tuned_labels, tuning_steps) = network.lessons
        few = character_worth.taught_people(8, seed)
        assert steps == 11 and len(drawn) == 40 and tuning_steps == 200
        # the numerals of the corpus, and eight times those of five people
        assert len(tuned) == len(tuned_labels) == 30 + 8 * 75 and tuned_labels.max() == 14
        assert [value is None for value in found['tuned_15'][seed]] == [n in few for n in range(8)]
    networks.clear()
    alone = character_worth.measure_alone(people_, seeds=1)
    assert (
        networks[0].classes == 15
        and networks[0].lessons[0][2] == 600
        and len(networks[0].lessons[0][0]) == 75
        and sum(value is None for value in alone['tuned_15'][0]) == 5
    )


def test_figures_of_characters_are_kept_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setattr(
        character_worth,
        'measure',
        lambda row, pools, people_, **options: {
            'row': row.name,
            **{k: v for k, v in options.items() if k != 'folder'},
        },
    )
    monkeypatch.setattr(character_worth, 'measure_alone', lambda people_, *, seeds: {'seeds': seeds})
    told = []
    character_worth.measure_rows(bench_of(tmp_path, log=told.append), [ROW])
    written = json.loads((tmp_path / 'characters' / 'pen_70.json').read_text(encoding='utf-8'))
    assert written['figures'] == {'row': 'pen_70', 'seeds': 1, 'copies': 4, 'steps': 20} and told == [
        'characters, 0.7 pens'
    ]
    assert written['measured_under'] == {
        'corpus': '2.0',
        'pen_share': 0.7,
        'hands': {'pen': 'f'},
        'seeds': 1,
        'taught': 4,
        'tested': 2,
        'copies': 4,
        'steps': 20,
        'people_copies': 1,
    }
    assert json.loads((tmp_path / 'characters' / 'nothing.json').read_text(encoding='utf-8')) == {
        'measured_under': {'seeds': 1},
        'figures': {'seeds': 1},
    }


class Writer:
    """Stands for a generator: writes its texts as pictures of one grey level, the seed's place."""

    char_px, char_width_px = 40, 36
    told = []

    def write(self, lines, *, style_seeds, truncation):
        Writer.told.append((tuple(lines), np.array(style_seeds).tolist(), truncation))
        return [np.full([40, 36 * len(text)], 9, np.uint8) for text in lines]


def test_what_a_writer_is_worth(networks, tmp_path, monkeypatch):
    Writer.told.clear()
    monkeypatch.setattr(writer_worth, 'SmallNetwork', Network)
    monkeypatch.setattr(Network, 'load', lambda self, path: self.lessons.append(path) or self, raising=False)
    monkeypatch.setattr(writer_worth, 'load_writer', lambda own, row: Writer())
    read = iter([['天地', '玄'], ['天也', '玄'], ['宇'], ['']])
    monkeypatch.setattr(
        writer_worth, 'IndependentReader', lambda: types.SimpleNamespace(read=lambda images: next(read))
    )
    cells = []
    monkeypatch.setattr(
        writer_worth, 'corpus_lines', lambda row, lines, shape: cells.append(shape) or ['image'] * len(lines)
    )
    monkeypatch.setattr(line_worth, 'common_characters', lambda own: frozenset('一二三'))
    pictures = numbered(5, 15, 1)[:, :, 0]
    pictures[1, 0, 0, 0], pictures[1, 4, 0, 0] = 7, 9  # 零 and 四: not known to all
    pictures[2, 1, 0, 0] = 3  # 一
    monkeypatch.setattr(
        writer_worth, 'write_characters', lambda writer, characters, *, hands_count: pictures[:hands_count]
    )
    own = bench_of(
        tmp_path,
        pools=types.SimpleNamespace(characters=people.NUMERALS),
        people=numbered(2, 15, 1),
        sizes={**SIZES, 'written_hands': 5, 'read_hands': 3, 'steps': 13},
    )
    found = writer_worth.measure(own, ROW, {'seen': ['天地', '玄黄'], 'unseen': ['宇']})
    assert found['pp_ocr'] == {
        'written_seen': [[0, 2], [1, 2]],
        'corpus_seen': [[1, 2], [1, 2]],
        'written_unseen': [[0, 1]],
        'corpus_unseen': [[1, 1]],
    }
    assert cells == [{'char_px': 40, 'char_width_px': 36}] * 2 and [
        (lines, truncation, len(seeds)) for lines, seeds, truncation in Writer.told
    ] == [(('天地', '玄黄'), 0.8, 2), (('宇',), 0.8, 1)]
    assert (
        found['read'] == {kind: [1, 1, round(2 / 3, 4)] for kind in hands.KINDS}
        and found['read_characters'] == 3
    )
    assert [network.lessons for network in networks[:-1]] == [
        [tmp_path / 'characters' / 'networks' / f'{kind}-0.npz'] for kind in hands.KINDS
    ]
    ((drawn, labels, steps),) = networks[-1].lessons
    assert drawn.shape == (75, 32, 32) and labels.tolist() == [*range(15)] * 5 and steps == 13
    assert found['taught'] == [[1, 1]] and found['taught_15'] == [[1, 1]]


@pytest.mark.parametrize('part, name', [(line_worth, 'recognisers'), (writer_worth, 'writers')])
def test_trainings_that_failed_end_a_part(tmp_path, monkeypatch, part, name):
    asked = []
    monkeypatch.setattr(prepare, 'prepare_scribe', lambda out, **settings: asked.append(out.name))
    monkeypatch.setattr(
        part.training_plan,
        'train_all',
        lambda jobs, *, num_parallel, report: (
            asked.append(([job.name for job in jobs], num_parallel)) or ['failed']
        ),
    )
    with pytest.raises(RuntimeError, match=f"{name}: \\['failed'\\]"):
        part.measure_rows(bench_of(tmp_path), [ROW])
    assert asked == ['pen_70', (['recogniser pen_70'], 2)]


def test_figures_of_lines_are_kept_row_by_row(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(prepare, 'prepare_scribe', lambda out, **settings: None)
    monkeypatch.setattr(line_worth.training_plan, 'train_all', lambda jobs, *, num_parallel, report: [])
    monkeypatch.setattr(line_worth, 'draw_tested', lambda own: 'lines')
    monkeypatch.setattr(
        line_worth, 'measure', lambda run_dir, tested: {'run': run_dir.name, 'tested': tested}
    )
    monkeypatch.setattr(line_worth, 'measure_pp_ocr', lambda tested: {'tested': tested})
    line_worth.measure_rows(bench_of(tmp_path, log=told.append), [ROW])

    def read(name):
        return json.loads((tmp_path / 'lines' / f'{name}.json').read_text(encoding='utf-8'))

    assert read('pen_70')['figures'] == {'run': 'pen_70', 'tested': 'lines'} and read('pp_ocr')[
        'figures'
    ] == {'tested': 'lines'}
    assert set(read('pen_70')['measured_under']) == {
        'corpus',
        'pen_share',
        'hands',
        'lines',
        'test_lines',
        'vocabulary',
        'writers',
        'recognizer_steps',
        'people_lines',
    }
    assert set(read('pp_ocr')['measured_under']) == set(read('pen_70')['measured_under']) - {
        'corpus',
        'pen_share',
    } and told == ['corpus, 0.7 pens', 'lines, 0.7 pens']


def test_the_verdicts_of_a_calibration(monkeypatch):
    told = []

    def note(name):
        return lambda *arguments, **options: (
            told.append((name, arguments, options))
            or ({'simulated': 's', 'people': 'p', 'simulated_all': 'a'} if name == 'teach' else name)
        )

    for name in ('teach', 'tell_apart', 'same_kind'):
        monkeypatch.setattr(judges, name, note(name))
    own, others, thick = (
        types.SimpleNamespace(inked=np.full([6], value), paths=np.arange(6) + 10 * value)
        for value in (1, 2, 3)
    )
    verdicts = judges.judge(own, others, thick, seeds=3, teach_steps=5, tell_steps=7, log=lambda told: None)
    assert list(verdicts.values()) == ['s', 'p', 'a', 'tell_apart', 'tell_apart', 'same_kind', 'tell_apart']
    assert [name for name, *_ in told] == ['teach', 'tell_apart', 'tell_apart', 'same_kind', 'tell_apart']
    assert told[0][2] == {'seeds': 3, 'steps': 5} and all(
        options == {'seeds': 3, 'steps': 7} for _, _, options in told[1:]
    )
    assert (
        told[1][1] == (own.inked, others.inked)
        and told[2][1] == (own.paths, others.paths)
        and told[3][1] == (own.inked,)
    )
    np.testing.assert_array_equal(told[4][1][0], own.paths[judges.lots(6)[0]])
    assert told[4][1][1] is thick.paths
    assert (
        len(judges.judge(own, others, None, seeds=3, teach_steps=5, tell_steps=7, log=lambda told: None)) == 6
    )


def test_characters_that_a_model_has_seen(tmp_path, monkeypatch, capsys):
    plan = plan_corpus(lines=30, validation_lines=4, vocabulary_size=300, held_out=5)
    monkeypatch.setattr(seen.corpus, 'plan_corpus', lambda **settings: plan)
    expected = collections.Counter(''.join(plan.text('train', i) for i in range(30)))
    counts = seen.count_shown(plan)
    assert (
        counts.total() == expected.total()
        and counts['的'] == expected['的']
        and seen.count_shown(plan, split='validation') != counts
    )
    path = tmp_path / 'generator.json'
    path.write_text(
        json.dumps({'a': 1, 'charset': {'x': 2}, 'info': {'data': {'version': corpus.SCRIBE_VERSION}}}),
        encoding='utf-8',
    )
    for _ in range(2):  # twice is as once
        monkeypatch.setattr(sys, 'argv', ['seen', f'--model={tmp_path}'])
        seen.main()
        written = json.loads(path.read_text(encoding='utf-8'))
        assert list(written) == ['a', 'charset', 'seen', 'info'] and written['a'] == 1
        vocabulary = [corpus.corpus_charset().characters[i] for i in plan.vocabulary]
        assert written['seen'] == ''.join(c for c in vocabulary if counts[c]) and len(written['seen']) < len(
            vocabulary
        )
    told = capsys.readouterr().out
    assert (
        f'corpus {corpus.SCRIBE_VERSION}, 30 lines: ' in told
        and ' 300 hanzi, median 0 times' in told
        and f'{path}: seen, {len(written["seen"])} characters' in told
    )
