"""What an artefact says its training pictures showed."""

import json

from hwgen.charset.encoding import Charset
from hwgen.training.seen import seen_characters


def info_of(text, not_shown=''):
    charset = Charset.load()
    info = {'vocabulary': sorted(charset.character_id(c) for c in text)}
    return info | ({'not_shown': [charset.character_id(c) for c in not_shown]} if not_shown else {})


def write(path, name, **content):
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).write_text(json.dumps(content), encoding='utf-8')
    return str(path)


def test_the_vocabulary_as_far_as_it_was_shown():
    charset = Charset.load()
    assert set(seen_characters(charset, info_of('天，a'))) == set('天，a')
    assert set(seen_characters(charset, info_of('天，a', not_shown='a'))) == set('天，')


def test_a_start_adds_what_it_was_shown(tmp_path):
    charset = Charset.load()
    model, run, kept = (tmp_path / name for name in ('model', 'run', 'kept'))
    write(model, 'generator.json', seen='地a')
    write(run, 'config.json', seen='玄')
    write(kept, 'model/generator.json', seen='黄')
    for path, more in ((model, '地'), (run, '玄'), (kept, '黄')):
        assert set(seen_characters(charset, info_of('天a'), start=str(path))) == set('天a' + more)


def test_a_start_that_does_not_say_leaves_it_unknown(tmp_path):
    charset = Charset.load()
    old = write(tmp_path / 'old', 'generator.json', info={})
    assert seen_characters(charset, info_of('天'), start=old) is None
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / 'generator.json').write_text('{', encoding='utf-8')
    assert seen_characters(charset, info_of('天'), start=str(tmp_path / 'broken')) is None


def test_a_run_remembers_a_start_that_has_gone(tmp_path):
    charset, mine = Charset.load(), write(tmp_path / 'mine', 'config.json', seen='天地')
    assert seen_characters(
        charset, info_of('天'), start=str(tmp_path / 'gone'), run_dir=mine
    ) == seen_characters(charset, info_of('天地'))
    assert (
        seen_characters(charset, info_of('天'), start=str(tmp_path / 'gone'), run_dir=str(tmp_path / 'new'))
        is None
    )


def test_characters_come_by_id_each_once(tmp_path):
    """Whatever order they were told in; neither padding nor rows that the table has not."""
    charset = Charset.load()
    ids = sorted(charset.character_id(c) for c in '永a，天')
    told = write(tmp_path / 'told', 'generator.json', seen='天永永')
    info = {
        'vocabulary': [
            charset.character_id('，'),
            0,
            charset.character_id('a'),
            charset.num_characters,
            charset.num_characters + 5,
        ]
    }
    assert seen_characters(charset, info, start=told) == ''.join(charset.characters[row] for row in ids)
    last = {'vocabulary': [charset.num_characters - 1]}
    assert seen_characters(charset, last) == charset.characters[charset.num_characters - 1]


def test_a_start_speaks_for_itself_while_it_is_there(tmp_path):
    """A run's own memory counts only where the start has gone; of one folder the generator's word comes
    first, and what is no text is passed over.
    """
    charset, mine = Charset.load(), write(tmp_path / 'mine', 'config.json', seen='天地')
    silent = write(tmp_path / 'silent', 'generator.json', seen=None)
    assert seen_characters(charset, info_of('天'), start=silent, run_dir=mine) is None
    for name, seen in (('generator.json', ['x']), ('config.json', '玄'), ('model/generator.json', '黄')):
        write(tmp_path / 'many', name, seen=seen)
    assert set(seen_characters(charset, info_of('天'), start=str(tmp_path / 'many'))) == set('天玄')
    write(tmp_path / 'many', 'generator.json', seen='')
    assert set(seen_characters(charset, info_of('天'), start=str(tmp_path / 'many'))) == set('天'), (
        'it was shown nothing, which is an answer'
    )
