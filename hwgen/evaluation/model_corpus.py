"""The lines that a model is measured on: which corpus fits it, and a word where the data does not."""

from collections.abc import Mapping
from typing import Any

_FEW = 0.01  # share of a vocabulary: so many characters of it may be missing in any corpus' lines


def fitting_corpus(description: Mapping[str, Any]) -> str:
    """The embedded corpus that a model is measured on where no data is given: of those of the version that it
    learned from, the one whose characters are nearest to those that its training pictures showed.

    What a model has not seen is told by such a corpus alone.

    Args:
        description: generator.json of the model; {} where it is not known.

    Returns:
        A name of `prepare.EMBEDDED`; 'tfrecords/demo' where nothing is known.
    """
    from hwgen.data.preparing.prepare import EMBEDDED
    from hwgen.data.scribe.plan import SCRIBE_VERSION

    version = ((description.get('info') or {}).get('data') or {}).get('version')
    fitting = [
        folder
        for folder, settings in EMBEDDED.items()
        if settings.get('version', SCRIBE_VERSION) == version and 'script' not in settings
    ]
    seen = description.get('seen')
    if len(fitting) < 2 or not seen:
        return fitting[0] if fitting else 'tfrecords/demo'
    return min(fitting, key=lambda folder: len({*seen} ^ _vocabulary(EMBEDDED[folder])))


def _vocabulary(settings: Mapping[str, Any]) -> set[str]:
    """The characters that training lines of an embedded corpus show."""
    from hwgen.data.preparing.corpus_work import work_of
    from hwgen.data.scribe.plan import corpus_charset

    plan = work_of(**settings).plan
    characters = corpus_charset(plan.version).characters
    return {characters[i] for i in plan.vocabulary}


def what_does_not_fit(info: Mapping[str, Any], description: Mapping[str, Any]) -> str | None:
    """One line on what keeps data from telling what a model has seen and what not; None: nothing does.

    Args:
        info: info.json of the data.
        description: generator.json of the model.
    """
    learned = (description.get('info') or {}).get('data') or {}
    told = []
    embedded = learned.get('source') == info.get('source') == 'scribe'
    if embedded and learned.get('version') != info.get('version'):
        told.append(
            f'the model learned from version {learned.get("version")} of the embedded corpus, the data is'
            f' version {info.get("version")}: its split unseen holds characters that the model may have seen,'
            ' and its writers are others'
        )
    if 'seen' in description and 'charset' in info:
        shown, vocabulary = _seen_of(info, 'held_out', description), _seen_of(info, 'vocabulary', description)
        missing = len(info.get('vocabulary', ())) - vocabulary
        if shown:
            told.append(
                f'the model has seen {shown} of the {len(info["held_out"])} characters that training lines of'
                ' the data do not show'
            )
        if missing > _FEW * len(info.get('vocabulary', ())):
            told.append(
                f'the model has not seen {missing:,} of the {len(info["vocabulary"]):,} characters of the'
                ' training lines of the data'
            )
    return f'note: {"; ".join(told)}' if told else None


def _seen_of(info: Mapping[str, Any], name: str, description: Mapping[str, Any]) -> int:
    """How many of the characters that info.json lists under a name a model has seen."""
    from hwgen.charset.encoding import Charset

    characters, seen = Charset.load().characters, {*description['seen']}
    return sum(characters[i] in seen for i in info.get(name, ()))
