import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from audit_toys import toy_carried_by, toy_run
from dataset_factory import write_dataset

from avinst.errors import UserError
from trainer import evaluate
from trainer.audit.auditing import audit_run, compare, follow_shares
from trainer.audit.report import audit_text, labels_markdown, write_audit
from trainer.audit.result import SYSTEMS
from trainer.audit.stages import stages_run
from trainer.audit.systems import Systems, disturbed
from trainer.audit.words import audit_verdict
from trainer.config import TrainConfig
from trainer.evaluation.predictions import Predictions
from trainer.run import read_config


@pytest.fixture(scope="module")
def toy_audit(tmp_path_factory):
    """Makes the audit of a toy whose label `carrier` tells, once."""
    made = {}

    def audit(carrier):
        if carrier not in made:
            folder = tmp_path_factory.mktemp(carrier)
            dataset = toy_carried_by(carrier, folder / "dataset")
            made[carrier] = audit_run(toy_run(dataset, folder / "run"), dataset, "test")
        return made[carrier]

    return audit


@pytest.mark.parametrize(
    ("carrier", "noun", "other"), [("audio", "audio", "visual"), ("visual", "vision", "audio")]
)
def test_where_one_modality_carries_the_label_the_audit_says_so(toy_audit, carrier, noun, other):
    audit = toy_audit(carrier)
    assert audit_verdict(audit)[0].startswith(
        f"Only {noun} carries the label, as far as 64 recordings tell: {noun} alone"
    )
    assert audit.better == carrier
    assert audit.single == {"audio": "audio_alone", "visual": "visual_alone"}
    assert audit.scores["fused"].value >= 0.95
    for kind in ("alone", "probe"):
        assert audit.scores[f"{carrier}_{kind}"].value >= 0.95
        assert audit.scores[f"{other}_{kind}"].low <= 0.5
    # What carries nothing may be taken away or be another recording's; the fused model believes the carrier.
    assert audit.scores[f"{other}_blanked"].value >= 0.95
    assert audit.scores[f"{carrier}_blanked"].value <= 0.6
    assert audit.follows[carrier].value >= 0.9
    assert audit.judge("fused_minus_better") == "none"


def test_where_only_both_together_carry_the_label_the_audit_says_so(toy_audit):
    audit = toy_audit("both")
    first, second, third = audit_verdict(audit)[:3]
    assert first.startswith("Only audio and vision together decide: fused they reach")
    assert second.startswith("Fusion helps against")
    assert third.startswith("It beats the plain product")
    assert audit.scores["fused"].value >= 0.95
    assert audit.scores["chance"].value == 0.5
    for name in ("audio_alone", "visual_alone", "audio_probe", "visual_probe"):
        assert audit.scores[name].low <= 0.5
    assert audit.mcnemar_p < 0.001
    assert len(audit.gains) > 15
    # A lender of the other label has another sound or another picture, each as often: the decision is a coin's.
    for name in ("audio", "visual"):
        assert 0.3 < audit.follows[name].value < 0.7


def test_an_audit_is_the_same_again(toy_audit, tmp_path):
    dataset = toy_carried_by("both", tmp_path / "dataset")
    again = audit_run(toy_run(dataset, tmp_path / "run"), dataset, "test", batch_size=11)
    for name, score in toy_audit("both").scores.items():
        np.testing.assert_allclose(again.scores[name], score, atol=1e-9, err_msg=name)


def systems(labels, partner, **probabilities):
    labels = np.array(labels, np.float32)
    recordings = Predictions(
        video_ids=np.array([f"r{number}" for number in range(len(labels))]),
        segment_index=np.zeros(len(labels), int),
        start_seconds=np.zeros(len(labels)),
        labels=labels,
        probabilities=np.array(probabilities["fused"]),
    )
    told = {name: np.array(values, float) for name, values in probabilities.items()}
    swapped = {name: told.pop(name, labels) for name in ("audio_swapped", "visual_swapped")}
    return Systems(recordings, {**told, "chance": labels * 0 + labels.mean(axis=0)}, swapped, np.array(partner))


