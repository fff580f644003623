"""Settings of the game of pairs, the other way to play phase 3."""

import dataclasses
from typing import ClassVar

from hwgen.settings.setting import check, setting


@dataclasses.dataclass(frozen=True)
class PairSettings:
    """How phase 3 is played with --game=pairs: real lines beside their reconstructions and beside lines in
    drawn hands, before a judge of patches.
    """

    SECTION: ClassVar[str] = 'Game of pairs (--game=pairs)'

    judge_channels: tuple[int, ...] = setting(
        (32, 64, 128, 192),
        "Channels of the judge, one number a resolution: each beyond the first doubles a patch's side, which"
        ' is 8 px with four.',
        lower=1,
    )
    judge_rate: float = setting(3e-4, "Adam's learning rate of the judge.", lower=0.0)
    judge_weight: float = setting(
        4.0,
        "Weight of the judge's gradient on the image beside the reconstruction's, which has 1.",
        lower=0.0,
    )
    judge_share: float = setting(
        0.7,
        "The most that the judge's gradient counts: a share of the reconstruction's own (root mean squares).",
        lower=0.0,
    )
    judge_penalty: float = setting(
        1.0,
        "Gamma, weight of the penalties R1 and R2 on the judge's slopes, at the phase's beginning.",
        lower=0.0,
    )
    judge_penalty_end: float = setting(
        0.1, "Gamma at the phase's end; it falls evenly in its logarithm.", lower=0.0
    )
    ink_jitter: float = setting(
        0.15,
        'By how much of themselves ink and contrast of what the judge sees vary, either way, so that it'
        ' cannot tell by how dark a line is.',
        lower=0.0,
        upper=0.5,
    )
    drawn_share: float = setting(
        0.5,
        "Share of a batch's lines whose text is written in a drawn hand as well, for the judge and SRM; 0:"
        ' reconstructions alone.',
        lower=0.0,
        upper=1.0,
    )
    drawn_weight: float = setting(
        1.0, "Weight of the judge's gradient on those beside that on reconstructions.", lower=0.0
    )
    reading_weight: float = setting(
        0.02, "Weight of the gradient of SRM's loss on those; 0: SRM has no say.", lower=0.0
    )
    reading_share: float = setting(
        0.2, "The most that SRM's gradient counts: a share of the reconstruction's own.", lower=0.0
    )

    def __post_init__(self):
        check(self)
        if (self.judge_penalty > 0) != (self.judge_penalty_end > 0):
            raise ValueError(
                f'judge_penalty={self.judge_penalty:g} judge_penalty_end={self.judge_penalty_end:g}: gamma'
                ' falls by factors, expected both 0 or neither'
            )

    def penalty(self, share: float) -> float:
        """Gamma when a share of the phase's steps is done, 0 to 1: a geometric mean of both ends."""
        return self.judge_penalty ** (1.0 - share) * self.judge_penalty_end**share

    def drawn_lines(self, batch_size: int) -> int:
        """Lines of a batch whose text is also written in a drawn hand: the share, rounded."""
        return round(self.drawn_share * batch_size)
