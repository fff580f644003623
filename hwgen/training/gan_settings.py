"""Weights and rates of the training steps in `gan.py`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class GanSettings:
    """Weights and rates of the steps.

    Attributes:
        batch_size: int, lines of the global batch.
        seed: int, of all noise.
        sequence_labels: 'components' | 'structured' | 'characters'.
        spatial_structures: bool, SPM counts structures as well as components.
        balance_rule, balance_reference: see `losses.balance`.
        discriminator_weight, sequence_weight, spatial_weight: of the balance; the latter two are beta and gamma.
        pixel_weight, feature_weight, style_kl_weight, noise_kl_weight: of the reconstruction step.
        feature_levels: tuple of int, the trunk's maps that it compares, counted from 1.
        reconstruction_discriminator_weight, reconstruction_sequence_weight, reconstruction_spatial_weight: of the three
            gradients on a reconstructed line in the adversarial phase, each first brought to the spread of the
            reconstruction's own gradient.
        recognizer_rate, reconstruction_rate, generator_rate, discriminator_rate: Adam's learning rates.
        clip_norm: float, global norm that gradients are clipped to; 0 for none.
        average_decay: float, of the exponential moving average of the generator.
        uniform_lengths: bool, all lines of a batch have one length: masks are left out, which is faster.
        dense_ctc: bool, the CTC that XLA can compile.
        product_dtype: 'float32' or 'bfloat16', in which convolutions multiply while training; all else is float32.
    """

    batch_size: int
    seed: int = 0
    sequence_labels: str = 'structured'
    spatial_structures: bool = False
    balance_rule: str = 'full'
    balance_reference: str = 'discriminator'
    discriminator_weight: float = 1.
    sequence_weight: float = .5
    spatial_weight: float = .5
    pixel_weight: float = 1.
    feature_weight: float = 1.
    style_kl_weight: float = 2e-3
    noise_kl_weight: float = 2e-3
    feature_levels: tuple = (4,)
    reconstruction_discriminator_weight: float = 0.
    reconstruction_sequence_weight: float = 0.
    reconstruction_spatial_weight: float = 0.
    recognizer_rate: float = 2e-3
    reconstruction_rate: float = 2e-3
    generator_rate: float = 2e-4
    discriminator_rate: float = 2e-4
    clip_norm: float = 1.
    average_decay: float = .999
    uniform_lengths: bool = True
    dense_ctc: bool = False
    product_dtype: str = 'float32'