A, B, C = np.eye(3).tolist()
NAMES = ("a", "b", "c")


def test_gains_and_losses_are_against_the_better_modality():
    found = compare(
        systems(
            [A, A, B, B], [2, 3, 0, 1],
            fused=[A, A, B, A],
            audio_alone=[A, B, A, B],
            visual_alone=[B, B, A, A],
            product=[A, A, B, B],
        ),
        "independent", "test", "run", NAMES, multi_label=False,
    )  # fmt: skip
    assert found.better == "audio"
    assert (found.gains, found.losses) == (["r1", "r2"], ["r3"])
    assert found.mcnemar_p == 1.0
    # Audio is right on r0 and r3, vision on none, the fused model on all but r3.
    assert found.alone_right == {
        "both": {"recordings": 0, "fused": 0},
        "audio": {"recordings": 2, "fused": 1},
        "visual": {"recordings": 0, "fused": 0},
        "neither": {"recordings": 2, "fused": 2},
    }
    assert found.differences["fused_minus_better"].value == 0.25
    assert found.differences["audio_minus_visual"].value == 0.5
    assert found.differences["fused_minus_product"].value == -0.25
    assert found.differences["audio_minus_chance"].value == 0.0
    # Of the two A the sound is taken for A and B, of the two B for A and B.
    assert found.per_label["audio_alone"] == {
        "a": {"recall": 0.5, "average_precision": 0.5, "taken_for": {"label": "b", "count": 1}, "count": 2},
        "b": {"recall": 0.5, "average_precision": 0.5, "taken_for": {"label": "a", "count": 1}, "count": 2},
        "c": {"recall": None, "average_precision": None, "taken_for": None, "count": 0},
    }
    assert set(found.per_label) == {"fused", "audio_alone", "visual_alone", "product"}
    # In the order of the fused model's average precision, 2/3 of a and 3/4 of b.
    assert labels_markdown(found).splitlines()[2:] == [
        "| a | 0.500 | 0.500 | b 1 | 0.000 | 0.500 | b 2 |",
        "| b | 0.500 | 0.500 | a 1 | 0.000 | 0.500 | a 2 |",
        "| c | - | - | - | - | - | - |",
    ]


def test_the_order_of_the_recordings_changes_nothing():
    made = systems(
        [A, B, C, B], [1, 2, 0, 0],
        fused=[A, B, C, A],
        audio_alone=[A, B, B, C],
        visual_alone=[A, A, A, A],
        audio_swapped=[B, C, C, C],
        visual_swapped=[A, B, A, C],
    )  # fmt: skip
    order = np.array([2, 0, 3, 1])
    rows = {name: values[order] for name, values in dataclasses.asdict(made.recordings).items()}
    shuffled = Systems(
        Predictions(**rows),
        {name: values[order] for name, values in made.probabilities.items()},
        {name: values[order] for name, values in made.swapped.items()},
        np.argsort(order)[made.partner[order]],
    )
    found, expected = (
        compare(one, "independent", "test", "run", NAMES, multi_label=False) for one in (shuffled, made)
    )
    assert found == expected


def test_swaps_are_measured_where_the_labels_differ():
    # The labels lent are B, C, A, A and, the recording's own, C.
    found = compare(
        systems(
            [A, B, C, B, C], [1, 2, 0, 0, 2],
            fused=[A, B, C, B, C],
            audio_swapped=[B, C, C, C, A],
            visual_swapped=[A, B, A, C, A],
        ),
        "joint", "test", None, NAMES, multi_label=False,
    )  # fmt: skip
    assert found.swapped_recordings == 4
    # Against the labels of the modality that stays, A, B, C, B.
    assert found.scores["audio_swapped"].value == 0.25
    assert found.scores["visual_swapped"].value == 0.5
    # Audio swapped: the lent sound's label twice, the picture's once, neither once.
    # Visual swapped: the sound's label twice, the lent picture's once, neither once.
    assert {name: score.value for name, score in found.follows.items()} == {
        "audio": 0.5,
        "visual": 0.25,
        "neither": 0.25,
    }


