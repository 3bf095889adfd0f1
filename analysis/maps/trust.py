"""Whether the maps are to be trusted: against random maps, against shuffled weights, against tf-keras-vis."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from analysis.features import Features, model_inputs
from analysis.galleries import find_segments
from analysis.maps.faithfulness import BranchScorer, Faithfulness, faithfulness
from analysis.maps.gradcam import INPUT_OF, MAP_OF, EvidenceMaps, dead_maps
from analysis.maps.gradcam_reference import largest_difference, map_precision
from analysis.maps.randomisation import Randomisation, randomisation
from analysis.maps.receptive_field import cell_centres

# Segments whose maps tf-keras-vis makes too: it takes about a second for them.
_COMPARED = 4
FEWEST = 2


@dataclasses.dataclass(frozen=True)
class Trust:
    """What the checks of the maps gave.

    Attributes:
        recordings: whose middle segments' maps for the predicted label were checked.
        dead: modality to how many of them have a map without evidence, which says nothing and is left out.
        faithfulness: for each modality and measure.
        randomisation: for each modality.
        difference_to_tf_keras_vis: the largest, of maps scaled to a largest value of 1; None where it cannot make
            these maps.
        precision: in which the maps' layers compute: `float32`, `bfloat16`, `float16`.
    """

    recordings: int
    dead: Mapping[str, int]
    faithfulness: tuple[Faithfulness, ...]
    randomisation: tuple[Randomisation, ...]
    difference_to_tf_keras_vis: float | None
    precision: str


def examine(
    evidence_maps: EvidenceMaps,
    batches: Iterable[Mapping[str, Any]],
    segments: Features,
    recordings: Features,
    *,
    most_recordings: int,
    log_mel_mean_db: float,
    batch_size: int,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> Trust | None:
    """Runs all checks on some recordings, drawn by chance; None where there are fewer than two.

    Args:
        evidence_maps: of the model.
        batches: of the split, dicts of `avinst.schema.parse_examples`.
        segments: of the split.
        recordings: the same by recording.
        most_recordings: that are checked.
        log_mel_mean_db: of the training split.
        batch_size: segments at once.
        seed: of all that is random.
        say: is told what is being done.
    """
    number = min(most_recordings, len(recordings))
    if number < FEWEST:
        return None
    say(f"trust in the maps: {number} recordings")
    rows = np.sort(np.random.default_rng(seed).permutation(len(recordings))[:number])
    keys = [_middle_segment(segments, str(recordings.video_id[row])) for row in rows]
    found = find_segments(set(keys), batches)
    batch = {name: np.stack([found[key][name] for key in keys]) for name in INPUT_OF.values()}
    labels = recordings.probabilities[rows].argmax(axis=1)
    maps = evidence_maps.in_batches(batch, labels, batch_size)
    measured: list[Faithfulness] = []
    for modality, values in maps.items():
        alive = ~dead_maps(values)
        if alive.sum() >= FEWEST:
            scorer = BranchScorer(evidence_maps.model, modality, batch_size)
            kept = {name: inputs[alive] for name, inputs in batch.items()}
            measured += faithfulness(
                scorer,
                modality,
                kept[INPUT_OF[modality]],
                scorer.others(model_inputs(evidence_maps.model, kept)),
                labels[alive],
                values[alive],
                cell_centres(evidence_maps.model, MAP_OF[modality]),
                log_mel_mean_db,
                seed,
            )
    return Trust(
        recordings=number,
        dead={modality: int(dead_maps(values).sum()) for modality, values in maps.items()},
        faithfulness=tuple(measured),
        randomisation=tuple(_randomised(evidence_maps, batch, labels, maps, batch_size, seed)),
        difference_to_tf_keras_vis=largest_difference(
            evidence_maps, {name: values[:_COMPARED] for name, values in batch.items()}, labels[:_COMPARED]
        ),
        precision=map_precision(evidence_maps),
    )


def trust_json(trust: Trust) -> dict[str, object]:
    """What `gradcam/trust.json` holds."""
    return dataclasses.asdict(trust, dict_factory=lambda items: {name: _plain(value) for name, value in items})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return [round(float(one), 6) for one in value]
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: round(one, 6) for name, one in value._asdict().items()}
    return round(value, 8) if isinstance(value, float) else value


def _middle_segment(segments: Features, video_id: str) -> tuple[str, int]:
    indices = np.sort(segments.segment_index[segments.video_id == video_id])
    return video_id, int(indices[len(indices) // 2])


def _randomised(
    evidence_maps: EvidenceMaps,
    batch: Mapping[str, np.ndarray],
    labels: np.ndarray,
    maps: Mapping[str, np.ndarray],
    batch_size: int,
    seed: int,
) -> Sequence[Randomisation]:
    """Of the recordings whose maps all show something."""
    alive = ~np.any([dead_maps(values) for values in maps.values()], axis=0)
    if alive.sum() < FEWEST:
        return ()
    kept = {name: inputs[alive] for name, inputs in batch.items()}
    centres = {modality: cell_centres(evidence_maps.model, MAP_OF[modality]) for modality in maps}
    return randomisation(evidence_maps, kept, labels[alive], centres, batch_size, seed)
