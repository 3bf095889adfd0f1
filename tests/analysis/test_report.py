import base64
import dataclasses
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from analysis.report import render_report

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
        assert tag not in {"script", "iframe", "object"}

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


def render(study, pictures, metrics=METRICS):
    return render_report(
        study,
        pictures,
        title="Why <joint> decides",
        metrics=metrics,
        evaluate_command="avinst evaluate --run_dir='a & b' --split=test",
        command="avinst analyze --run_dir='a & b'",
        versions={"keras": "3"},
    )


@pytest.fixture(scope="module")
def text(toy_study, toy_pictures):
    return render(toy_study, toy_pictures)


def test_everything_is_inside_the_file(text, toy_pictures):
    page = Page(text)
    assert page.sources
    assert all(source.startswith("data:image/") for source in page.sources)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert len(page.images) == len(toy_pictures)
    for image in page.images:
        content = base64.b64decode(image["src"].partition("base64,")[2])
        assert Image.open(io.BytesIO(content)).width > 300
        assert image["alt"]


def test_links_lead_to_their_labels(text, toy_study):
    page = Page(text)
    assert len(page.anchors) == len(toy_study.correlations)
    assert {anchor.removeprefix("#") for anchor in page.anchors} <= set(page.ids)


def test_names_are_escaped(text):
    page = Page(text)
    words = "".join(page.texts)
    assert "alto <sax>/b" in words
    assert "Why <joint> decides" in words
    assert "--run_dir='a & b'" in words
    assert "<sax>" not in text


def test_says_the_main_finding_first_and_gives_light_and_dark(text):
    assert text.index("<h2>Summary</h2>") < text.index("<h2>How good the model is</h2>") < text.index("<img")
    assert "prefers-color-scheme: dark" in text
    for name in ("Slizovskaia", "Gómez", "Haro", "Benjamini", "Selvaraju"):
        assert name in text


def test_metrics_are_shown_with_their_intervals_or_missed(text, toy_study, toy_pictures):
    assert "0.700 <small>[0.600, 0.800]</small>" in text
    without = render(toy_study, toy_pictures, metrics=None)
    assert "avinst evaluate --run_dir='a & b' --split=test" in "".join(Page(without).texts)
    undefined = {"recording": {**METRICS["recording"], "map": {"value": None, "low": None, "high": None}}}
    assert "<td>–</td>" in render(toy_study, toy_pictures, metrics=undefined)


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


def test_frame_and_spectrogram_of_a_recording_stand_side_by_side(text):
    shown = [image["alt"].split()[0] for image in Page(text).images if image["class"] == "evidence"]
    assert shown == ["Frame", "Spectrogram"] * 6


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
