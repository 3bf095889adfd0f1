"""Whether other recordings would have made the same features the most important ones: importance resampled."""

import dataclasses
from collections.abc import Mapping

import numpy as np


@dataclasses.dataclass(frozen=True)
class StabilitySettings:
    """How stability is computed.

    Attributes:
        top: modality to the number of features that count as the most important ones.
        resamples: of the recordings that were predicted as a label.
        seed: of the resamples.
    """

    top: Mapping[str, int]
    resamples: int = 1000
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Stability:
    """How surely features are among the most important ones.

    Also where the head is one dense layer importance depends on the recordings: its a is the weight, its x is not.

    Attributes:
        top: modality to the number of features that count as the most important ones.
        shares: modality to float64 [labels, features], the share of resamples in which each is one of them; a row
            of NaN for a label that nothing was predicted as. A label of one recording has only 0 and 1.
    """

    top: Mapping[str, int]
    shares: Mapping[str, np.ndarray]

    def mean_share(self, label_index: int, modality: str, features: np.ndarray) -> float:
        """The mean share of some features; NaN of none."""
        shares = self.shares[modality][label_index][features]
        return float(shares.mean()) if len(shares) else float("nan")


class ResampledSums:
    """The importance of one label in every resample, gathered as the recordings come."""

    def __init__(self, recordings: int, settings: StabilitySettings, label_index: int) -> None:
        """Draws the resamples.

        Args:
            recordings: that were predicted as the label.
            settings: how.
            label_index: the label; its resamples are its own, whatever other labels there are before it.
        """
        generator = np.random.default_rng([settings.seed, label_index])
        even = np.full(recordings, 1 / recordings)
        # How often each recording is in each resample: one product with this gives the sums of all resamples.
        self._times = generator.multinomial(recordings, even, size=settings.resamples).astype(np.float64)
        self._top = settings.top
        self._sums: dict[str, np.ndarray] = {}

    def add(self, modality: str, recordings: slice, contributions: np.ndarray) -> None:
        """Adds some recordings.

        Args:
            modality: of the features.
            recordings: which of them.
            contributions: float64 [these recordings, features], at least 0.
        """
        sums = self._times[:, recordings] @ contributions
        self._sums[modality] = self._sums[modality] + sums if modality in self._sums else sums

    def share_among_the_most_important(self, modality: str) -> np.ndarray:
        """float64 [features]: share of the resamples; as in `Importance.top`, what contributes nothing is none.

        Features that are as important as the last of the most important ones are among them too.
        """
        sums = self._sums[modality]
        last = min(self._top[modality], sums.shape[1])
        least = np.partition(sums, -last, axis=1)[:, [-last]]
        return ((sums >= least) & (sums > 0)).mean(axis=0)
