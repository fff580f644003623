"""Session: `evaluate` measures a model by a protocol; `bin/evaluate` is a thin layer over it.

>>> from hwgen.evaluation import session
>>> result = session.evaluate('runs/demo', 'reader', num_lines=100, seeds=1, out='evaluations/mine')
>>> result['figures'][0]['generated']['mean']
"""

import contextlib
import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import hwgen
from hwgen.charset.printable import printable
from hwgen.evaluation.judges import panel
from hwgen.evaluation.protocols import registry
from hwgen.evaluation.protocols.protocol import Protocol, ProtocolError, Request
from hwgen.evaluation.protocols.task import Task, say
from hwgen.inference.description import DEFAULT_TRUNCATION, read_description
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model

DEFAULT_SEEDS = 3
_ALL_SPLITS = ('train', 'validation', 'test', 'unseen')
_IDENTITY = ('source', 'version', 'seed')  # of info.json, by which data is known


def evaluate(
    model: Any = DEFAULT_MODEL,
    protocol: str = 'reader',
    *,
    data: str | None = None,
    out: str | None = None,
    split: str = 'test',
    seed: int = 0,
    seeds: int = DEFAULT_SEEDS,
    num_lines: int | None = None,
    truncation: float = DEFAULT_TRUNCATION,
    feature_space: str = 'recognizer',
    feature_weights: str | None = None,
    against: str | None = None,
    compare: Sequence[str] = (),
    command: str | None = None,
    report: Callable[[str], None] = say,
    **options: Any,
) -> dict[str, Any]:
    """Measures a model by a protocol and writes the report.

    Args:
        model: folder of a model, a run directory, or a Writer (opened with `allow_unseen`, or it refuses
            texts); None: real lines only.
        protocol: name of a protocol; see `registry.find_protocols`.
        data: folder of records; None: `default_data`. An embedded corpus is written where it is absent.
        out: folder of the report; None: `evaluations/PROTOCOL`.
        split: of the protocols that take any.
        seed: first seed; seeds: how many, from `seed` on.
        num_lines: lines (pairs, places) of each kind at most; None: what the protocol says.
        truncation: standard deviation of the styles that are drawn.
        feature_space: whose features distances are measured in; feature_weights: path of the network, None:
            the one that ships.
        against: path of another result, to compare with.
        compare: further systems, for protocols that take several: folders, or `handright`; NAME=FOLDER names
            one.
        command: for the report: how it was called.
        report: function of a str, told about progress and what was found.
        **options: the protocol's own settings (`Protocol.options`).

    Returns:
        dict, the result as `out`/PROTOCOL.json has it.

    Raises:
        ProtocolError: no such protocol or option; a protocol that needs a model, or the splits, that are not
            there.
        ResultError: `against` was measured under other conditions.
        ArtefactError: no model there.
    """
    chosen = registry.find_protocol(protocol)
    settings = _own_options(chosen, options)
    model = os.fspath(model) if isinstance(model, os.PathLike) else model
    request = Request(model, tuple(compare), num_lines or chosen.num_lines, truncation, settings)
    there = _read_against(chosen, against)
    if compare:
        _check_takes_systems(chosen)
    if model is None and not chosen.real_alone:
        raise ProtocolError(f'--protocol={protocol} with an empty --model: expected the folder of a model')
    if chosen.opens_model and isinstance(model, str):
        read_description(find_model(model))
    judges = panel.open_judges(
        chosen.judges, space=feature_space, weights=feature_weights, square=chosen.square
    )
    opened = chosen.open(request)
    asked = {'split': split, 'first_seed': seed, 'seeds': seeds}
    if there is not None:
        from hwgen.evaluation.reporting import result_file

        result_file.check_comparable(
            _measured_under(chosen, request, judges, **asked), there['measured_under'], place=against
        )
    data = data or default_data(chosen, model)
    corpus = chosen.corpus_settings(opened) if data == chosen.corpus else None
    info = _read_info(data, splits_read(chosen, split), settings=corpus, report=report)
    _check_splits(chosen, split, data, info)
    if chosen.opens_model:
        opened_model = _open_model(model)
        _tell_what_does_not_fit(info, opened_model, report=report)
    else:
        opened_model = chosen.first_model(request, opened)

    from hwgen.evaluation import protocol_run

    task = Task(
        protocol=protocol,
        data=data,
        split=split,
        info=info,
        judges=judges,
        model=opened_model,
        out=out or f'evaluations/{protocol}',
        seeds=list(range(seed, seed + seeds)),
        num_lines=request.num_lines,
        truncation=truncation,
        measured_under=_measured_under(chosen, request, judges, info=info, **asked),
        facts=_facts(
            chosen, request, data=data, info=info, opened_model=opened_model, seed=seed, command=command
        ),
        there=there,
        against=against,
        options=settings,
        opened=opened,
        report=report,
    )
    return protocol_run.run(chosen, task)


