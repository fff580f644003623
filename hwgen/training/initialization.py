"""Starting a run from weights that are there: a written model or another run, whatever data they learned
from.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from hwgen.charset.encoding import Charset
from hwgen.inference import artefact
from hwgen.models.hct_gan import HctGan
from hwgen.models.patch_judge import PatchJudge
from hwgen.tensorflow_files import plain_path, reason_of
from hwgen.training import checkpoints

_VALUE, _SLOT = '/.ATTRIBUTES/VARIABLE_VALUE', '.OPTIMIZER_SLOT'  # in names of a checkpoint's arrays
# Sizes of the charset's tables: these may have grown since, by rows at their end.
_TABLE_SIZES = ('num_components', 'num_structures', 'num_characters')
# What a saved generator may lack, setting, there, here: layers that come last and learn from the rest.
_MAY_BEGIN = (('layout', 'cells', 'spaced'), ('noise_prior', 'normal', 'learned'))


class InitializationError(ValueError):
    """The weights to start from are missing, damaged, or of other sizes; the message names what differs."""


def common_table(charset: Charset, info: Mapping[str, Any], path: str | None) -> Charset:
    """The table of a run: that of its lines, or of the weights it starts from where that is larger.

    So a run can go on, and can be repeated with the same lines, after the packaged table has grown.

    Args:
        charset: the packaged one.
        info: info.json of the lines.
        path: folder of the run or generator to start from; None or '' for none.

    Returns:
        `charset` as it was.

    Raises:
        CharsetMismatchError: one of them is of a table that is no beginning of `charset`.
    """
    row_count = charset.prefix(info['charset']['row_count'], info['charset']['hash']).row_count
    if not path:
        return charset.prefix(row_count)
    for name, place in (
        ('generator.json', ('charset', 'row_count')),
        ('config.json', ('data', 'charset_rows')),
    ):
        try:
            with open(os.path.join(path, name), encoding='utf-8') as stream:
                there = int(json.load(stream)[place[0]][place[1]])
        # whoever reads the weights says what is wrong with them
        except (OSError, ValueError, KeyError, TypeError):
            continue
        row_count = max(row_count, min(there, charset.row_count))
    return charset.prefix(row_count)


def initialize(model: HctGan, path: str, *, charset: Charset, judge: PatchJudge | None = None) -> str:
    """Gives a model the weights of another run or of a written generator.

    Optimizers and step count start anew.

    A generator's folder holds generator and style encoder; a run's newest checkpoint holds all modules. The
    averaged generator, the one that writes, is what both generators start from.

    Args:
        model: built.
        path: folder of a run or of a generator (`runs/x`, `runs/x/model`, `saved_models/demo`).
        charset: of this run; the weights' own table must be a beginning of it.
        judge: of pairs, built: it gets the weights of the run's where that has one, and keeps its own
            elsewhere; None: there is none.

    Returns:
        What was taken, for the log.

    Raises:
        InitializationError: nothing usable at `path`, or sizes that differ, each named with both values.
        CharsetMismatchError: the weights belong to another table.
    """
    if os.path.isdir(os.path.join(path, 'checkpoints')):
        return _from_run(model, path) + _judge_from_run(judge, path)
    if not os.path.isdir(path):
        raise InitializationError(f'{path}: no such folder; expected that of a run or of a generator')
    return _from_generator(model, path, charset)


def initialize_recognizers(model: HctGan, path: str) -> str:
    """Gives SRM and SPM (with their trunks) the weights that they have in another run; all else stays as it
    is.

    Args:
        model: built.
        path: folder of a run.

    Returns:
        What was taken, for the log.

    Raises:
        InitializationError: no run with checkpoints at `path`, or recognisers of other sizes or kinds.
    """
    names = [name for name, module in model.modules().items() if module in model.recognizers()]
    newest = _restore(
        {name: model.modules()[name] for name in names},
        path,
        expected='recognisers of the same sizes and kinds',
    )
    return f'{", ".join(names)} from {newest}'


def _restore(modules, path, *, expected):
    """Gives modules the weights of a run's newest checkpoint; returns its path."""
    folder = os.path.join(path, 'checkpoints')
    steps = checkpoints.saved_steps(folder)
    if not steps:
        raise InitializationError(f'{path}: a run without checkpoints; expected one in {folder}')
    newest = checkpoints.prefix(folder, steps[-1])
    try:
        with plain_path(folder) as plain:
            tf.train.Checkpoint(**modules).restore(
                checkpoints.prefix(plain, steps[-1])
            ).assert_existing_objects_matched().expect_partial()
    except checkpoints.UNREADABLE as error:
        raise InitializationError(
            f'{newest}: does not fit: {reason_of(error)}; expected {expected}'
        ) from None
    return newest


