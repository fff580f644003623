"""What `generate --verify` buys: character error rates before and after (docs/results/truth.md):

    python -m experiments.truth.verified --model=saved_models/demo --share=.02 --tries=8

The texts are drawn from the words and clauses of 4 to 20 characters that the package ships, or rows of
--texts. Each text is written in a hand of its own, seeds 0, 1, ...; read by PP-OCR, which decides, and by the
component reader (`saved_models/features`), which does not.
"""

import argparse
import collections
import re
import time

import numpy as np


def main(arguments=None):
    """Measures a model and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--model', default='saved_models/demo')
    parser.add_argument('--texts', help='UTF-8 file, a line a row')
    parser.add_argument('--lines', type=int, default=100)
    parser.add_argument('--share', type=float, default=0.02)
    parser.add_argument('--tries', type=int, default=8)
    parser.add_argument('--truncation', type=float, default=0.8)
    asked = parser.parse_args(arguments)
    from hwgen.charset.encoding import CharsetError
    from hwgen.evaluation.judges.panel import open_judges
    from hwgen.generation.verification import Verifier
    from hwgen.inference.writer import Writer

    writer = Writer.load(asked.model, tell=None)
    rows = _rows(asked.texts)
    texts = []
    for row in rows:
        try:
            writer.encode(row)
        except CharsetError:
            continue
        texts.append(row)
    texts = texts[: asked.lines]
    judges, seeds = open_judges(['reader', 'component_reader']), list(range(len(texts)))
    began = time.monotonic()
    writer.write_lines(texts, style_seeds=seeds, truncation=asked.truncation)
    took = time.monotonic() - began
    # with a single try every line is read and kept as it is first written
    found, seconds = {}, {}
    for name, tries in (('before', 1), ('after', asked.tries)):
        verifier = Verifier(judges['reader'], asked.share, tries=tries)
        began = time.monotonic()
        found[name] = verifier.write_lines(writer, texts, style_seeds=seeds, truncation=asked.truncation)
        seconds[name] = (time.monotonic() - began) / len(texts)
    print(f'{asked.model}: {len(texts)} lines, share {asked.share:g}, {asked.tries} tries at most')
    for name, lines in found.items():
        print(f'{name}: CER {_rate(texts, lines)}; {_others(judges["component_reader"], texts, lines)}')
    after = [line.verified for line in found['after']]
    print('verdicts:', dict(collections.Counter(one.verdict for one in after)))
    print('tries:', dict(sorted(collections.Counter(one.tries for one in after).items())))
    print(f'tries a line: {np.mean([one.tries for one in after]):.2f}')
    print(
        f'seconds a line: {took / len(texts):.3f} written, {seconds["before"]:.3f} with one reading,'
        f' {seconds["after"]:.3f} verified'
    )
    anew = [n for n, one in enumerate(after) if one.verdict == 'verified' and one.tries > 1]
    if anew:
        for name, lines in found.items():
            own = [texts[n] for n in anew], [lines[n] for n in anew]
            print(f'{len(anew)} lines verified anew, {name}: {_others(judges["component_reader"], *own)}')
    for text, one in zip(texts, after, strict=True):
        if one.verdict != 'verified':
            print(f'{one.verdict}: {text} read {one.reading}, sure {one.confidence:.2f}')


def _rows(path):
    """The rows of a file; without one, what is drawn of the package's own texts."""
    if path:
        with open(path, encoding='utf-8') as file:
            return [row.strip() for row in file if row.strip()]
    from hwgen.data.scribe import sentences

    parts = (part for text in sentences.running_text('chinese') for part in re.split('(?<=[，。；])', text))
    rows = list(dict.fromkeys(part for part in parts if 4 <= len(part) <= 20))
    return [rows[n] for n in np.random.default_rng(0).permutation(len(rows))]


def _rate(texts, lines):
    """Character error rate of PP-OCR, with its interval."""
    from hwgen.charset.reading_form import alike
    from hwgen.metrics import text as metrics

    counts = metrics.edit_counts([alike(t) for t in texts], [alike(line.verified.reading) for line in lines])
    low, high = metrics.bootstrap_interval(counts, metrics.character_error_rate, seed=0)
    right = int((counts.errors == 0).sum())
    return (
        f'{metrics.character_error_rate(counts):.4f} ({low:.4f} to {high:.4f}), N ='
        f' {counts.reference_lengths.sum()} characters, {right} lines without error'
    )


def _others(reader, texts, lines):
    """Errors of the component reader over what its table has."""
    from hwgen.charset.encoding import CharsetError

    known = []
    for number, text in enumerate(texts):
        try:
            reader.labels(text)
        except CharsetError:
            continue
        known.append(number)
    if not known:
        return 'component reader: no text in its table'
    errors, counts = reader.label_errors([lines[n].image for n in known], [texts[n] for n in known])
    return f'component reader {errors.sum() / counts.sum():.4f} of {counts.sum()} labels, {len(known)} lines'


if __name__ == '__main__':
    main()
