"""What a modality audit found, as `audit.json` keeps it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.audit.measures import Difference, Interval

# Systems in the order in which they are shown, with what each is.
SYSTEMS = {
    "fused": "fused model",
    "audio_alone": "audio alone",
    "visual_alone": "visual alone",
    "product": "product of the two alone",
    "audio_probe": "probe of audio features",
    "visual_probe": "probe of visual features",
    "audio_stage_probe": "probe, audio trained alone",
    "visual_stage_probe": "probe, visual trained alone",
    "audio_blanked": "fused, audio blanked",
    "visual_blanked": "fused, visual blanked",
    "audio_swapped": "fused, audio swapped",
    "visual_swapped": "fused, visual swapped",
    "chance": "chance",
}
METRIC_TITLES = {"hit_at_1": "Hit@1", "map": "mAP"}
# Below this not even the intervals can be relied on: a bootstrap of a handful knows only what the handful holds.
FEWEST_RECORDINGS = 20
# A difference of the score that would matter to a user; what is known to be smaller counts as none.
SMALLEST_DIFFERENCE = 0.05
# What none of n recordings shows may still be true of 3 in n (95 %, the rule of three): so many are needed to know
# that a difference is smaller, whatever the bootstrap says.
_FEWEST_FOR_NONE = round(3 / SMALLEST_DIFFERENCE)
SIGNIFICANCE = 0.05


@dataclasses.dataclass(frozen=True)
class Audit:
    """A fused run on a split, by recording; docs/audit.md explains each figure.

    Attributes:
        scheme: independent or joint.
        split: train, validation or test.
        metric: what the scores are: `hit_at_1`, or `map` (mean average precision) for a multi-label dataset.
        recordings: number of them.
        stages_from: the run whose stages `audio` and `visual` are compared with; None: there are none.
        scores: of the systems (keys of SYSTEMS) that could be measured.
        absent: system to the reason why it could not be.
        single: modality to the system that stands for it alone: `audio_alone` and `visual_alone`, or the probes
            where there are no stages; empty where there are no probes either.
        better: modality with the higher score alone, or None.
        differences: `audio_minus_visual`, `fused_minus_better`, `fused_minus_product`, `<x>_minus_chance` for
            audio, visual and fused, and for joint runs with stages `<modality>_probe_minus_stage_probe`; paired.
        gains: ids of the recordings that the fused model gets right and the better modality alone wrong.
        losses: ids of the recordings of which the reverse is true.
        alone_right: which of audio and visual alone is right (`both`, `audio`, `visual`, `neither`) to
            `recordings`, how many those are, and `fused`, how many of them the fused model gets right. Empty where
            nothing stands for a modality alone.
        mcnemar_p: exact two-sided p-value of their numbers, or None.
        swapped_recordings: number of recordings whose partner has no label in common; swaps are measured on them.
        follows: share of swapped recordings whose most probable label is one of the `audio`'s, of the `visual`'s,
            or `neither`'s; mean over the two swaps. Empty where nothing could be swapped.
        probe_c: probe to the inverse strength of its penalty that validation chose.
        per_label: system, of all that were asked about the recordings as they are, to label to `recall`,
            `average_precision`, `count` (recordings that bear it) and `taken_for`, as in metrics.json.
        fingerprint: of the dataset that was measured on; empty: not known.
    """

    scheme: str
    split: str
    metric: str
    recordings: int
    stages_from: str | None
    scores: Mapping[str, Interval]
    absent: Mapping[str, str]
    single: Mapping[str, str]
    better: str | None
    differences: Mapping[str, Difference]
    gains: Sequence[str]
    losses: Sequence[str]
    alone_right: Mapping[str, Mapping[str, int]]
    mcnemar_p: float | None
    swapped_recordings: int
    follows: Mapping[str, Interval]
    probe_c: Mapping[str, float]
    per_label: Mapping[str, Mapping[str, Mapping[str, Any]]] = dataclasses.field(default_factory=dict)
    fingerprint: str = ""

    @property
    def metric_title(self) -> str:
        """The metric as people write it."""
        return METRIC_TITLES[self.metric]

    def judge(self, difference: str) -> str:
        """What a difference's interval allows to say.

        Returns:
            `more` or `less`: its interval excludes 0, and the exact test does not contradict; `none`: it is known
            to be smaller than SMALLEST_DIFFERENCE; `unknown`: too few recordings to tell, or it was not measured.
        """
        found = self.differences.get(difference)
        if found is None or self.recordings < FEWEST_RECORDINGS:
            return "unknown"
        if found.low > 0 or found.high < 0:
            if found.p_value is not None and found.p_value > SIGNIFICANCE:
                return "unknown"
            return "more" if found.low > 0 else "less"
        small = max(-found.low, found.high) < SMALLEST_DIFFERENCE
        return "none" if small and self.recordings >= _FEWEST_FOR_NONE else "unknown"

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values: scores as `{"value", "low", "high"}`, differences with `p_value` too."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, (Interval, Difference)):
        return value._asdict()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, (list, tuple)) else value
