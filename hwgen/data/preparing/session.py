"""Session: `prepare` writes a data set, or tells what a collection holds; `bin/prepare` is a thin layer over
it.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hwgen import console
from hwgen.data.formats import registry
from hwgen.settings.flags import as_flags
from hwgen.settings.prepare import CorpusSettings, OutputSettings, PrepareSettings
from hwgen.settings.setting import SettingError, choices_of, default_of, described, flag_of

Report = Callable[[str], Any]
# Arguments of the functions below that have another name as settings.
_SETTING_OF = {
    'vocabulary_size': 'vocabulary',
    'num_writers': 'writers',
    'version': 'corpus',
    'output_format': 'format',
    **dict.fromkeys(('validation_lines', 'test_lines', 'unseen_lines'), 'heldout_lines'),
}
# What simulated writers alone do.
_SIMULATED = (
    'shots',
    'text_file',
    'writers',
    'format',
    'trajectory',
    'corpus',
    'pen_share',
    'slips',
    'vertical',
)


def prepare(settings: PrepareSettings, *, given: Collection[str] = (), report: Report = console.say) -> None:
    """Writes a data set; or, with `inspect`, tells what a file or collection holds.

    Args:
        settings: what is read, and what is written where.
        given: names of the settings that somebody asked for, at their defaults or not: what does not go
            together is refused.
        report: function of a str, told what is going on.

    Raises:
        SettingError: settings that do not go together, or of which one is missing.
        ValueError: a text, table or picture that cannot be used, with its place.
        OSError: a file that cannot be read or written.
    """
    output, foreign = settings.output, settings.foreign
    _check_source(output.source)
    if output.inspect:
        return _inspect(output.inspect, settings, given, report)
    if not output.out:
        raise SettingError('--out: no folder given; expected for example --out=tfrecords/demo')
    if foreign.unlabelled:
        _check_unlabelled(settings, given)
    if output.source == 'scribe':
        _check_scribe(settings, given)
        with _in_words_of_settings(settings):
            return _write_scribe(output.out, settings, report)
    _check_foreign(settings)
    if not foreign.input:
        example = (
            'line images, for example --input=scans'
            if output.source == 'folder'
            else 'the collection, for example --input=HWDB2'
        )
        raise SettingError(f'--input: no folder given; --source={output.source} expects one with {example}')
    if output.source == 'folder':
        from hwgen.data.preparing import prepare_folder

        prepare_folder.prepare_folder(output, foreign, report=report)
    else:
        from hwgen.data.preparing import prepare_collection

        prepare_collection.prepare_collection(output, foreign, report=report)


def _write_scribe(out: str, settings: PrepareSettings, report: Report) -> None:
    from hwgen.data.preparing import prepare as scribe

    output, corpus = settings.output, settings.corpus
    lengths: dict[str, Any] = {
        'min_characters': output.min_characters,
        'max_characters': output.max_characters,
    }
    scribe.prepare_scribe(
        out,
        lines=corpus.lines,
        vocabulary_size=corpus.vocabulary,
        script=corpus.script,
        validation_lines=corpus.heldout_lines,
        test_lines=corpus.heldout_lines,
        unseen_lines=None if corpus.text_file else corpus.heldout_lines,
        shots=corpus.shots,
        num_writers=corpus.writers,
        text_file=corpus.text_file,
        on_error=output.on_error,
        output_format=corpus.format,
        trajectory=corpus.trajectory,
        version=corpus.corpus,
        pen_share=corpus.pen_share,
        vertical=corpus.vertical,
        slips=corpus.slips,
        workers=output.workers,
        seed=output.seed,
        height_px=output.height_px,
        report=report,
        **{name: value for name, value in lengths.items() if value is not None},
    )


def _check_source(source: str) -> None:
    """Refuses what neither this package nor another one reads."""
    known = dict.fromkeys([*choices_of(OutputSettings, 'source'), *registry.sources()])
    if source not in known:
        raise SettingError(f'--source={source}: expected one of {", ".join(known)}')


def _check_scribe(settings: PrepareSettings, given: Collection[str]) -> None:
    """Refuses what simulated writers do not do, or not together."""
    corpus, foreign = settings.corpus, settings.foreign
    if foreign.input:
        others = ', '.join(['folder', *registry.sources()])
        raise SettingError(f'--input goes with --source={others} or auto, not with --source=scribe')
    if foreign.deslant or foreign.normalize_size or foreign.keep_paper or 'dark' in given:
        raise SettingError(
            '--deslant, --normalize_size, --keep_paper and --dark are for writing of others, not for'
            ' --source=scribe'
        )
    if corpus.text_file is not None:
        for name in ('vocabulary', 'shots'):
            if name in given:
                raise SettingError(f'--{name} is for composed texts, it does not go with --text_file')
    if corpus.vertical and corpus.format == 'records':
        raise SettingError('--vertical goes with --format=folder: models learn from horizontal lines')
    if corpus.shots and corpus.script == 'latin':
        raise SettingError('--shots with --script=latin: expected chinese, Latin has no held-out characters')


def _check_foreign(settings: PrepareSettings) -> None:
    """Refuses what only simulated writers do."""
    for name in described(CorpusSettings):
        flag = flag_of(CorpusSettings, name)
        if flag in _SIMULATED and getattr(settings.corpus, name) != default_of(CorpusSettings, name):
            raise SettingError(
                f'--{flag} goes with --source=scribe, not with --source={settings.output.source}'
            )


def _check_unlabelled(settings: PrepareSettings, given: Collection[str]) -> None:
    """Refuses what would be passed over without a text."""
    if settings.output.source != 'folder':
        raise SettingError(
            f'--unlabelled goes with --source=folder, not with --source={settings.output.source}; `train'
            ' --unlabelled` takes prepared lines that have a text as well'
        )
    for name in ('labels', 'name_pattern', 'min_characters', 'max_characters'):
        if name in given:
            raise SettingError(f'--{name} goes with a table of texts, not with --unlabelled')


@contextlib.contextmanager
def _in_words_of_settings(settings: PrepareSettings) -> Iterator[None]:
    """Within it, an error about an argument of a function names the setting that was given."""
    names = set(as_flags(settings))
    try:
        yield
    except ValueError as error:
        told = str(error)
        for name in {*re.findall(r'(?<![\w/-])[a-z_]+(?==)', told)}:
            flag = _SETTING_OF.get(name, name)
            told = re.sub(rf'(?<![\w/-]){name}(?==)', f'--{flag}', told) if flag in names else told
        if told == str(error):
            raise
        raise SettingError(told) from error


def _inspect(path: str, settings: PrepareSettings, given: Collection[str], report: Report) -> None:
    """Tells what a file or collection holds, and draws a sheet of it."""
    output, foreign = settings.output, settings.foreign
    if output.out and not output.out.lower().endswith('.png'):
        raise SettingError(
            f'--out={output.out}: with --inspect expected a picture to write, for example --out=sheet.png'
        )
    from hwgen.data.preparing import inspection

    inspection.inspect(
        path,
        source='auto' if output.source == 'scribe' else output.source,
        unit=foreign.unit,
        labels=foreign.labels if 'labels' in given else None,
        name_pattern=foreign.name_pattern,
        pen_px=foreign.pen_px,
        sheet=output.out,
        report=report,
    )
