"""The model card and model.json, of runs that were and were not measured."""

import dataclasses
import json
import re
from html import unescape
from pathlib import Path

import markdown
import pytest
from dataset_factory import write_dataset

from trainer.evaluation.split_evaluation import evaluate
from trainer.exported.check import Checked
from trainer.exported.model_card import model_card
from trainer.exported.model_card_text import code, plain, table
from trainer.exported.model_facts import model_facts

CHECKED = Checked(8, "test", "", 2e-7, 1e-5)
ODD_LABELS = ("a|b & <b>c</b>", "_snare_ *drum*", "`x` [y](z) \\| ~~w~~")


def html_of(text):
    return markdown.markdown(text, extensions=["tables"])


def read(html):
    """What a person sees of HTML."""
    return unescape(re.sub(r"<[^>]+>", "", html))


def rows(html, caption):
    """The rows of the table whose head holds the caption, as lists of cells."""
    for found in re.findall(r"<table>.*?</table>", html, flags=re.DOTALL):
        lines = re.findall(r"<tr>(.*?)</tr>", found, flags=re.DOTALL)
        cells = [[read(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)] for line in lines]
        if caption in cells[0]:
            return cells[1:]
    raise AssertionError(f"no table of {caption}")


def card(run, precision="float32", checked=CHECKED):
    facts = model_facts(run, precision, checked)
    assert json.loads(json.dumps(facts)) == facts
    return model_card(facts)


@pytest.mark.parametrize("name", [*ODD_LABELS, "plain", "1. # x", "$a$ {b}", "a\\", "&amp; a__b__c"])
def test_names_are_read_as_they_are(name):
    assert read(html_of(f"Label: {plain(name)}.")) == f"Label: {name}."
    cells = rows(html_of(table(["label", "x"], [[plain(name), "1"], ["y", "2"]])), "label")
    assert cells == [[name, "1"], ["y", "2"]]


@pytest.mark.parametrize("text", ["--a=b", "a `b` c", "`` ` ``", "<i> & |"])
def test_code_is_read_as_it_is(text):
    assert re.search(r"<code>(.*?)</code>", html_of(f"x {code(text)} y"))
    assert read(html_of(f"x {code(text)} y")) == f"x {text} y"


@pytest.fixture
def measured(untrained_run, tmp_path):
    """A joint run on a dataset with odd names and rejects, with metrics of the test split and an audit of it."""
    dataset = write_dataset(
        tmp_path / "odd", labels=ODD_LABELS, recordings={"train": 9, "validation": 3, "test": 6}
    )
    run = untrained_run("joint", dataset, init_from="")
    evaluate(run, dataset, "test", 8)
    interval = {"value": 0.5, "low": 0.25, "high": 0.75}
    audit = {"metric": "hit_at_1", "recordings": 6, "absent": {}, "verdict": ["Audio leads by _much_ | or not."]}
    Path(run.run_dir, "audit.json").write_text(
        json.dumps({"test": {**audit, "scores": {"fused": interval, "audio_alone": interval}, "better": "audio"}})
    )
    return run


def test_counts_metrics_and_verdict_of_a_measured_run(measured):
    html = html_of(card(measured))
    dataset = measured.dataset_info
    assert rows(html, "recordings") == [["train", "9", "18"], ["validation", "3", "6"], ["test", "6", "12"]]
    assert rows(html, "segments of") == [[name, "6", "2", "4"] for name in ODD_LABELS]
    scores = json.loads(Path(measured.run_dir, "metrics.json").read_text())["test"]
    found = {name: cells for name, *cells in rows(html, "segment")}
    for name in ("hit_at_1", "map", "calibration_error"):
        for cell, level in zip(found[name], ("segment", "recording"), strict=True):
            value = scores[level][name]
            assert cell == f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
    assert found["count"] == ["12", "6"]
    assert [row[0] for row in rows(html, "by recording")] == list(ODD_LABELS)
    assert "Audio leads by _much_ | or not." in read(html)
    assert rows(html, "Hit@1 by recording") == [
        ["fused model", "0.500 (0.250 to 0.750)"],
        ["audio alone", "0.500 (0.250 to 0.750)"],
    ]
    assert "Every recording and every segment could be used." in read(html)
    assert "Not evaluated" not in read(html)
    assert "Not audited" not in read(html)
    assert "differ from those of the Keras model by at most 2e-07 (1e-05 is accepted)" in read(html)
    assert dataset.fingerprint in read(html)
    assert "another dataset" not in read(html)


