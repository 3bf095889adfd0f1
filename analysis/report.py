"""The report: one HTML file with everything in it, that asks the network for nothing."""

import base64
import html
import io
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from analysis.artifacts import Picture
from analysis.correlation import block_q_values
from analysis.counting import counted
from analysis.report_text import METHODS, STYLE
from analysis.study import Study
from analysis.words import summary_sentences, verdict
from trainer.evaluation_tables import explanations

_METRICS = (
    ("hit_at_1", "Hit@1"),
    ("hit_at_3", "Hit@3"),
    ("f1_macro", "F1, macro"),
    ("map", "mAP"),
    ("log_loss", "log loss"),
    ("calibration_error", "calibration error"),
)
_EXPLAINED = {"hit_at_1": "Hit@1", "f1": "F1", "log_loss": "log loss", "calibration": "calibration"}
# Photographs compress far better so, and a report with a gallery stays small enough to be mailed.
_JPEG_QUALITY = 88


def render_report(
    study: Study,
    pictures: Sequence[Picture],
    *,
    title: str,
    metrics: Mapping[str, Any] | None,
    evaluate_command: str,
    command: str,
    versions: Mapping[str, str],
) -> str:
    """The report as HTML.

    Args:
        study: what was found out.
        pictures: its figures.
        title: of the document.
        metrics: `{"segment": M, "recording": M}` of the analyzed split, as in metrics.json; None if not measured.
        evaluate_command: the command that measures them.
        command: the command that makes this analysis again.
        versions: package to version.
    """
    by_tag: dict[str, list[Picture]] = {}
    for picture in pictures:
        by_tag.setdefault(picture.tag, []).append(picture)
    recordings = (
        f"{counted(len(study.features), 'recording')}, {counted(study.segments, 'segment')} "
        f"of the {study.settings.split} split"
    )
    body = [
        f"<header><h1>{html.escape(title)}</h1><p>{html.escape(recordings)} of "
        f"<code>{html.escape(study.dataset.data_dir)}</code></p></header>",
        _section("Summary", _summary(study)),
        _section("How good the model is", _metrics_table(metrics, study, evaluate_command)),
        _section(
            "Do the modalities move together?",
            _paragraph(study.selection_text)
            + _overview(by_tag, "correlation/overview", "for no label could features be correlated")
            + _alignment(by_tag),
        ),
        _section(
            "Which modality speaks for a label?",
            _paragraph(
                "The positive contributions of all features of a modality to the label's logit, summed. A large "
                "share says where the model finds its evidence, not that the other modality could not do as well."
            )
            + _overview(by_tag, "importance/modality_share", "no recording was predicted as any label"),
        ),
        *_labels(study, by_tag),
        _section("Methods", METHODS),
        _section("How this was made", _origin(command, versions, study)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing may be fetched: what the file shows is inside it.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _summary(study: Study) -> str:
    q_values = block_q_values(study.correlations)
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in summary_sentences(study))
    rows = "".join(
        f"<tr><th>{_link(study, label)}</th><td>{html.escape(verdict(result, q_values[label]))}</td></tr>"
        for label, result in study.correlations.items()
    )
    table = f'<div class="wide"><table><tbody>{rows}</tbody></table></div>' if rows else ""
    return f'<ul class="findings">{items}</ul>{table}'


def _link(study: Study, label: str) -> str:
    return f'<a href="#label-{study.features.label_names.index(label)}">{html.escape(label)}</a>'


def _overview(by_tag: Mapping[str, Sequence[Picture]], tag: str, why_not: str) -> str:
    if tag not in by_tag:
        return _paragraph(f"There is no figure: {why_not}; each label's section says why.")
    return f'<div class="figures">{_images(by_tag[tag], "overview")}</div>'


def _alignment(by_tag: Mapping[str, Sequence[Picture]]) -> str:
    if "correlation/alignment" not in by_tag:
        return ""
    return _paragraph(
        "All features together, in three measures: over all recordings, where the label alone makes modalities "
        "tell recordings apart alike, and within labels, where only what is shared beyond the label counts."
    ) + _overview(by_tag, "correlation/alignment", "")


def _metrics_table(metrics: Mapping[str, Any] | None, study: Study, evaluate_command: str) -> str:
    if not metrics:
        text = _paragraph(
            f"Not measured on the {study.settings.split} split yet; this does it, and the next analysis shows it:"
        )
        return f"{text}<pre>{html.escape(evaluate_command)}</pre>"
    levels = [level for level in ("recording", "segment") if level in metrics]
    head = "".join(f"<th>by {level}</th>" for level in levels)
    rows = []
    for name, text in _METRICS:
        cells = "".join(f"<td>{_measured(metrics[level].get(name))}</td>" for level in levels)
        rows.append(f"<tr><th>{text}</th>{cells}</tr>")
    return (
        f'<div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        "</div>" + _paragraph(f"In brackets the 95 % interval over recordings. {_several_labels(study)}".strip())
    )


def _several_labels(study: Study) -> str:
    """What the metrics mean where a recording may bear several labels; else nothing."""
    if not study.dataset.multi_label:
        return ""
    meanings = explanations(multi_label=True)
    named = "; ".join(f"{text}: {meanings[name]}" for name, text in _EXPLAINED.items())
    return f"Recordings bear several labels. {named}."


def _measured(cell: Mapping[str, float | None] | None) -> str:
    if not cell or cell.get("value") is None:
        return "–"
    text = f"{cell['value']:.3f}"
    if cell.get("low") is not None and cell.get("high") is not None:
        text += f" <small>[{cell['low']:.3f}, {cell['high']:.3f}]</small>"
    return text


def _labels(study: Study, by_tag: Mapping[str, Sequence[Picture]]) -> list[str]:
    q_values = block_q_values(study.correlations)
    sections = []
    for index, label in enumerate(study.features.label_names):
        count = int(study.features.labels[:, index].sum())
        predicted = study.importance.count[label]
        bearing = f"{counted(count, 'recording')} {'bears' if count == 1 else 'bear'} this label"
        was = "was" if predicted == 1 else "were"
        parts = [_paragraph(f"{bearing.capitalize()}, {predicted or 'none'} {was} predicted as it.")]
        if label in study.correlations:
            parts.append(_paragraph(verdict(study.correlations[label], q_values[label])))
        elif label in study.skipped:
            parts.append(_paragraph(f"No correlations: {study.skipped[label]}."))
        matrices = _images(by_tag.get(f"correlation/{label}", ()), "matrix")
        matrices += _images(by_tag.get(f"importance/{label}", ()), "importance")
        if matrices:
            parts.append(f'<div class="figures">{matrices}</div>')
        frames, spectrograms = (by_tag.get(f"gradcam/{label}/{kind}", ()) for kind in ("frame", "spectrogram"))
        # The frame and the spectrogram of a recording stand side by side; a model may lack one of them.
        pairs = itertools.zip_longest(frames, spectrograms)
        gallery = [picture for pair in pairs for picture in pair if picture is not None]
        if gallery:
            parts.append("<h3>Where the evidence lies (Grad-CAM)</h3>")
            parts.append(_paragraph("From the most to the least certain recording; the label is the true one."))
            parts.append(f'<div class="gallery">{_images(gallery, "evidence", photographs=True)}</div>')
        sections.append(
            f'<section id="label-{index}"><details open><summary><h2>{html.escape(label)}</h2></summary>'
            + "".join(parts)
            + "</details></section>"
        )
    return sections


def _origin(command: str, versions: Mapping[str, str], study: Study) -> str:
    texts = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"<pre>{html.escape(command)}</pre>"
        + _paragraph(texts)
        + f"<p>Dataset fingerprint <code>{html.escape(study.dataset.fingerprint)}</code></p>"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{content}</section>"


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _images(pictures: Sequence[Picture], kind: str, photographs: bool = False) -> str:
    return "".join(
        f'<img class="{kind}" src="{_data_uri(picture.png, photographs)}" '
        f'alt="{html.escape(picture.description)}">'
        for picture in pictures
    )


def _data_uri(png: bytes, as_jpeg: bool) -> str:
    kind, content = "png", png
    if as_jpeg:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(png)).convert("RGB").save(buffer, format="JPEG", quality=_JPEG_QUALITY)
        kind, content = "jpeg", buffer.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
