"""The modality audit: what audio and vision do alone, together, without each other and against each other."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from avinst.dataset import Dataset
from trainer.audit.features import SegmentFeatures, segment_features
from trainer.audit.measures import Difference, Interval, PairedScores, mcnemar_p_value, paired_scores, right, share
from trainer.audit.result import Audit
from trainer.audit.stages import stages_run
from trainer.audit.systems import BOTH, Systems, all_systems
from trainer.evaluation.label_metrics import system_per_label
from trainer.evaluation.predictions import Predictions
from trainer.evaluation.split_evaluation import check_same_dataset
from trainer.models.build import MODALITIES
from trainer.run import AUDIT_FILE, Run, read_config, read_metrics

AUDITED_SCHEMES = tuple(scheme for scheme, modalities in MODALITIES.items() if modalities == BOTH)


def check_auditable(run_dir: str, stages_from: str = "") -> bool:
    """Tells what an audit would fail of before anything is computed.

    Args:
        run_dir: a run.
        stages_from: what `audit_run` is to be given.

    Returns:
        Whether the run is of a scheme that is audited.

    Raises:
        UserError: `stages_from` does not fit the run, or its audit.json is damaged.
    """
    config, trained_on = read_config(run_dir)
    stages_run(run_dir, config, trained_on, stages_from)
    read_metrics(run_dir, AUDIT_FILE)
    return config.scheme in AUDITED_SCHEMES


def audit_run(
    run: Run,
    dataset: Dataset,
    split: str,
    batch_size: int = 32,
    stages_from: str = "",
    *,
    fused: SegmentFeatures | None = None,
    stages: Mapping[str, Predictions] | None = None,
) -> Audit:
    """Measures which modality does the work in a fused run, and what fusion adds.

    Costs a pass over the training and validation splits for the probes; a joint run with stages costs another
    one through them.

    Args:
        run: of the scheme independent or joint.
        dataset: the one that it was trained on, or one prepared alike.
        split: train, validation or test.
        batch_size: segments that are computed together.
        stages_from: for a joint run, an independent run on the same dataset; empty for none.
        fused: what the run makes of the split, where that is known already.
        stages: what the stages of an independent run say of it, where that is known already.

    Raises:
        UserError: the dataset is none for the run, the split has no examples, or `stages_from` does not fit.
    """
    check_same_dataset(run, dataset)
    stages_dir = stages_run(run.run_dir, run.config, run.dataset_info, stages_from)
    if fused is None:
        fused = segment_features(run.model, dataset, split, batch_size)
    systems = all_systems(run, dataset, split, batch_size, stages_dir, fused, stages or {})
    found = compare(systems, run.config.scheme, split, stages_dir, dataset.labels, multi_label=dataset.multi_label)
    return dataclasses.replace(found, fingerprint=dataset.fingerprint)


def compare(
    systems: Systems,
    scheme: str,
    split: str,
    stages_dir: str | None,
    label_names: Sequence[str],
    *,
    multi_label: bool,
) -> Audit:
    """Turns what the systems say into scores, paired differences, gains and losses.

    Args:
        systems: probabilities by recording.
        scheme: independent or joint.
        split: train, validation or test.
        stages_dir: where the stages came from, or None.
        label_names: in the order of the columns.
        multi_label: whether recordings may bear several labels.
    """
    systems = systems.by_id()
    labels, absent = systems.recordings.labels, dict(systems.absent)
    paired = paired_scores(labels, systems.probabilities, multi_label=multi_label)
    scores = {name: paired.score(name) for name in paired.values}
    follows: dict[str, Interval] = {}
    # Where the lender's labels are the borrower's, swapping contradicts nothing.
    apart = ~(labels * labels[systems.partner] > 0).any(axis=1)
    if apart.any():
        swapped = {name: values[apart] for name, values in systems.swapped.items()}
        of_swapped = paired_scores(labels[apart], swapped, multi_label=multi_label)
        scores |= {name: of_swapped.score(name) for name in swapped}
        follows = follow_shares(swapped, labels[apart], labels[systems.partner][apart])
    else:
        absent |= dict.fromkeys(systems.swapped, "no two recordings without a label in common")
    single = _single(paired)
    better = max(single, key=lambda modality: paired.values[single[modality]], default=None)
    gains, losses = _gains_and_losses(systems, single[better]) if better else ([], [])
    return Audit(
        scheme=scheme,
        split=split,
        metric="map" if multi_label else "hit_at_1",
        recordings=len(labels),
        stages_from=stages_dir,
        scores=scores,
        absent=absent,
        single=single,
        better=better,
        differences=_differences(paired, single, better),
        gains=gains,
        losses=losses,
        alone_right=alone_right(systems, single) if better else {},
        mcnemar_p=mcnemar_p_value(len(gains), len(losses)) if better else None,
        swapped_recordings=int(apart.sum()),
        follows=follows,
        probe_c=systems.probe_c,
        per_label={
            name: system_per_label(labels, found, label_names, multi_label=multi_label)
            for name, found in systems.probabilities.items()
            if name != "chance"
        },
    )


def follow_shares(swapped: Mapping[str, np.ndarray], own: np.ndarray, lent: np.ndarray) -> dict[str, Interval]:
    """Whose label the fused model decides for where audio and vision come of recordings with other labels.

    Args:
        swapped: `audio_swapped` and `visual_swapped`, probabilities [recordings, labels].
        own: float32 [recordings, labels], multi-hot, labels of the recordings that keep the other modality.
        lent: the same of the recordings that lend it; no label in common with `own`.

    Returns:
        `audio`, `visual` and `neither`: shares of the recordings, mean over the two swaps.
    """
    of_audio = right(lent, swapped["audio_swapped"]) + right(own, swapped["visual_swapped"]).astype(float)
    of_visual = right(own, swapped["audio_swapped"]) + right(lent, swapped["visual_swapped"]).astype(float)
    counts = {"audio": of_audio, "visual": of_visual, "neither": 2 - of_audio - of_visual}
    return {name: share(count / 2) for name, count in counts.items()}


def _single(paired: PairedScores) -> dict[str, str]:
    """What stands for each modality alone: its stage, else its probe, else nothing."""
    for kind in ("alone", "probe"):
        names = {modality: f"{modality}_{kind}" for modality in BOTH}
        if all(name in paired.values for name in names.values()):
            return names
    return {}


def _gains_and_losses(systems: Systems, alone: str) -> tuple[list[str], list[str]]:
    labels, ids = systems.recordings.labels, systems.recordings.video_ids
    fused, single = right(labels, systems.probabilities["fused"]), right(labels, systems.probabilities[alone])
    return ids[fused & ~single].tolist(), ids[~fused & single].tolist()


def _differences(paired: PairedScores, single: Mapping[str, str], better: str | None) -> dict[str, Difference]:
    pairs = {"fused_minus_chance": ("fused", "chance")}
    pairs |= {f"{modality}_minus_chance": (system, "chance") for modality, system in single.items()}
    if better:
        pairs["audio_minus_visual"] = (single["audio"], single["visual"])
        pairs["fused_minus_better"] = ("fused", single[better])
    pairs["fused_minus_product"] = ("fused", "product")
    for modality in BOTH:
        pairs[f"{modality}_probe_minus_stage_probe"] = (f"{modality}_probe", f"{modality}_stage_probe")
    return {
        name: paired.difference(*systems)
        for name, systems in pairs.items()
        if all(system in paired.values for system in systems)
    }


def alone_right(systems: Systems, single: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Which modality alone is right, on how many recordings, and on how many of those the fused model is right.

    Args:
        systems: probabilities by recording, of the fused model and of those in `single`.
        single: modality to the system that stands for it alone.

    Returns:
        `both`, `audio`, `visual` and `neither` to `{"recordings", "fused"}`.
    """
    labels = systems.recordings.labels
    fused = right(labels, systems.probabilities["fused"])
    audio, visual = (right(labels, systems.probabilities[single[modality]]) for modality in BOTH)
    who = {
        "both": audio & visual,
        "audio": audio & ~visual,
        "visual": visual & ~audio,
        "neither": ~(audio | visual),
    }
    return {
        name: {"recordings": int(rows.sum()), "fused": int((rows & fused).sum())} for name, rows in who.items()
    }