def _from_run(model, path):
    earlier = _earlier_sizes(model.config.generator, path)
    if not earlier:
        newest = _restore(model.modules(), path, expected='a run with the same sizes')
        _assign_all(model.generator, model.average)
        return f'all modules from {newest}'
    average = artefact.built_generator(dataclasses.replace(model.config.generator, **earlier))
    modules = {name: module for name, module in model.modules().items() if name != 'generator'}
    smaller = any(name in earlier for name in _TABLE_SIZES)
    if smaller:  # what the recognisers read is a class for each row of the tables, in an order that changes
        modules = {name: modules[name] for name in ('average', 'discriminator', 'style_encoder')}
    newest = _restore(dict(modules, average=average), path, expected='a run with the same sizes')
    new_rows = _assign_all(model.average, average)
    _assign_all(model.generator, model.average)
    if not smaller:
        return f'all modules from {newest}, whose noise is N(0, 1): its prior begins to learn'
    return (
        f'generator, discriminator and style encoder from {newest}; {new_rows} new rows of embeddings; its'
        ' table of characters is a smaller one, so the recognisers begin anew'
    )


def _judge_from_run(judge, path):
    """Gives the judge of pairs the weights that it has in a run; returns what to say of it."""
    if judge is None:
        return ''
    folder = os.path.join(path, 'checkpoints')
    newest = checkpoints.saved_steps(folder)[-1]
    with plain_path(folder) as plain:
        names = tf.train.load_checkpoint(checkpoints.prefix(plain, newest)).get_variable_to_shape_map()
    there = {name for name in names if name.startswith('judge/') and _VALUE in name and _SLOT not in name}
    if not there:
        return '; the judge begins anew'
    expected = f'a judge with judge_channels {",".join(map(str, judge.channels))}'
    if len(there) != len(judge.variables):
        raise InitializationError(
            f'{checkpoints.prefix(folder, newest)}: does not fit: its judge has {len(there)} arrays, here'
            f' there are {len(judge.variables)}; expected {expected}'
        )
    _restore({'judge': judge}, path, expected=expected)
    return '; the judge, too'


def _earlier_sizes(config, path):
    """What a run's generator has of an earlier state of this one: tables that have grown since, noise whose
    prior was not learned. dict of settings; empty where all are equal, or not told.
    """
    try:
        with open(os.path.join(path, 'config.json'), encoding='utf-8') as stream:
            there = json.load(stream)['model']['generator']
        earlier = {name: int(there[name]) for name in _TABLE_SIZES if there[name] != getattr(config, name)}
        noise = there.get('noise_prior', 'normal')
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # whoever restores the weights says what does not fit
    if not all(size < getattr(config, name) for name, size in earlier.items()):
        return {}
    return earlier | ({'noise_prior': noise} if (noise, config.noise_prior) == ('normal', 'learned') else {})


def _from_generator(model, path, charset):
    try:
        generator, style_encoder, _ = artefact.load_generator(path, charset=charset)
    except artefact.ArtefactError as error:
        raise InitializationError(str(error)) from None
    there, here = (dataclasses.asdict(config) for config in (generator.config, model.config.generator))
    differences = [
        f'{name} {there[name]} there, {here[name]} here'
        for name in here
        if there[name] != here[name]
        and (name not in _TABLE_SIZES or there[name] > here[name])
        # it has all but layers that come last, which begin to learn
        and (name, there[name], here[name]) not in _MAY_BEGIN
    ]
    if style_encoder is not None:
        channels = tuple(c.filters for c in style_encoder.convolutions)
        if channels != tuple(model.config.style_channels):
            differences.append(f'style_channels {channels} there, {tuple(model.config.style_channels)} here')
    if differences:
        raise InitializationError(f'{path}: other sizes than this run: {"; ".join(differences)}')
    new_rows = _assign_all(model.average, generator)
    _assign_all(model.generator, model.average)
    taken = ['generator']
    if style_encoder is not None:
        _assign_all(model.style_encoder, style_encoder)
        taken.append('style encoder')
    return f'{" and ".join(taken)} from {path}' + (f'; {new_rows} new rows of embeddings' if new_rows else '')


def _assign_all(to, source):
    """Copies every variable that the source has; tables that have grown keep their values in the new rows.

    Returns how many those are.
    """
    new_rows, values = 0, {_within(variable): variable for variable in source.variables}
    for variable in to.variables:
        if _within(variable) not in values:
            continue
        value = np.asarray(values[_within(variable)])
        if len(value.shape) == 2 and value.shape[0] < variable.shape[0]:
            new_rows += variable.shape[0] - value.shape[0]
            value = np.concatenate([value, np.asarray(variable)[value.shape[0] :]])
        variable.assign(value)
    return new_rows


def _within(variable):
    """A variable's path within its module, which may have another name in a run than where it was read."""
    return variable.path.split('/', 1)[-1]
