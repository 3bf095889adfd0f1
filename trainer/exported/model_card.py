"""The model card: what an exported model is, was trained on, can do and cannot, as Markdown.

After Mitchell et al., Model Cards for Model Reporting (arXiv 1810.03993), made of `model.json` alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from avinst.manifests.rows import SPLITS
from trainer.config import TrainConfig
from trainer.evaluation.scores import DECISION_THRESHOLD
from trainer.exported.model_card_measured import audit_lines, metrics_lines
from trainer.exported.model_card_text import bullets, code, plain, senses, table

_SCHEMES = {
    "audio": "hears only: one network on the sound",
    "visual": "sees only: one network on the picture",
    "independent": "hears and sees: two networks trained apart, then frozen, and one head on the features of both",
    "joint": "hears and sees: two networks and one head on the features of both, trained together",
}
# Fewer training segments than this are named.
_FEW_SEGMENTS = 100


def model_card(facts: Mapping[str, Any]) -> str:
    """Markdown of `trainer.exported.model_facts.model_facts`."""
    sections = {
        f"Model card: instruments in {senses(facts['modalities'])}": _overview(facts),
        "Intended use, and limits": _limits(facts),
        "Data": _data(facts),
        "How well it recognises": metrics_lines(facts),
        "Which modality does the work": audit_lines(facts),
        "How to call it": _calls(facts),
        "Where it comes from": _provenance(facts),
    }
    parts = []
    for number, (title, lines) in enumerate(sections.items()):
        parts.append(f"{'##' if number else '#'} {title}\n\n" + "\n\n".join(part for part in lines if part))
    return "\n\n".join(parts) + "\n"


def _overview(facts: Mapping[str, Any]) -> list[str]:
    networks = ", ".join(f"{name}: {code(network)}" for name, network in facts["backbones"].items())
    own = facts["training"]["flags"]["precision"]
    precision = facts["precision"] if facts["precision"] == own else f"{facts['precision']}, trained in {own}"
    decides = (
        f"each label by itself (sigmoid); {DECISION_THRESHOLD:g} or more counts as there"
        if facts["multi_label"]
        else "one label among all (softmax): the probabilities of a segment add up to 1"
    )
    return [
        bullets(
            [
                f"Labels ({len(facts['labels'])}): {', '.join(map(plain, facts['labels']))}",
                f"It {_SCHEMES[facts['scheme']]} (scheme {code(facts['scheme'])})",
                f"Networks: {networks}; {facts['parameters']:,} parameters",
                f"It decides {decides}",
                f"Computes in {precision}",
                f"At the export it was {_checked(facts)}",
            ]
        )
    ]


def _limits(facts: Mapping[str, Any]) -> list[str]:
    seconds = facts["dataset"]["spec"]["segment_seconds"]
    train = facts["dataset"]["label_segments"].get("train", {})
    few = [name for name in facts["labels"] if train.get(name, 0) < _FEW_SEGMENTS]
    found = [
        f"For recordings like those that it was trained on, {seconds:g} s at a time; a recording's probabilities "
        "are the mean over its segments.",
        "Labels that it does not know are not recognised"
        + (
            "."
            if facts["multi_label"]
            else ": with one of them, or with no instrument at all, it still names some of its own."
        ),
        "Its figures below say nothing about other recordings, microphones or cameras than those of its data.",
    ]
    if few:
        which = "all labels" if len(few) == len(facts["labels"]) else ", ".join(map(plain, few))
        found.append(f"Trained on fewer than {_FEW_SEGMENTS} segments each: {which}.")
    if len(facts["modalities"]) == 1:
        blind = "sees nothing" if facts["modalities"] == ["audio"] else "hears nothing"
        found.append(f"It {blind}.")
    found.append(
        "Rights in the videos, and who is to be seen and heard in them, are not known to avinst: who publishes "
        "the model must add it here."
    )
    return [bullets(found)]


def _data(facts: Mapping[str, Any]) -> list[str]:
    dataset = facts["dataset"]
    rows = [
        [split, str(dataset["recordings"].get(split, 0)), str(dataset["segments"].get(split, 0))]
        for split in SPLITS
    ]
    labels = [
        [plain(name), *(str(dataset["label_segments"].get(split, {}).get(name, 0)) for split in SPLITS)]
        for name in facts["labels"]
    ]
    return [
        table(["split", "recordings", "segments"], rows),
        table(["segments of", *SPLITS], labels),
        "A recording, and all recordings of one group of the manifest, lie in one split. "
        + ("Validation chose the epoch whose weights were kept. " if dataset["segments"].get("validation") else "")
        + (
            f"Recordings and segments that could not be used: {dataset['rejects']}, each with its reason in the "
            f"dataset's {code('rejects.jsonl')}."
            if dataset["rejects"]
            else "Every recording and every segment could be used."
        )
        + (" A segment may bear several labels." if facts["multi_label"] else ""),
    ]


def _calls(facts: Mapping[str, Any]) -> list[str]:
    rows = [
        [code(signature), code(name), f"{tensor['dtype']} {_shape(tensor['shape'])}", tensor["meaning"]]
        for signature, found in facts["signatures"].items()
        for name, tensor in found["inputs"].items()
    ]
    rows += [
        [
            code(signature),
            f"gives {code(name)}",
            f"{tensor['dtype']} {_shape(tensor['shape'])}",
            "in the order of `labels.txt`" if name == "probabilities" else "penultimate features",
        ]
        for signature, found in facts["signatures"].items()
        for name, tensor in found["outputs"].items()
    ]
    return [table(["signature", "tensor", "type", "what"], rows)]


def _provenance(facts: Mapping[str, Any]) -> list[str]:
    training, dataset = facts["training"], facts["dataset"]
    found = [
        f"Trained by {code(training['command'])}" if training["command"] else "",
        f"Seed {training['seed']}; settings that are not the defaults: {_settings(training['flags'])}",
        f"Trained with {_versions(training['versions'])}",
        f"Dataset {code(dataset['fingerprint'])}; made with {_versions(dataset['versions'])} "
        "(the `lib` ones are FFmpeg's)",
        f"Exported on {facts['export']['date']} with {_versions(facts['export']['versions'])}",
    ]
    return [bullets(line for line in found if line)]


def _settings(flags: Mapping[str, Any]) -> str:
    changed = TrainConfig.from_json(flags).flags()
    return ", ".join(code(f"--{name}={value}") for name, value in changed.items())


def _checked(facts: Mapping[str, Any]) -> str:
    check = facts["check"]
    what = (
        f"{check['segments']} segments of the {check['split']} split" if check["segments"] else "made-up segments"
    )
    text = (
        f"checked on {what}: probabilities differ from those of the Keras model by at most "
        f"{check['difference']:.1g} ({check['tolerance']:g} is accepted)"
    )
    if check["precision_difference"]:
        text += (
            ", computed in the same precision; from those in the precision of the training they differ by "
            f"{check['precision_difference']:.1g}"
        )
    return f"{text}; {plain(check['reason'])}" if check["reason"] else text


def _shape(shape: Sequence[int | None]) -> str:
    return plain(f"[{', '.join('batch' if size is None else str(size) for size in shape)}]")


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown versions"
