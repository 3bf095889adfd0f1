"""What the model card says of the measurements: how well it recognises, and which modality does the work."""

from collections.abc import Mapping
from typing import Any

from avinst.manifests.rows import SPLITS
from trainer.audit.result import METRIC_TITLES, SYSTEMS
from trainer.evaluation.scores import NAMES
from trainer.evaluation.tables import LEVELS, explanations
from trainer.exported.model_card_text import bullets, code, plain, senses, table


def metrics_lines(facts: Mapping[str, Any]) -> list[str]:
    """The scores of each split that was evaluated, with their intervals, and what they mean."""
    if not facts["metrics"]:
        return ["**Not evaluated** before this export: nothing is known. `avinst evaluate`, then export again."]
    parts = []
    for split in sorted(facts["metrics"], key=SPLITS.index):
        found = facts["metrics"][split]
        rows = [[code(name), *(_interval(found[level][name]) for level in LEVELS)] for name in NAMES]
        rows.append(["count", *(str(found[level]["count"]) for level in LEVELS)])
        parts += [
            f"On the {split} split, with 95 % intervals over recordings" + _caveat(facts, split) + ":",
            table(["", *LEVELS], rows),
            _per_label(found["recording"]["per_label"]),
        ]
    if "test" not in facts["metrics"]:
        parts.insert(0, "**Not evaluated on the test split.**")
    if facts["precision"] != facts["training"]["flags"]["precision"]:
        parts.append(f"All of it was measured in {facts['training']['flags']['precision']}.")
    notes = {
        "hit_at_k": "share of cases with a true label among the k most probable",
        "map": "mean over labels of the average precision",
    } | explanations(multi_label=facts["multi_label"], labels=len(facts["labels"]))
    parts.append(bullets(f"{code(name)}: {text}" for name, text in notes.items()))
    parts.append(
        f"Calibration: {code('calibration_error')} is how far a probability lies from the share of cases in which "
        "it is right, on the average; 0 is best."
    )
    return parts


def audit_lines(facts: Mapping[str, Any]) -> list[str]:
    """What the audit of each split found."""
    if len(facts["modalities"]) == 1:
        return [f"It has one: {senses(facts['modalities'])}."]
    if not facts["audit"]:
        return ["**Not audited** before this export: it is not known. `avinst evaluate`, then export again."]
    parts = []
    for split in sorted(facts["audit"], key=SPLITS.index):
        found = facts["audit"][split]
        title = f"{METRIC_TITLES[found['metric']]} by recording"
        rows = [[SYSTEMS[name], _interval(found["scores"][name])] for name in SYSTEMS if name in found["scores"]]
        parts += [
            f"On the {split} split ({found['recordings']} recordings)"
            + _other_dataset(facts, split, found, found["recordings"])
            + ":",
            bullets(map(plain, found["verdict"])),
            table(["", title], rows),
        ]
    return parts


def _caveat(facts: Mapping[str, Any], split: str) -> str:
    """What makes figures of a split say less than they seem to."""
    found = facts["metrics"][split]
    seen = {"train": " (which it was trained on)", "validation": " (which its epoch was chosen on)"}
    return _other_dataset(facts, split, found, found["recording"]["count"]) or seen.get(split, "")


def _other_dataset(facts: Mapping[str, Any], split: str, found: Mapping[str, Any], counted: int) -> str:
    """Told where figures are not of the dataset that the run was trained on; empty where they are."""
    own = facts["dataset"]["recordings"].get(split, 0)
    if counted != own:  # all that tells figures of earlier versions
        return f" (of another dataset: the run's own has {own} recordings there)"
    fingerprint = found["fingerprint"]
    if fingerprint and fingerprint != facts["dataset"]["fingerprint"]:
        return f" (of another dataset, {code(fingerprint[:12])}, than the run's own)"
    return ""


def _per_label(per_label: Mapping[str, Mapping[str, Any]]) -> str:
    columns = ("precision", "recall", "f1", "average_precision", "calibration_error")
    rows = [
        [
            plain(name),
            *("-" if found[key] is None else f"{found[key]:.3f}" for key in columns),
            str(found["count"]),
        ]
        for name, found in per_label.items()
    ]
    return table(["by recording", *(key.replace("_", " ") for key in columns), "count"], rows)


def _interval(cell: Mapping[str, float]) -> str:
    return f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"
