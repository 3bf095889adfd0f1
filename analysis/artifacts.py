"""Every file of an analysis: what it is called, and writing it."""

import dataclasses
import math

from analysis.comparison.tables import comparison_json
from analysis.correlations.alignment import alignment_json
from analysis.correlations.label_correlation import block_q_values
from analysis.correlations.overall import overall
from analysis.correlations.tables import label_summary, matrix_csv, overall_summary, pairs_csv
from analysis.feature_files import save_features
from analysis.importance import importance_csv, selection_importance_csv
from analysis.json_files import write_json
from analysis.maps.evidence import write_evidence
from analysis.pictures import Picture, file_name
from analysis.study import Study
from analysis.words import relation_sentences
from avinst import paths

REPORT_FILE = "report.html"
# Lies beside the folders of files from before the first of them is written until the report is.
UNFINISHED_FILE = ".unfinished_analysis"
COMPARISON_FILE = "comparison.json"
_FOLDERS = ("correlations", "importance", "gradcam")


def write_files(study: Study, pictures: list[Picture], output_dir: str) -> None:
    """Writes all but the report: features, tables, figures; those of an earlier analysis are taken away.

    The earlier report goes first, so that there is never one beside files of another analysis.
    """
    _make_room(output_dir)
    save_features(study.features, paths.join(output_dir, "features.npz"))
    save_features(study.selection, paths.join(output_dir, "selection_features.npz"))
    segments_file = paths.join(output_dir, "segment_features.npz")
    if study.settings.segment_features:
        save_features(study.segment_features, segments_file)
    elif paths.exists(segments_file):
        paths.remove(segments_file)
    paths.write_text(paths.join(output_dir, "importance.csv"), importance_csv(study.importance))
    chosen_by = selection_importance_csv(study.selection_importance)
    paths.write_text(paths.join(output_dir, "selection_importance.csv"), chosen_by)
    paths.write_text(paths.join(output_dir, "pairs.csv"), pairs_csv(study.correlations))
    for label, result in study.correlations.items():
        paths.write_text(paths.join(output_dir, "correlations", f"{file_name(label)}.csv"), matrix_csv(result))
    write_json(correlation_summary(study), paths.join(output_dir, "correlations", "summary.json"))
    write_json(alignment_json(study.alignment), paths.join(output_dir, "alignment.json"))
    comparison_file = paths.join(output_dir, COMPARISON_FILE)
    if study.comparison:
        write_json(comparison_json(study.comparison), comparison_file)
    elif paths.exists(comparison_file):
        paths.remove(comparison_file)
    write_evidence(study.evidence, study.dataset, paths.join(output_dir, "gradcam"))
    for folder in sorted({picture.file.rpartition("/")[0] for picture in pictures}):
        paths.make_directory(paths.join(output_dir, *folder.split("/")) if folder else output_dir)
    for picture in pictures:
        paths.write_bytes(paths.join(output_dir, *picture.file.split("/")), picture.png)


def write_report(text: str, output_dir: str) -> None:
    """Writes the report, after all else: where there is one, there is a whole analysis."""
    paths.write_text(paths.join(output_dir, REPORT_FILE), text)
    unfinished = paths.join(output_dir, UNFINISHED_FILE)
    if paths.exists(unfinished):
        paths.remove(unfinished)


def _make_room(output_dir: str) -> None:
    """Empty folders for the files; those of an analysis, whole or killed, are deleted, nobody else's."""
    report, unfinished = (paths.join(output_dir, name) for name in (REPORT_FILE, UNFINISHED_FILE))
    folders = [paths.join(output_dir, name) for name in _FOLDERS]
    there = [folder for folder in folders if paths.exists(folder)]
    is_analysis = paths.exists(report) or paths.exists(unfinished)
    if is_analysis or not there:
        paths.write_text(unfinished, "written by avinst analyze, which has not come to its end here\n")
    if paths.exists(report):
        paths.remove(report)
    for folder in there if is_analysis else ():
        paths.remove(folder)
    for folder in folders:
        paths.make_directory(folder)


def correlation_summary(study: Study) -> dict[str, object]:
    """What `correlations/summary.json` holds: how it was made, and each label's figures or why it has none."""
    q_values = block_q_values(study.correlations)
    labels: dict[str, object] = {}
    for label, result in study.correlations.items():
        summary = label_summary(result)
        if summary["null"] is not None:
            summary["null"]["q_value"] = round(q_values[label], 6) if math.isfinite(q_values[label]) else None
        labels[label] = summary
    means = overall(study.correlations, multi_label=study.features.multi_label)
    return {
        "findings": relation_sentences(study),
        "overall": overall_summary(means) if means else None,
        "split": study.settings.split,
        "selection": study.selection_text,
        "halves": [list(ids) for ids in study.halves],
        "recordings_of_a_label": "those whose true labels include it",
        "settings": dataclasses.asdict(study.settings.correlation),
        "labels": labels,
        "skipped": dict(study.skipped),
    }
