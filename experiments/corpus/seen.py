"""Which characters the training lines of an embedded corpus show, counted without drawing a line; written
into the model that learned from it.

    python experiments/corpus/seen.py                              how often each symbol is shown, of the
    present corpus
    python experiments/corpus/seen.py --model=saved_models/demo    the same for the corpus of a model; its
    generator.json gets `seen`, all else stays

A line's text is drawn before its picture and by itself (`corpus.Plan`), so this takes half a minute where the
pictures take ten.
"""

import argparse
import collections
import json
import pathlib

import numpy as np

from hwgen.charset.encoding import normalize
from hwgen.data.preparing import prepare
from hwgen.data.scribe import corpus


def count_shown(plan, *, split='train'):
    """How often the texts of a split show each character.

    Args:
        plan: corpus.Plan.
        split: str.

    Returns:
        collections.Counter of str, in the table's form.
    """
    counts = collections.Counter()
    for i in range(plan.splits[split]):
        counts.update(normalize(plan.text(split, i)))
    return counts


def main():
    """Counts, tells, and writes where a model is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--model', help='folder of a generator that learned from an embedded corpus of default size'
    )
    model = parser.parse_args().model
    path = pathlib.Path(model, 'generator.json') if model else None
    description = json.loads(path.read_text(encoding='utf-8')) if model else {}
    version = description['info']['data']['version'] if model else corpus.SCRIBE_VERSION
    settings = next(
        settings
        for settings in prepare.EMBEDDED.values()
        if settings.get('version', corpus.SCRIBE_VERSION) == version
    )
    plan, charset = corpus.plan_corpus(**settings), corpus.corpus_charset(version)
    counts = count_shown(plan)
    vocabulary = [charset.characters[i] for i in plan.vocabulary]
    hanzi = [c for c in vocabulary if '\u4e00' <= c <= '\u9fff']
    for name, members in (('symbols', [c for c in vocabulary if c not in set(hanzi)]), ('hanzi', hanzi)):
        least = sorted(members, key=lambda c: counts[c])
        told = ' '.join(f'{c!r} {counts[c]}' for c in least[:8])
        print(
            f'corpus {version}, {plan.splits["train"]} lines: {len(members)} {name}, median'
            f' {int(np.median([counts[c] for c in members]))} times, least {told}'
        )
    if path:
        seen = ''.join(c for c in vocabulary if counts[c])
        described = {}
        for name, value in description.items():
            described[name] = value
            if name == 'charset':
                described['seen'] = seen
        path.write_text(
            json.dumps({**described, 'seen': seen}, indent=1, ensure_ascii=False) + '\n', encoding='utf-8'
        )
        print(f'{path}: seen, {len(seen)} characters')


if __name__ == '__main__':
    main()