def write_texts(
    path: str,
    protocol: str = 'comparison',
    *,
    data: str | None = None,
    split: str = 'test',
    seed: int = 0,
    seeds: int = DEFAULT_SEEDS,
    num_lines: int | None = None,
    report: Callable[[str], None] = say,
) -> None:
    """Writes the texts that every system of a comparison has to write.

    Args:
        path: of the file; .tsv: with names of pictures.
        protocol: name of a protocol that takes several systems.
        data, split, seed, seeds, num_lines, report: as of `evaluate`.

    Raises:
        ProtocolError: a protocol that takes no systems; data without the split.
    """
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.measuring import comparison
    from hwgen.evaluation.systems import compared_systems

    chosen = registry.find_protocol(protocol)
    _check_takes_systems(chosen)
    data = data or default_data(chosen, DEFAULT_MODEL)
    info = _read_info(data, splits_read(chosen, split, further=False), report=report)
    _check_splits(chosen, split, data, info)
    drawn = range(seed, seed + seeds)
    found = comparison.protocol_texts(RecordIndex(data, split=split), seeds=drawn, num_lines=num_lines)
    texts = [text for of_seed in found for text in of_seed]
    compared_systems.write_texts(path, texts)
    report(f'{printable(path)}: {len(texts)} lines to write, those of {len(drawn)} seeds')


def train_features(folder: str, *, data: str, report: Callable[[str], None] = say) -> None:
    """Trains the feature network on the train lines of a folder, with the seed of the one that ships, and
    writes it.

    Args:
        folder: path that is written.
        data: folder of records; an embedded corpus is written where it is absent.
        report: function of a str.
    """
    import tensorflow as tf

    from hwgen.evaluation.judges import feature_recognizer

    _read_info(data, _ALL_SPLITS, report=report)
    tf.config.experimental.enable_op_determinism()
    network, description = feature_recognizer.train(data, report=lambda line: report(printable(line)))
    for split in feature_recognizer.measured_splits(data):
        error, num_lines, num_labels = feature_recognizer.label_error(network, data, split=split)
        row = {'error': round(error, 4), 'num_lines': num_lines, 'num_labels': num_labels}
        description.setdefault('label_error', {})[split] = row
        report(
            f'{split}: {error:.3f} of {num_labels} structures and components of {num_lines} lines are read '
            'wrong'
        )
    feature_recognizer.save(folder, network, description)
    report(f'\nfeature network  {folder}')


def default_data(protocol: Protocol, model: Any) -> str:
    """The folder of records where none is given: the protocol's own, else the embedded corpus that fits the
    model (`model_corpus.fitting_corpus`).

    Args:
        protocol: Protocol.
        model: folder of a model or a run, a Writer, or None.

    Returns:
        A name of `prepare.EMBEDDED`, or the protocol's own.
    """
    if protocol.corpus is not None:
        return protocol.corpus
    from hwgen.evaluation.model_corpus import fitting_corpus

    description: dict[str, Any] = {}
    # Whoever opens the model says what is wrong with it.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if model is None or isinstance(model, (str, os.PathLike)):
            folder = pathlib.Path(find_model(os.fspath(model or DEFAULT_MODEL)))
            description = json.loads((folder / 'generator.json').read_text(encoding='utf-8'))
        else:
            description = model.description
        return fitting_corpus(description)
    return fitting_corpus({})


