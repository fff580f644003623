"""The training steps of `hwgen.training.steps` as StableHLO: maths that a machine without TensorFlow runs
with JAX.

A lowered step takes one batch and the values of all variables it touches, and returns its metrics and the new
values: the forward passes, gradients, clipping, Adam, batch statistics and the moving average of the
generator are all inside. Beside each module stands a JSON file that says which of its parameters and results
is which variable.
"""

import dataclasses
import json
import pathlib
import re

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.data.reading.pipeline import LineBatch
from hwgen.training.gan import GanTraining
from hwgen.training.steps import reading
from hwgen.training.steps.writing import POSTERIOR_NOISE_STREAM, POSTERIOR_STYLE_STREAM

PHASES = ('recognizers', 'reconstruction')
STYLES = 'styles'  # no phase: where styles lie, to draw from them
_NOISE = {POSTERIOR_STYLE_STREAM: 'style_normal', POSTERIOR_NOISE_STREAM: 'noise_normal'}


class LoweredTrainer(GanTraining):
    """`GanTraining` whose first two phases XLA can compile: noise comes with the batch, lines of all lengths
    share one width, CTC is the dense one.

    A batch has the fields of Characters beside the images, but for the boxes, which follow from the
    structures.

    Differs from `GanTraining`: the recogniser step does not tell how many labels were misread, as edit
    distances have no XLA kernel. Arguments as there, and `template_boxes`, float32 [S, 4, 4], the
    structures' boxes.
    """

    def __init__(self, model, settings, *, template_boxes, strategy, pairs=None):
        super().__init__(
            model,
            dataclasses.replace(settings, uniform_lengths=False, dense_ctc=True),
            strategy=strategy,
            pairs=pairs,
        )
        # a constant of the graph, where a tensor would be one more parameter
        self.template_boxes = np.asarray(template_boxes)

    def optimizer_of(self, phase):
        """The optimizer that a phase moves."""
        return (self.recognizers if phase == 'recognizers' else self.reconstruction).optimizer

    def step(self, phase, *, jit=True):
        """tf.function of a phase of `PHASES`: takes a batch (`specification`), returns a dict of float32
        scalars. Or of STYLES: what the style encoder says of the lines, float32 [B, Z] each.
        """

        @tf.function(jit_compile=jit, autograph=False)
        def recognizers(batch):
            step, lines = self.recognizers, self._lines(batch)
            with tf.GradientTape() as tape:
                read = reading.read(
                    lines.characters, lines.images, model=self.model, settings=self.settings, training=True
                )
                losses = read.sequence_loss
                loss = step.share(losses if read.spatial_loss is None else losses + read.spatial_loss)
            norm = step.apply(tape, loss)
            return {
                'loss/recognizers': loss,
                'loss/sequence_real': step.share(read.sequence_loss),
                'grad/recognizer_norm': norm,
            }

        @tf.function(jit_compile=jit, autograph=False)
        def reconstruction(batch):
            step = self.reconstruction
            step.normal = noise_of(batch)
            metrics = step._replica_step(self._lines(batch), tf.constant(1.0))
            step.move_average()
            return metrics

        @tf.function(jit_compile=jit, autograph=False)
        def styles(batch):
            posterior = self.model.style_encoder(batch['images'], lengths=batch['lengths'])
            return {name: posterior[name] for name in ('style_mean', 'style_log_variance')}

        return dict(recognizers=recognizers, reconstruction=reconstruction, styles=styles)[phase]

    def _lines(self, batch):
        boxes = tf.gather(self.template_boxes, batch['structure_ids'])
        fields = {name: batch[name] for name in Characters._fields if name != 'boxes'}
        return LineBatch(
            batch['images'],
            widths=None,
            characters=Characters(boxes=boxes, **fields),
            example_index=None,
            advances=batch.get('advances'),
        )


def noise_of(batch):
    """What `TrainingStep.normal` is replaced by: the noise that a batch brings along."""

    def normal(lines, shape, stream):
        del lines, shape
        return batch[_NOISE[stream]]

    return normal


def specification(config, *, batch_size, num_characters):
    """What a lowered step takes.

    Args:
        config: GeneratorConfig.
        batch_size, num_characters: int, B and N; shorter lines are padded.

    Returns:
        dict name -> (numpy dtype, shape): images in [-1, 1] with padding +1, `lengths`, the ids, N(0, 1)
        noise, and for a generator of layout `spaced` the advances, 0 for padding.
    """
    b, n = batch_size, num_characters
    spaced = {'advances': (np.float32, (b, n))} if config.layout == 'spaced' else {}
    return {
        **spaced,
        'images': (np.float32, (b, config.char_px, n * config.char_width_px, 1)),
        'lengths': (np.int32, (b,)),
        'component_ids': (np.int32, (b, n, 4)),
        'structure_ids': (np.int32, (b, n)),
        'character_ids': (np.int32, (b, n)),
        'style_normal': (np.float32, (b, config.style_dim)),
        'noise_normal': (np.float32, (b, n, config.character_noise_dim)),
    }


def named_variables(trainer):
    """dict name -> tf.Variable of everything that a checkpoint holds, each once."""
    found, seen = {}, set()
    for name, item in trainer.trackables().items():
        for index, variable in enumerate([item] if isinstance(item, tf.Variable) else item.variables):
            value = (
                getattr(variable, 'value', variable) if not isinstance(variable, tf.Variable) else variable
            )
            if id(value.handle) not in seen:
                seen.add(id(value.handle))
                # without the owner's name, which Keras counts up within a process
                path = getattr(variable, 'path', variable.name).split('/', 1)[-1]
                found[f'{name}/{index:03d}/{path}'] = value
    return found


def lower(function, batch, variables, path, *, rate):
    """Writes `path`.mlirbc and `path`.json.

    Args:
        function: tf.function of one dict of tensors, compiled by XLA.
        batch: dict name -> tensor, whose values do not matter.
        variables: dict name -> tf.Variable; every variable that the function reads or writes is one of them.
        path: path without suffix.
        rate: str, which of them is the learning rate; None: there is none.

    Returns:
        list of str, the variables that it captures.

    Raises:
        ValueError: the function captures something else.
    """
    concrete = function.get_concrete_function(batch)
    by_handle = {id(variable.handle): name for name, variable in variables.items()}
    captured = [by_handle.get(id(tensor)) for tensor in concrete.captured_inputs]
    if None in captured:
        raise ValueError(
            f'{path}: captures {concrete.captured_inputs[captured.index(None)]}, which is none of the'
            ' variables'
        )
    lowered = function.experimental_get_compiler_ir(batch)
    head = lowered(stage='hlo').split('\n', 1)[0]
    # HLO's first line says which result is the new value of which parameter: {5}: (9, {}, may-alias)
    aliases = {
        int(result): int(parameter) for result, parameter in re.findall(r'\{(\d+)\}: \((\d+), \{\}', head)
    }
    inputs = sorted(batch)  # the order in which TensorFlow flattens a dict
    path = pathlib.Path(path)
    path.with_suffix('.mlirbc').write_bytes(lowered(stage='stablehlo_serialized'))
    path.with_suffix('.json').write_text(
        json.dumps(
            {
                'inputs': {name: [batch[name].dtype.name, list(batch[name].shape)] for name in inputs},
                'captured': captured,
                'rate': rate,
                'updates': {
                    str(result): captured[parameter - len(inputs)] for result, parameter in aliases.items()
                },
                'metrics': sorted(concrete.structured_outputs),
            },
            indent=1,
        )
        + '\n',
        encoding='utf-8',
    )
    return captured
