"""Settings of the training steps: batch, guides, balance, weights and rates."""

import dataclasses
from typing import ClassVar

from hwgen.settings.model import LABEL_KINDS
from hwgen.settings.setting import check, setting


@dataclasses.dataclass(frozen=True)
class GanSettings:
    """Weights and rates of the steps (`hwgen.training.gan`)."""

    SECTION: ClassVar[str] = 'Steps: batch, weights and rates'

    batch_size: int = setting(8, 'Lines of a batch, over all replicas.', lower=1)
    seed: int = setting(
        1, 'Seed of weights, data order, texts and noise. Example: --seed=2.', lower=0, upper=2**32 - 1
    )
    sequence_labels: str = setting(
        'structured',
        "What SRM reads: components (the paper's), each character's structure and components, or characters.",
        choices=LABEL_KINDS,
    )
    spatial_structures: bool = setting(False, 'SPM counts structures as well as components.')
    balance_rule: str = setting(
        'full',
        "Gradient balance: with means (HCT-GAN), or scaled only (ScrabbleGAN's code).",
        flag='balance',
        choices=('full', 'scale'),
    )
    balance_reference: str = setting(
        'discriminator',
        'Whose spread the other gradients are brought to.',
        choices=('discriminator', 'smallest'),
    )
    discriminator_weight: float = setting(
        1.0, "Weight of D's gradient; 0: the recognisers alone teach the generator.", lower=0.0
    )
    sequence_weight: float = setting(0.5, "Weight of SRM's gradient, beta.", lower=0.0)
    spatial_weight: float = setting(0.5, "Weight of SPM's gradient, gamma.", lower=0.0)
    pixel_weight: float = setting(1.0, 'Weight of the pixel loss of reconstruction.', lower=0.0)
    feature_weight: float = setting(1.0, 'Weight of the feature loss of reconstruction.', lower=0.0)
    style_kl_weight: float = setting(5e-4, "Weight of the style's KL divergence (nats a line).", lower=0.0)
    noise_kl_weight: float = setting(
        2e-3, "Weight of the character noise's KL divergence (nats a character).", lower=0.0
    )
    spacing_weight: float = setting(
        0.2, "Weight of the loss of the characters' advances (character_layout=spaced).", lower=0.0
    )
    feature_levels: tuple[int, ...] = setting(
        (4,), "Which of the trunk's maps, counted from 1, reconstruction compares.", lower=1
    )
    reconstruction_discriminator_weight: float = setting(
        0.0,
        "In phase 3, weight of D's gradient on reconstructed lines, brought to the spread of the"
        " reconstruction's own; 0: D does not judge them.",
        lower=0.0,
    )
    reconstruction_sequence_weight: float = setting(0.0, "The same for SRM's gradient.", lower=0.0)
    reconstruction_spatial_weight: float = setting(0.0, "The same for SPM's gradient.", lower=0.0)
    recognizer_rate: float = setting(2e-3, "Adam's learning rate of SRM and SPM.", lower=0.0)
    reconstruction_rate: float = setting(2e-3, "Adam's learning rate of the reconstruction step.", lower=0.0)
    generator_rate: float = setting(
        2e-4,
        "Adam's learning rate of the generator in phase 3; with --game=pairs of the style encoder, too.",
        lower=0.0,
    )
    discriminator_rate: float = setting(2e-4, "Adam's learning rate of the discriminator.", lower=0.0)
    clip_norm: float = setting(
        1.0,
        'Global norm that gradients are clipped to (not those of the judge of pairs); 0: not at all.',
        lower=0.0,
    )
    average_decay: float = setting(
        0.999, 'Decay of the moving average of the generator that writes.', lower=0.0, upper=1.0
    )
    uniform_lengths: bool = setting(
        True, 'All lines of a batch have one length: masks are left out, which is faster.', flag=''
    )
    dense_ctc: bool = setting(False, 'The CTC implementation that XLA can compile.')
    product_dtype: str = setting(
        'auto',
        'In what the convolutions multiply while training; sums and weights are float32. auto: bfloat16 where'
        ' the processor multiplies it itself (AVX-512 BF16, AMX), which is nearly twice as fast.',
        choices=('auto', 'float32', 'bfloat16'),
        absent='float32',
    )

    def __post_init__(self):
        check(self)