def splits_read(protocol: Protocol, split: str, *, further: bool = True) -> list[str]:
    """The splits that a protocol reads.

    Args:
        protocol: Protocol.
        split: the one that is asked for, of the protocols that take any.
        further: also those that it reads besides.
    """
    own = [split] if protocol.splits is None else protocol.splits
    return list(dict.fromkeys([*own, *(protocol.further_splits if further else ())]))


def _check_takes_systems(protocol):
    if not protocol.takes_systems:
        those = [f'--protocol={name}' for name, one in registry.find_protocols().items() if one.takes_systems]
        raise ProtocolError(
            f'--compare or --texts_out with --protocol={protocol.name}: expected {" or ".join(those)}'
        )


def _own_options(protocol, given):
    """The protocol's settings: those that are given, else their defaults."""
    settings = {option.name: option.default for option in protocol.options}
    unknown = [name for name in given if name not in settings]
    if unknown:
        raise ProtocolError(
            f'{", ".join(unknown)}: no option of protocol {protocol.name}; it has '
            f'{", ".join(settings) or "none"}'
        )
    return settings | given


def _read_against(protocol, against):
    if not against:
        return None
    if not protocol.takes_against:
        raise ProtocolError(f'--against with --protocol={protocol.name}: expected another protocol')
    from hwgen.evaluation.reporting import result_file

    return result_file.read_result(against)


def _read_info(data, splits, *, report, settings=None):
    """info.json of the data; what is read of an embedded corpus is written where it is not there."""
    from hwgen.data.preparing import prepare
    from hwgen.data.reading.shards import read_info

    prepare.ensure_embedded(
        data, list(splits), settings=settings, report=lambda line: report(printable(line))
    )
    return read_info(data)


def _check_splits(protocol, split, data, info):
    needed = protocol.required or ([split] if protocol.splits is None else protocol.splits[:1])
    for name in needed:
        if name not in info['splits']:
            raise ProtocolError(
                f'{data}: no split {name}; expected a folder with lines by writers that are not in the '
                'training lines, '
                f'it has {", ".join(info["splits"])}'
            )


def _open_model(model):
    """The model that is measured; None: real lines alone."""
    if not isinstance(model, str):
        return model
    from hwgen.inference.writer import Writer

    # What a model cannot write shall count: nothing is refused.
    return Writer.load(find_model(model), allow_unseen=True)


def _tell_what_does_not_fit(info, opened_model, *, report):
    """A word where data does not tell what a model has seen and what not."""
    from hwgen.evaluation.model_corpus import what_does_not_fit

    told = None if opened_model is None else what_does_not_fit(info, opened_model.description)
    if told:
        report(told)


def _measured_under(protocol, request, judges, *, split, first_seed, seeds, info=None):
    """What must be equal for two results to be comparable."""
    under = {
        'protocol': protocol.name,
        'num_lines': request.num_lines,
        'first_seed': first_seed,
        'seeds': seeds,
    }
    if 'space' in judges:
        space = judges['space']
        under |= {'split': split, 'feature_space': space.name}
        under |= {'feature_sha256': space.digest, 'feature_weights_sha256': space.weights_digest}
    if 'reader' in judges:
        under['reader'] = judges['reader'].name
    if 'component_reader' in judges:
        under['component_reader_sha256'] = judges['component_reader'].digest
    under |= protocol.conditions(request)
    if info is not None:
        under['data'] = {name: info[name] for name in _IDENTITY if name in info}
    return under


def _facts(protocol, request, *, data, info, opened_model, seed, command):
    """What the figures depend on, for the report."""
    model = request.model
    if model is None or (opened_model is None and model == DEFAULT_MODEL):
        told = 'none'
    else:
        told = model if isinstance(model, str) else 'a Writer'
    facts = {
        'protocol': protocol.name,
        'model': told,
        'data': {'folder': data, **{name: info[name] for name in _IDENTITY if name in info}},
        'seed': seed,
        'truncation': request.truncation,
        'hwgen': hwgen.__version__,
    }
    if command is not None:
        facts['command'] = command
    if opened_model is not None:
        described = opened_model.description.items()
        facts['trained'] = {name: value for name, value in described if name in ('step', 'info', 'charset')}
    return facts
