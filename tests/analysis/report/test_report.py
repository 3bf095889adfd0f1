import base64
import dataclasses
import html
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from analysis.report.markup import Markup, element, json_block
from analysis.report.page import render_report
from analysis.run_record import RunRecord

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Collects what a browser would fetch, and checks that elements are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.images, self.ids, self.anchors, self.texts = [], [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [values[name] for name in ("src", "srcset", "data", "action", "poster") if name in values]
        if tag == "img":
            self.images.append(values)
        if tag == "link":
            self.sources.append(values["href"])
        if tag == "a":
            self.anchors.append(values["href"])
        if "id" in values:
            self.ids.append(values["id"])
        assert tag not in {"iframe", "object"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def measured(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


METRICS = {
    level: {
        name: measured(0.7)
        for name in ("hit_at_1", "hit_at_3", "f1_macro", "map", "log_loss", "calibration_error")
    }
    for level in ("segment", "recording")
}


def render(study, pictures, metrics=METRICS, audit=None, sounds=None, of_another_dataset=(), stages_command=""):
    record = RunRecord(
        scheme="joint",
        scores={"audio alone": METRICS, "joint (this run)": metrics} if metrics else {},
        audit=audit,
        train_command="avinst train --run_dir='a & b' --scheme=joint",
        evaluate_command="avinst evaluate --run_dir='a & b' --split=test",
        analyze_command="avinst analyze --run_dir='a & b'",
        versions={"keras": "3"},
        of_another_dataset=of_another_dataset,
        stages_command=stages_command,
    )
    return render_report(study, pictures, sounds or {}, record, title="Why <joint> decides")


@pytest.fixture(scope="module")
def text(toy_study, toy_pictures, toy_sounds):
    return render(toy_study, toy_pictures, sounds=toy_sounds)


def test_everything_is_inside_the_file(text, toy_pictures):
    page = Page(text)
    assert page.sources
    assert all(source.startswith(("data:image/", "data:audio/")) for source in page.sources)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in html.unescape(text)
    assert len(page.images) == len(toy_pictures)
    for image in page.images:
        content = base64.b64decode(image["src"].partition("base64,")[2])
        assert Image.open(io.BytesIO(content)).width > 300
        assert image["alt"]


def test_links_lead_to_their_labels(text, toy_study):
    page = Page(text)
    assert {f"#label-{index}" for index in range(3)} <= set(page.anchors)
    inner = {anchor.removeprefix("#") for anchor in page.anchors if not anchor.startswith("https://")}
    assert inner <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_names_are_escaped(text):
    page = Page(text)
    words = "".join(page.texts)
    assert "alto <sax>/b" in words
    assert "Why <joint> decides" in words
    for command in ("train --run_dir='a & b' --scheme=joint", "evaluate --run_dir", "analyze --run_dir='a & b'"):
        assert f"avinst {command}" in words
    assert "<sax>" not in text


def test_says_the_main_finding_first_and_gives_light_and_dark(text):
    assert text.index(">Summary</h2>") < text.index(">How good the model is</h2>") < text.index("<img")
    assert "prefers-color-scheme: dark" in text
    for name in ("Slizovskaia", "Gómez", "Haro", "Benjamini", "Selvaraju"):
        assert name in text


def test_metrics_are_shown_with_their_intervals_or_missed(text, toy_study, toy_pictures):
    assert "0.700 <small>[0.600, 0.800]</small>" in text
    without = render(toy_study, toy_pictures, metrics=None)
    assert "avinst evaluate --run_dir='a & b' --split=test" in "".join(Page(without).texts)
    undefined = {"recording": {**METRICS["recording"], "map": {"value": None, "low": None, "high": None}}}
    assert "<td>–</td>" in render(toy_study, toy_pictures, metrics=undefined)
    assert text.index("audio alone") < text.index("joint (this run)")


def test_the_audit_is_told_in_words_and_figures_or_missed(text, toy_study, toy_pictures):
    assert "No audit of this split yet" in text
    audit = {
        "metric": "hit_at_1",
        "scores": {"fused": measured(0.6), "chance": measured(0.3)},
        "absent": {"audio_alone": "no <stages>", "visual_alone": "no <stages>", "product": "it leads & wins"},
        "follows": {"audio": measured(0.2)},
        "verdict": ["Audio: it leads & wins."],
    }
    words = "".join(Page(render(toy_study, toy_pictures, audit=audit)).texts)
    for expected in ("Audio: it leads & wins.", "fused model", "0.600", "no <stages>", "follows audio"):
        assert expected in words
    assert words.count("no <stages>") == 1
    assert words.count("it leads & wins") == 1  # the verdict tells it


def test_no_text_ends_the_script_that_holds_it():
    hostile = "</script><script>alert(1)</script><!-- \u2028"
    block = json_block("x", {"names": [hostile]})
    assert block.count("<") == 2
    inner = block.partition(">")[2].rpartition("<")[0]
    assert json.loads(inner) == {"names": [hostile]}
    with pytest.raises(ValueError, match="JSON"):
        json_block("x", float("nan"))


def test_only_markup_is_put_in_as_it_is():
    assert element("p", "<b>", Markup("<i>"), title='"') == '<p title="&quot;">&lt;b&gt;<i></p>'
    assert element("img", alt="", hidden=True, src=None) == '<img alt="" hidden>'


def test_several_labels_a_recording_are_explained(text, toy_study, toy_pictures):
    assert "Recordings bear several labels. Hit@1" not in text
    several = dataclasses.replace(toy_study, dataset=dataclasses.replace(toy_study.dataset, multi_label=True))
    words = "".join(Page(render(several, toy_pictures)).texts)
    assert (
        "Recordings bear several labels. Hit@1: share whose most probable label is one of the true ones" in words
    )
    assert "probability of 0.5 or more" in words


def test_a_study_without_any_correlation_renders(toy_study, toy_pictures):
    study = dataclasses.replace(
        toy_study, correlations={}, skipped=dict.fromkeys(toy_study.features.label_names, "3 recordings")
    )
    page = Page(render(study, [p for p in toy_pictures if not p.tag.startswith("correlation")]))
    words = "".join(page.texts)
    assert "No correlations: 3 recordings." in words
    assert "There is no figure: for no label could features be correlated" in words


def test_labels_say_where_the_features_of_their_matrix_were_chosen(text, toy_study, toy_pictures):
    chosen = "The matrix holds the features that were the most important on "
    words = "".join(Page(text).texts)
    assert words.count(f"{chosen}the validation split (selection_importance.csv)") == len(toy_study.correlations)
    halved = dataclasses.replace(toy_study, halves=(("a",), ("b",)))
    words = "".join(Page(render(halved, toy_pictures)).texts)
    assert f"{chosen}each half of the test recordings, for the other half (selection_importance.csv)." in words


def test_frame_spectrogram_and_sound_of_a_segment_stand_together(text, toy_sounds):
    kept = 0
    for exhibit in text.split('class="enlarge exhibit"')[1:]:
        exhibit = exhibit.partition("</figure>")[0]
        # Once for the true label, and once more for the one that was predicted in its stead.
        assert re.findall(r'alt="(\w+)', exhibit) in (["Frame", "Spectrogram"], ["Frame", "Spectrogram"] * 2)
        kept += exhibit.count(">What the map keeps of it<")
        assert exhibit.count("<audio") == 1 + exhibit.count(">What the map keeps of it<") <= 2
        assert "Resynthesised from the log-mel" in exhibit
    assert kept == sum(sound.kept is not None for sound in toy_sounds.values()) > 0


@pytest.mark.parametrize(
    ("recordings", "predicted", "sentence"),
    [
        (1, 0, "1 recording bears this label, none were predicted as it."),
        (0, 1, "No recordings bear this label, 1 was predicted as it."),
        (2, 2, "2 recordings bear this label, 2 were predicted as it."),
    ],
)
def test_numbers_agree_with_their_nouns(toy_study, toy_pictures, recordings, predicted, sentence):
    labels = np.zeros_like(toy_study.features.labels)
    labels[:recordings, 0] = True
    study = dataclasses.replace(
        toy_study,
        features=dataclasses.replace(toy_study.features, labels=labels),
        importance=dataclasses.replace(
            toy_study.importance, count={"flute": predicted, "alto <sax>/b": 5, "piano": 5}
        ),
    )
    assert sentence in "".join(Page(render(study, toy_pictures)).texts)


def of_label(average, recall, count, wrong=None, worst=0.0):
    return {
        "precision": 0.5,
        "recall": recall,
        "f1": 0.5,
        "average_precision": average,
        "calibration_error": 0.1,
        "count": count,
        "intervals": {"average_precision": {"low": average - 0.1, "high": average + 0.1}},
        "taken_for": wrong,
        "worst_in_draws": worst,
    }


def test_the_worst_label_is_told_at_the_top_with_its_mistakes(toy_study, toy_pictures):
    wrong = {"label": "piano", "count": 6}
    per_label = {
        "flute": of_label(0.9, 0.9, 20),
        "alto <sax>/b": of_label(0.75, 0.5, 30, wrong, 0.99),
        "piano": of_label(0.8, 0.8, 10),
    }
    matrix = [[18, 2, 0], [9, 15, 6], [0, 2, 8]]
    own = {**METRICS["recording"], "per_label": per_label, "labels": list(per_label), "confusion": matrix}
    audit = {
        "metric": "hit_at_1",
        "scores": {},
        "single": {"audio": "audio_alone", "visual": "visual_alone"},
        "per_label": {
            "audio_alone": per_label,
            "visual_alone": {**per_label, "alto <sax>/b": of_label(0.3, 0.2, 30)},
        },
    }
    text = render(toy_study, toy_pictures, metrics={"recording": own}, audit=audit)
    page = Page(text)
    (first,) = re.findall(
        r'<ul class="findings"><li>(.*?)</li>', text[: text.index(">How good the model is</h2>")]
    )
    assert html.unescape(first) == (
        "Worst: alto <sax>/b, average precision 0.75 [0.65, 0.85]; 15 of 30 recordings are recognised, 6 are "
        "taken for piano. Audio alone recognises 15 of 30 (6 taken for piano), vision alone 6 of 30. It is "
        "clearly the worst: so in 99 % of 1000 draws of the recordings."
    )
    scores = text[text.index('<section id="scores"') : text.index('<section id="audit"')]
    assert re.findall(r'<th scope="row"><a href="#label-(\d)">', scores) == ["1", "2", "0"] * 2  # two tables
    assert "<td>0.750 (0.650 to 0.850)</td>" in scores
    assert len(page.images) == len(toy_pictures) + 1
    assert "Confusion matrix by recording" in scores
    assert "average precision 0.75; most often taken for piano (6)." in "".join(page.texts)


@pytest.mark.parametrize("metrics", [METRICS, None])
def test_scores_of_another_dataset_are_named_and_not_shown(toy_study, toy_pictures, metrics):
    left_out = ("joint (this run)", "the modality audit")
    words = "".join(Page(render(toy_study, toy_pictures, metrics, of_another_dataset=left_out)).texts)
    assert (
        "Left out, for it was last measured on the test split of another dataset: joint (this run), the "
        "modality audit."
    ) in words
    assert ("Not measured on the test split yet" in words) == (metrics is None)
    assert "another dataset" not in "".join(Page(render(toy_study, toy_pictures, metrics)).texts)
    command = "avinst evaluate --run_dir=OTHER"
    text = render(toy_study, toy_pictures, metrics, of_another_dataset=left_out, stages_command=command)
    assert f"<pre>{command}</pre>" in text
