"""What there is to write of an embedded corpus, from its settings."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from hwgen.charset.printable import as_json
from hwgen.data.scribe import corpus
from hwgen.data.scribe.given_texts import GivenTexts, read_texts
from hwgen.data.scribe.plan import Plan
from hwgen.settings.prepare import CorpusSettings, OutputSettings
from hwgen.settings.setting import choices_of

_OUTPUT, _CORPUS = OutputSettings(), CorpusSettings()  # whose defaults are ours
_WRITERS = 400  # that a corpus had before their number was a setting


class Work(NamedTuple):
    """What `prepare_scribe` has to write.

    Attributes:
        plan: Plan; planned: dict, the arguments it is made of.
        identity: dict for JSON, by which a folder is known: source, version, seed, settings.
        given: given_texts.GivenTexts or None, the lines of a text file.
        as_pictures, trajectory: bool.
    """

    plan: Plan
    planned: dict[str, Any]
    identity: dict[str, Any]
    given: GivenTexts | None
    as_pictures: bool
    trajectory: bool


def work_of(
    *,
    lines: int | None = None,
    vocabulary_size: int = _CORPUS.vocabulary,
    seed: int = 0,
    min_characters: int | None = None,
    max_characters: int | None = None,
    height_px: int = _OUTPUT.height_px,
    script: str = _CORPUS.script,
    validation_lines: int | None = None,
    test_lines: int | None = None,
    unseen_lines: int | None = None,
    shots: Sequence[int] = (),
    num_writers: int = _WRITERS,
    text_file: str | os.PathLike[str] | None = None,
    on_error: str = _OUTPUT.on_error,
    output_format: str = _CORPUS.format,
    trajectory: bool = False,
    version: str = corpus.SCRIBE_VERSION,
    pen_share: float | None = None,
    vertical: bool = False,
    slips: float = 0.0,
) -> Work:
    """The Work of the settings of a corpus.

    With `text_file` its lines are what is written (`given_texts.read_texts`, `corpus.plan_corpus`).

    Args:
        lines: int, of train; None: 48,000, or as many as the text file has.
        validation_lines, test_lines, unseen_lines: int, lines of these splits; None: 500, or none with a text
            file, whose lines have no unseen. Latin has no unseen either.
        vocabulary_size: int, hanzi that have images; punctuation, digits and letters come on top. Latin:
            ignored.
        seed: int >= 0.
        min_characters, max_characters: int, length of a line; None: 2 and 8, or no limit to the lines of a
            text file.
        height_px: int, height of the stored images.
        script: 'chinese' | 'latin'.
        shots: sequence of int, how often training lines show the characters of each group of held-out ones
            (`corpus.plan_corpus`); empty: never.
        num_writers: int, of train; other splits have a tenth as many, at least 4, of their own.
        text_file: path of a UTF-8 file, `-` is standard input; or None.
        on_error: 'fail' stops at a line of the text file that cannot be written; 'skip' reports and counts
            those.
        output_format: 'records' | 'folder': pictures and tables, see `picture_folder`; a folder for each
            split where there are several.
        trajectory: bool, whether the path of the pen is stored as well.
        version, pen_share, vertical, slips: `corpus.plan_corpus`; pictures of vertical lines are for folders,
            and height_px is their width. Where trajectories are asked for all writers have a pen.

    Raises:
        ValueError: impossible settings, or a line of the text file that cannot be written.
    """
    formats = choices_of(CorpusSettings, 'format')
    if output_format not in formats:
        raise ValueError(f'output_format={output_format!r}: expected {" or ".join(formats)}')
    if vertical and output_format == 'records':
        raise ValueError('vertical lines: models learn from horizontal ones; expected output_format=folder')
    if trajectory and pen_share is None and version != corpus.FONTS_VERSION:
        pen_share = 1.0
    if trajectory and pen_share != 1:
        raise ValueError(
            f'trajectory with version={version}, pen_share={pen_share}: a font has no path of a pen; expected'
            ' pen_share=1'
        )
    planned: dict[str, Any] = {
        'seed': seed,
        'height_px': height_px,
        'script': script,
        'shots': list(shots),
        'num_writers': num_writers,
        'version': version,
        'pen_share': pen_share,
        'vertical': vertical,
        'slips': slips,
    }
    if text_file is None:
        given = None
        planned |= {
            'lines': 48000 if lines is None else lines,
            'vocabulary_size': vocabulary_size,
            'min_characters': 2 if min_characters is None else min_characters,
            'max_characters': 8 if max_characters is None else max_characters,
        }
    else:
        given = read_texts(
            text_file,
            script=script,
            version=version,
            height_px=height_px,
            min_characters=min_characters or 1,
            max_characters=max_characters,
            on_error=on_error,
        )
        planned |= {'lines': len(given.texts) if lines is None else lines, 'texts': given.texts}
    planned |= {
        f'{split}_lines': (0 if given else 500) if n is None else n
        for split, n in (('validation', validation_lines), ('test', test_lines), ('unseen', unseen_lines))
    }
    plan = corpus.plan_corpus(**planned)
    planned['pen_share'] = plan.pen_share
    # Settings that are younger than folders that are there today are kept only where they are not as they
    # were then.
    unsaid = {'shots': [], 'num_writers': _WRITERS, 'version': version, 'vertical': False, 'slips': 0}
    if not plan.pen_share:
        unsaid['pen_share'] = 0
    settings = {
        name: value for name, value in planned.items() if name != 'texts' and value != unsaid.get(name)
    }
    if given:
        settings |= {
            'text_file': given.name,
            'text_file_bytes': given.num_bytes,
            'text_file_sha256': given.sha256,
            'on_error': on_error,
            'min_characters': min_characters,
            'max_characters': max_characters,
        }
    if output_format != 'records':
        settings['format'] = output_format
    if trajectory:
        settings['trajectory'] = True
    identity = as_json({'source': 'scribe', 'version': version, 'seed': seed, 'settings': settings})
    return Work(plan, planned, identity, given, output_format == 'folder', trajectory)
