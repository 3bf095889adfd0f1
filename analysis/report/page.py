"""The report: one HTML file with everything in it, that asks the network for nothing."""

from collections.abc import Mapping, Sequence

from analysis.correlations.label_correlation import block_q_values
from analysis.galleries import Choice
from analysis.pictures import Picture
from analysis.report.comparison import comparison_sections
from analysis.report.evidence import evidence_section
from analysis.report.frame import Section, render_page
from analysis.report.labels import label_id, label_sections
from analysis.report.markup import Markup, element, joined, json_block, paragraph, table
from analysis.report.matrix import DATA_ID, matrix_data
from analysis.report.methods import methods
from analysis.report.pictures import figure
from analysis.report.scores import label_tables, worst_label
from analysis.report.tables import alignment, audit, schemes
from analysis.run_record import RunRecord
from analysis.sounds import Sound
from analysis.study import Study
from analysis.words import summary_sentences, verdict
from avinst.counting import counted


def render_report(
    study: Study, pictures: Sequence[Picture], sounds: Mapping[Choice, Sound], record: RunRecord, *, title: str
) -> str:
    """The report as HTML.

    Args:
        study: what was found out.
        pictures: its figures.
        sounds: segment to its sound, of those that are shown.
        record: the run's scores, and how the analysis was made.
        title: of the document.
    """
    by_tag: dict[str, list[Picture]] = {}
    for picture in pictures:
        by_tag.setdefault(picture.tag, []).append(picture)
    split = study.settings.split
    recordings, segments = counted(len(study.features), "recording"), counted(study.segments, "segment")
    scale = f"{recordings}, {segments} of the {split} split of "
    links = {label: label_id(index) for index, label in enumerate(study.features.label_names)}
    own = record.scores.get(f"{record.scheme} (this run)", {})
    sections = [
        Section("summary", "Summary", _summary(study, worst_label(record))),
        Section(
            "scores",
            "How good the model is",
            joined(
                schemes(record, split, multi_label=study.dataset.multi_label),
                label_tables(record, links, split, multi_label=study.dataset.multi_label),
            ),
        ),
        Section("audit", "Which modality does the work?", audit(record)),
        Section(
            "relation",
            "Do the modalities move together?",
            joined(
                paragraph(study.selection_text),
                _overview(by_tag, "correlation/overview", "for no label could features be correlated"),
                _alignment(study, by_tag),
            ),
        ),
        *comparison_sections(study.comparison, by_tag),
        Section(
            "share",
            "Which modality speaks for a label?",
            joined(
                paragraph(
                    "The positive contributions of all features of a modality to the label's logit, summed. A "
                    "large share says where the model finds its evidence, not that the other modality could not "
                    "do as well."
                ),
                _overview(by_tag, "importance/modality_share", "no recording was predicted as any label"),
            ),
        ),
        Section(
            "evidence",
            "Where does the evidence lie, and are the maps to be trusted?",
            evidence_section(study.evidence, by_tag),
        ),
        Section("labels", "Label by label", paragraph(_legend(study), "note")),
        *label_sections(study, by_tag, sounds, own.get("recording", {}).get("per_label", {})),
        Section("methods", "Methods", methods(study.settings.correlation.fdr_level)),
        Section("origin", "How this was made", _origin(record, study)),
    ]
    header = joined(
        element("h1", title), element("p", scale, element("code", study.dataset.data_dir), class_="note")
    )
    data = json_block(DATA_ID, matrix_data(study.correlations, study.features.label_names))
    return render_page(title, header, sections, data)


def _summary(study: Study, worst: str) -> Markup:
    q_values = block_q_values(study.correlations)
    sentences = [*filter(None, [worst]), *summary_sentences(study)]
    findings = element("ul", *(element("li", text) for text in sentences), class_="findings")
    rows: list[list[str]] = [
        [
            element("a", label, href=f"#{label_id(study.features.label_names.index(label))}"),
            verdict(result, q_values[label]),
        ]
        for label, result in study.correlations.items()
    ]
    if not rows:
        return findings
    return joined(findings, table([], rows, "Audio and visual features of each label", "verdicts"))


def _overview(by_tag: Mapping[str, Sequence[Picture]], tag: str, why_not: str = "") -> Markup:
    if tag not in by_tag:
        return paragraph(f"There is no figure: {why_not}; each label's section says why.")
    return figure(by_tag[tag], "overview")


def _alignment(study: Study, by_tag: Mapping[str, Sequence[Picture]]) -> Markup:
    if not study.alignment:
        return Markup("")
    text = (
        "All features together, in three measures: over all recordings, where the label alone makes modalities "
        "tell recordings apart alike, and within labels, where only what is shared beyond the label counts."
    )
    return joined(paragraph(text), alignment(study.alignment), _overview(by_tag, "correlation/alignment"))


def _legend(study: Study) -> str:
    text = "Where a figure can be enlarged, a click or the Enter key does it."
    if study.correlations:
        text += (
            " In a matrix, pointing at a cell, touching it, or the arrow keys show the pair with its rho, and for "
            "pairs of an audio (a) and a visual feature (v) the p-value and the q-value, which is corrected for "
            "the number of pairs."
        )
    return text


def _origin(record: RunRecord, study: Study) -> Markup:
    return joined(
        element("pre", "\n".join([record.train_command, record.evaluate_command, record.analyze_command])),
        table([], [[name, version] for name, version in record.versions.items()], "Versions"),
        element("p", "Dataset fingerprint ", element("code", study.dataset.fingerprint)),
    )