def test_with_one_label_only_nothing_is_swapped():
    found = compare(systems([A, A], [1, 0], fused=[A, B]), "joint", "test", None, NAMES, multi_label=False)
    assert found.follows == {}
    assert set(found.absent) == {"audio_swapped", "visual_swapped"}
    assert found.better is None
    assert "fused" in found.scores
    assert "audio_swapped" not in found.scores


def test_with_several_labels_any_of_them_is_followed():
    own, lent = np.array([[1, 1, 0]], np.float32), np.array([[0, 0, 1]], np.float32)
    swapped = {"audio_swapped": np.array([[0.2, 0.6, 0.5]]), "visual_swapped": np.array([[0.1, 0.2, 0.7]])}
    found = follow_shares(swapped, own, lent)
    # Audio swapped: the second label is the picture's own. Visual swapped: the third is that of the lent picture.
    assert {name: score.value for name, score in found.items()} == {"audio": 0, "visual": 1, "neither": 0}


def test_a_multi_label_run_is_audited_by_mean_average_precision(untrained_run, tmp_path, capsys):
    several = write_dataset(
        tmp_path / "several", multi_label=True, recordings={"train": 8, "validation": 0, "test": 6}
    )
    run = untrained_run("joint", several)
    audit = audit_run(run, several, "test")
    assert audit.metric == "map"
    assert set(audit.probe_c) == {"audio_probe", "visual_probe"}
    assert "give --stages_from" in audit.absent["product"]
    assert audit_text(audit).count("give --stages_from") == 1  # though five systems lack it
    told = capsys.readouterr().err
    for modality in ("audio", "visual"):
        assert f"probe of {modality} features: training on 8 recordings" in told
    assert audit.single == {"audio": "audio_probe", "visual": "visual_probe"}
    assert any(
        sentence.startswith("With one modality blanked the fused model is left with mAP")
        for sentence in audit_verdict(audit)
    )
    write_audit(run.run_dir, audit)
    write_audit(run.run_dir, dataclasses.replace(audit, split="train"))
    written = json.loads((Path(run.run_dir) / "audit.json").read_text())
    assert written["test"]["scores"]["fused"] == audit.scores["fused"]._asdict()
    assert written["train"]["split"] == "train"


def test_without_a_training_split_there_are_no_probes(untrained_run, dataset):
    run = untrained_run("joint")
    only_test = dataclasses.replace(dataset, segments={"test": 24})
    audit = audit_run(run, only_test, "test")
    assert audit.absent["audio_probe"] == "the dataset has no training split"
    assert audit.better is None


def test_a_head_that_is_not_the_networks_is_a_defect(independent_run, dataset, monkeypatch):
    from trainer.audit.features import segment_features

    fused = segment_features(independent_run.model, dataset, "test", 24)
    other = dataclasses.replace(fused, features={**fused.features, "audio": fused.features["audio"] + 1})
    with pytest.raises(RuntimeError, match="head is off by"):
        disturbed(independent_run, other)


