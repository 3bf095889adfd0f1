"""Two runs side by side, as what is written, drawn and said of them reads it."""

import dataclasses
import math
from collections.abc import Mapping

from analysis.correlations.alignment import Alignment
from analysis.features import Features
from analysis.importance import Importance
from trainer.audit.measures import Interval

BLOCKS = ("audio", "visual", "across")


@dataclasses.dataclass(frozen=True)
class ComparedPart:
    """Recordings that features are correlated over, and what chose the features.

    Attributes:
        recordings: in the order of their ids.
        chosen_by: the run's own importance on its own features of other recordings.
    """

    recordings: Features
    chosen_by: Importance


@dataclasses.dataclass(frozen=True)
class ComparedRun:
    """A run as it enters a comparison.

    Attributes:
        name: of its directory.
        scheme: that it was trained in; it has both modalities.
        parts: one, or the two halves of a cross-fitted split, each with the features that the other one chose.
        alignment: of both modalities' features as a whole.
    """

    name: str
    scheme: str
    parts: tuple[ComparedPart, ...]
    alignment: tuple[Alignment, ...] = ()

    @property
    def title(self) -> str:
        """The run's name, and its scheme where the name does not say it."""
        return self.name if self.name == self.scheme else f"{self.name} ({self.scheme})"


@dataclasses.dataclass(frozen=True)
class Contrast:
    """A mean |rho| of both runs.

    Attributes:
        this, other: of the two runs.
        difference: this minus other, with the 95 % interval of a bootstrap that draws the same recordings in both.
    """

    this: float
    other: float
    difference: Interval


@dataclasses.dataclass(frozen=True)
class LabelComparison:
    """One label in both runs, or the mean over labels.

    Attributes:
        label: its name; empty for the mean over labels.
        recordings: number of recordings, the same in both runs.
        blocks: `audio`, `visual` (within the modality) and `across` to the mean |rho| of the runs.
        chance: of this run and of the other: mean |rho| across with recordings shuffled between the modalities,
            and the band of 95 % of the permutations. The mean over labels that share recordings has no band:
            each label is permuted by itself, so that one over all would be too narrow.
        p_values: of this run and of the other: how often chance gives at least its mean |rho| across; NaN where
            there is no band.
        beyond_chance: whether this run and the other bind the modalities beyond chance: by `p_values`, those of
            single labels corrected over the labels; for the mean over labels that share recordings, whether any
            label does.
    """

    label: str
    recordings: int
    blocks: Mapping[str, Contrast]
    chance: tuple[Interval, Interval]
    p_values: tuple[float, float]
    beyond_chance: tuple[bool, bool]

    @property
    def measured(self) -> bool:
        """Whether there is a mean |rho| across in both runs."""
        return math.isfinite(self.blocks["across"].difference.value)

    @property
    def excess(self) -> tuple[float, float]:
        """How far mean |rho| across is above what chance gives, in this run and in the other.

        Mean |rho| is never 0, and the larger the fewer recordings there are.
        """
        across = self.blocks["across"]
        return across.this - self.chance[0].value, across.other - self.chance[1].value


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        this: the run that is analyzed.
        other: the one that it is compared with.
        labels: that have correlations in both.
        overall: their mean, each label counting the same; None where there are none.
        skipped: label to the reason why it is not compared.
    """

    this: ComparedRun
    other: ComparedRun
    labels: tuple[LabelComparison, ...]
    overall: LabelComparison | None
    skipped: Mapping[str, str]