def test_figures_of_another_dataset_of_seen_splits_and_of_another_precision_are_told(measured):
    file = Path(measured.run_dir, "metrics.json")
    metrics = json.loads(file.read_text())["test"]
    file.write_text(json.dumps({"validation": metrics, "train": metrics}))
    html = read(html_of(card(measured, "mixed_bfloat16", Checked(0, "", "it is gone", 0.0, 3e-2, 0.004))))
    assert "Not evaluated on the test split." in html
    assert html.index("On the train split") < html.index("On the validation split")
    assert (
        "On the train split, with 95 % intervals over recordings (of another dataset: the run's own has 9" in html
    )
    assert "All of it was measured in float32." in html
    assert "Computes in mixed_bfloat16, trained in float32" in html
    assert "checked on made-up segments" in html
    assert "from those in the precision of the training they differ by 0.004; it is gone" in html


def test_figures_of_another_dataset_with_as_many_recordings_are_told_by_its_fingerprint(measured):
    own = measured.dataset_info.fingerprint
    facts = model_facts(measured, "float32", CHECKED)
    assert facts["metrics"]["test"]["fingerprint"] == own
    assert facts["audit"]["test"]["fingerprint"] is None  # as earlier versions wrote it
    for name in ("metrics.json", "audit.json"):
        file = Path(measured.run_dir, name)
        entry = json.loads(file.read_text())["test"]
        file.write_text(json.dumps({"test": {**entry, "fingerprint": "e" * 64}}))
    html = read(html_of(card(measured)))
    other = "(of another dataset, eeeeeeeeeeee, than the run's own)"
    assert f"On the test split, with 95 % intervals over recordings {other}:" in html
    assert f"On the test split (6 recordings) {other}:" in html
    file = Path(measured.run_dir, "audit.json")
    entry = json.loads(file.read_text())["test"]
    file.write_text(json.dumps({"test": {**entry, "recordings": 5, "fingerprint": own}}))
    assert "(5 recordings) (of another dataset: the run's own has 6 recordings there):" in read(
        html_of(card(measured))
    )


def test_what_was_not_measured_is_said_plainly(untrained_run):
    html = read(html_of(card(untrained_run("independent"))))
    assert "Not evaluated before this export" in html
    assert "Not audited before this export" in html
    assert "hears and sees" in html


@pytest.mark.parametrize(
    ("scheme", "sense", "lacks", "tensors"),
    [
        ("audio", "sound", "sees nothing", {"waveform", "log_mel"}),
        ("visual", "pictures", "hears nothing", {"jpeg", "frame"}),
    ],
)
def test_a_model_of_one_modality_claims_nothing_of_the_other(untrained_run, scheme, sense, lacks, tensors):
    text = card(untrained_run(scheme))
    html = html_of(text)
    assert text.startswith(f"# Model card: instruments in {sense}\n")
    assert f"It {lacks}." in read(html)
    assert f"It has one: {sense}." in read(html)
    assert "Not audited" not in read(html)
    called = [row for row in rows(html, "signature") if not row[1].startswith("gives")]
    assert {row[1] for row in called} == tensors | {"examples"}
    other = "visual" if scheme == "audio" else "audio"
    assert f"{other}_features" not in text
    assert f"{other}:" not in text


def test_model_json_names_what_programs_need(untrained_run, tmp_path):
    several = write_dataset(tmp_path / "several", multi_label=True)
    several = dataclasses.replace(several, rejects=3)
    facts = model_facts(untrained_run("joint", several), "float32", CHECKED)
    assert (facts["multi_label"], facts["labels"]) == (True, ["cello", "drum", "flute"])
    assert facts["signatures"]["serving_default"]["inputs"]["waveform"]["shape"] == [None, 22050]
    assert facts["signatures"]["features"]["outputs"]["visual_features"]["shape"] == [None, 2048]
    assert facts["dataset"]["versions"] == {"test": "1"}
    assert facts["dataset"]["fingerprint"] == several.fingerprint
    assert (facts["metrics"], facts["audit"]) == ({}, {})
    text = read(html_of(model_card(facts)))
    assert "each label by itself (sigmoid); 0.5 or more counts as there" in text
    assert "add up to 1" not in text
    assert "could not be used: 3, each with its reason" in text
    assert "it still names some of its own" not in text
