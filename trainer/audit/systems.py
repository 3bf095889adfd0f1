"""The systems that the audit compares: what each says of the recordings of a split."""

import dataclasses
from collections.abc import Mapping
from typing import Self

import keras
import numpy as np

from avinst.dataset import Dataset
from avinst.progress import tell
from trainer.audit.features import (
    FusedHead,
    RecordingFeatures,
    SegmentFeatures,
    blank_features,
    recording_features,
    segment_features,
)
from trainer.audit.measures import by_chance, product
from trainer.audit.pairing import partner_segments, partners
from trainer.audit.probe import fit_probe
from trainer.audit.result import SYSTEMS
from trainer.evaluation.predictions import Predictions
from trainer.models.build import MODALITIES
from trainer.run import Run, load_model
from trainer.training import stage_model_path

BOTH = MODALITIES["joint"]
NO_STAGES = "a joint run has no stages; give --stages_from=RUN, an independent run on the same dataset"
# The head alone and within the network may sum in another order: float32, probabilities.
_TOLERANCE = 1e-4
# bfloat16 keeps 8 bits of a feature.
_TOLERANCE_MIXED = 2e-2


@dataclasses.dataclass
class Systems:
    """Probabilities by recording.

    Attributes:
        recordings: of the fused model.
        probabilities: system to float [recordings, labels]: `fused`, `chance` and all that is added.
        swapped: `audio_swapped` and `visual_swapped` to the same.
        partner: int64 [recordings], who lends what is swapped.
        absent: system to the reason why it is missing.
        probe_c: probe to the inverse strength of its penalty.
    """

    recordings: Predictions
    probabilities: dict[str, np.ndarray]
    swapped: dict[str, np.ndarray]
    partner: np.ndarray
    absent: dict[str, str] = dataclasses.field(default_factory=dict)
    probe_c: dict[str, float] = dataclasses.field(default_factory=dict)

    def by_id(self) -> Self:
        """The same with the recordings in the order of their ids, as `evaluation.metrics` resamples them."""
        order = np.argsort(self.recordings.video_ids)
        place = np.argsort(order)
        rows = dataclasses.asdict(self.recordings)
        return dataclasses.replace(
            self,
            recordings=Predictions(**{name: values[order] for name, values in rows.items()}),
            probabilities={name: values[order] for name, values in self.probabilities.items()},
            swapped={name: values[order] for name, values in self.swapped.items()},
            partner=place[self.partner[order]],
        )


def all_systems(
    run: Run,
    dataset: Dataset,
    split: str,
    batch_size: int,
    stages_dir: str | None,
    fused: SegmentFeatures,
    stages: Mapping[str, Predictions],
) -> Systems:
    """Computes what every system says of a split.

    Args:
        run: of the scheme independent or joint.
        dataset: holds what the run was trained for.
        split: train, validation or test.
        batch_size: segments that are computed together.
        stages_dir: the run whose stages `audio` and `visual` are compared with, or None.
        fused: what the run itself makes of the split.
        stages: what its own stages say of it, where it has some.
    """
    systems = disturbed(run, fused)
    has_probes = bool(dataset.segments.get("train"))
    if has_probes:
        _add_probes(systems, "probe", run.model, dataset, fused.by_recording(), batch_size)
    else:
        names = [f"{modality}_{kind}" for kind in ("probe", "stage_probe") for modality in BOTH]
        systems.absent |= dict.fromkeys(names, "the dataset has no training split")
    if stages_dir is None:
        names = ["audio_alone", "visual_alone", "product", "audio_stage_probe", "visual_stage_probe"]
        systems.absent |= dict.fromkeys(names, NO_STAGES)
        return systems
    for modality in BOTH:
        if modality in stages:
            alone = stages[modality]
        else:
            stage = load_model(stage_model_path(stages_dir, modality))
            of_stage = segment_features(stage, dataset, split, batch_size)
            alone = of_stage.predictions
            # The branches of an independent run are its stages: the same features, the same probes.
            if has_probes and run.config.scheme == "joint":
                _add_probes(systems, "stage_probe", stage, dataset, of_stage.by_recording(), batch_size)
        systems.probabilities[f"{modality}_alone"] = alone.by_recording().probabilities
    systems.probabilities["product"] = product(
        systems.probabilities["audio_alone"],
        systems.probabilities["visual_alone"],
        multi_label=dataset.multi_label,
    )
    return systems


def disturbed(run: Run, fused: SegmentFeatures) -> Systems:
    """The fused model as it is, with one modality blanked, and with one modality swapped between recordings.

    Raises:
        RuntimeError: the head gives something else than the network that it is of: a defect of this program.
    """
    segments, head = fused.predictions, FusedHead(run.model)
    tolerance = _TOLERANCE if run.config.precision == "float32" else _TOLERANCE_MIXED
    difference = float(np.abs(head(fused.features) - segments.probabilities).max())
    if not difference <= tolerance:
        raise RuntimeError(f"the fused model's head is off by {difference} from the whole network")

    def by_recording(features: Mapping[str, np.ndarray]) -> np.ndarray:
        return dataclasses.replace(segments, probabilities=head(features)).by_recording().probabilities

    recordings = segments.by_recording()
    systems = Systems(
        recordings=recordings,
        probabilities={"fused": recordings.probabilities, "chance": by_chance(recordings.labels)},
        swapped={},
        partner=partners(recordings.labels),
    )
    lent = partner_segments(segments.video_ids, segments.segment_index, systems.partner)
    blank = blank_features(run.model, run.dataset_info.log_mel_mean_db)
    for modality in BOTH:
        own = fused.features[modality]
        nothing = np.broadcast_to(blank[modality], own.shape)
        systems.probabilities[f"{modality}_blanked"] = by_recording({**fused.features, modality: nothing})
        systems.swapped[f"{modality}_swapped"] = by_recording({**fused.features, modality: own[lent]})
    return systems


def _add_probes(
    systems: Systems, name: str, model: keras.Model, dataset: Dataset, of_split: RecordingFeatures, batch_size: int
) -> None:
    """Fits a probe for each modality of the model on the training recordings and asks it about the split's."""
    known = recording_features(model, dataset, "train", batch_size)
    chosen_on = None
    if dataset.segments.get("validation"):
        chosen_on = recording_features(model, dataset, "validation", batch_size)
    for modality, features in known.features.items():
        validation = (chosen_on.features[modality], chosen_on.labels) if chosen_on else None
        what = SYSTEMS[f"{modality}_{name}"]
        tell(f"{what}: training on {len(known.labels)} recordings")
        probe = fit_probe(features, known.labels, validation, multi_label=dataset.multi_label)
        systems.probabilities[f"{modality}_{name}"] = probe.probabilities(of_split.features[modality])
        systems.probe_c[f"{modality}_{name}"] = probe.c