def test_the_command_audits_a_joint_run_against_the_stages_of_another(
    untrained_run, independent_run_dir, dataset, capsys
):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run_dir = untrained_run("joint").run_dir
    assert evaluate.main(["x", f"--run_dir={run_dir}", f"--stages_from={independent_run_dir}"]) == 0
    printed = capsys.readouterr().out
    audit = json.loads((Path(run_dir) / "audit.json").read_text())["test"]
    assert set(audit["scores"]) == set(SYSTEMS)
    assert audit["absent"] == {}
    assert audit["stages_from"] == independent_run_dir
    assert audit["fingerprint"] == dataset.fingerprint
    for sentence in audit["verdict"]:
        assert sentence in printed
    metrics = json.loads((Path(run_dir) / "metrics.json").read_text())["test"]["recording"]
    assert audit["scores"]["fused"] == metrics["hit_at_1"]
    for label, values in audit["per_label"]["fused"].items():
        of_run = metrics["per_label"][label]
        assert {name: of_run[name] for name in ("recall", "taken_for", "count")} == {
            name: values[name] for name in ("recall", "taken_for", "count")
        }
        assert values["average_precision"] == pytest.approx(of_run["average_precision"])
    assert set(audit["per_label"]) == set(SYSTEMS) - {"chance", "audio_swapped", "visual_swapped"}
    assert "audio alone: recall" in printed
    assert "Joint training against training alone" in printed
    log = EventAccumulator(str(Path(run_dir) / "logs" / "audit-test"), {"tensors": 0}).Reload()
    assert set(log.Tags()["tensors"]) == {"audit/labels", "audit/scores", "audit/verdict"}
    text = log.Tensors("audit/verdict")[0].tensor_proto.string_val[0].decode()
    assert audit["verdict"][0] in text
    assert "| fused, audio blanked | 0." in text
    before = (Path(run_dir) / "audit.json").stat().st_mtime_ns
    assert evaluate.main(["x", f"--run_dir={run_dir}", "--noaudit"]) == 0
    assert (Path(run_dir) / "audit.json").stat().st_mtime_ns == before
    assert "chance" not in capsys.readouterr().out


def test_stages_that_do_not_fit_are_told_before_anything_is_computed(
    untrained_run, independent_run_dir, tmp_path, monkeypatch
):
    from trainer.audit.auditing import check_auditable

    joint = untrained_run("joint").run_dir
    assert check_auditable(joint)
    assert check_auditable(independent_run_dir)
    assert not check_auditable(untrained_run("audio").run_dir)
    with pytest.raises(UserError, match=r"only a joint run .* is of the scheme independent"):
        check_auditable(independent_run_dir, joint)
    with pytest.raises(UserError, match="no run directory"):
        check_auditable(joint, str(tmp_path / "none"))
    with pytest.raises(UserError, match="no finished stage 'audio' there"):
        check_auditable(joint, untrained_run("visual").run_dir)
    _, trained_on = read_config(joint)
    began_with = TrainConfig(scheme="joint", init_from=independent_run_dir)
    assert stages_run(joint, began_with, trained_on) == independent_run_dir
    gone = TrainConfig(scheme="joint", init_from=str(tmp_path / "none"))
    assert stages_run(joint, gone, trained_on) is None
    config = Path(joint) / "config.json"
    config.write_text(config.read_text().replace('"fingerprint": "', '"fingerprint": "x'))
    with pytest.raises(UserError, match="trained on another dataset"):
        check_auditable(joint, independent_run_dir)
    (Path(joint) / "audit.json").write_text("{")
    with pytest.raises(UserError, match=r"audit\.json' is damaged"):
        check_auditable(joint)


def test_the_command_reads_a_split_once_for_each_network(
    independent_run, independent_run_dir, dataset, monkeypatch
):
    from trainer.evaluation import predictions

    read = []

    def keyed_examples(dataset, split, batch_size):
        read.append(split)
        return read_split(dataset, split, batch_size)

    read_split = predictions.keyed_examples
    monkeypatch.setattr(predictions, "keyed_examples", keyed_examples)
    assert evaluate.main(["x", f"--run_dir={independent_run_dir}"]) == 0
    # The whole and its two stages; for the probes the whole once more on what they are fitted to and chosen on.
    assert sorted(read) == ["test", "test", "test", "train", "validation"]
    written = json.loads((Path(independent_run_dir) / "audit.json").read_text())["test"]
    by_itself = audit_run(independent_run, dataset, "test")
    assert written["scores"] == {name: score._asdict() for name, score in by_itself.scores.items()}
