"""Every figure of an analysis: what it shows, what it is called, and drawing it."""

import dataclasses
import hashlib
import re
from functools import partial

from analysis.comparison.figures import comparison_figure
from analysis.correlations.alignment_figures import alignment_figure
from analysis.correlations.figures import matrix_figure, overview_figure
from analysis.figures import png_bytes
from analysis.galleries import GROUPS, Exhibit, Group
from analysis.importance_figures import importance_figure, share_figure
from analysis.maps.evidence_sketches import Sketch, evidence_sketches, mean_map_sketches
from analysis.maps.gradcam_figures import frame_figure, spectrogram_figure
from analysis.study import Study
from avinst.progress import Progress

_LONGEST_NAME = 80


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes:
        tag: its name in TensorBoard; pictures of one tag are shown together.
        file: its path below the output directory.
        png: the picture.
        description: what is to be seen, for those who cannot see it.
        exhibit: the segment that it shows; None where it shows none.
    """

    tag: str
    file: str
    png: bytes
    description: str
    exhibit: Exhibit | None = None


def draw_pictures(study: Study) -> list[Picture]:
    """All figures of a study, in the order in which they are to be read."""
    sketches: list[tuple[Sketch, Exhibit | None]] = [(sketch, None) for sketch in _overviews(study)]
    for label in study.features.label_names:
        sketches += [(sketch, None) for sketch in _label_sketches(study, label)]
        sketches += [(sketch, None) for sketch in mean_map_sketches(study, label, file_name(label))]
        for group in GROUPS:
            for position, exhibit in enumerate(_shown(study, label, group)):
                sketches += [(sketch, exhibit) for sketch in _exhibit_sketches(study, exhibit, position)]
    pictures = []
    progress = Progress("figures", len(sketches))
    for (tag, file, description, draw), exhibit_shown in sketches:
        pictures.append(Picture(tag, file, png_bytes(draw()), description, exhibit_shown))
        progress.advance()
    progress.finish()
    return pictures


def file_name(text: str) -> str:
    """A label or an id as a file name: other characters than letters, digits, `_`, `.`, `-` become `_`.

    A name that had to be changed or cut gets a part of its hash, so that two never meet.
    """
    name = re.sub(r"[^\w.-]", "_", text)[:_LONGEST_NAME]
    name = re.sub(r"^[.-]", "_", name)
    if name != text:
        name += "-" + hashlib.sha256(text.encode()).hexdigest()[:8]
    return name


def _overviews(study: Study) -> list[Sketch]:
    """Those that would not be empty; the report says why one is missing."""
    sketches: list[Sketch] = []
    if study.correlations:
        text = (
            "Mean absolute rank correlation within audio, within vision and across modalities for each label, "
            "beside the band that chance gives."
        )
        draw = partial(overview_figure, study.correlations)
        sketches.append(("correlation/overview", "correlations/overview.png", text, draw))
    if study.comparison and study.comparison.labels:
        this, other = study.comparison.this.title, study.comparison.other.title
        text = (
            f"Mean absolute rank correlation across modalities in {this} and in {other} for each label, beside "
            "the bands that chance gives, and the difference with its interval."
        )
        draw = partial(comparison_figure, study.comparison)
        sketches.append(("comparison/across", "comparison.png", text, draw))
    if study.alignment:
        text = (
            "How far audio and visual features tell recordings apart alike, over all recordings and within "
            "labels, beside the bands that chance and that the label alone give."
        )
        draw = partial(alignment_figure, study.alignment)
        sketches.append(("correlation/alignment", "alignment.png", text, draw))
    if len(study.importance.unpredicted) < len(study.features.label_names):
        text = "Summed importance of the audio and of the visual features for each label."
        draw = partial(share_figure, study.importance)
        sketches.append(("importance/modality_share", "importance/modality_share.png", text, draw))
    return [*sketches, *evidence_sketches(study)]


def _label_sketches(study: Study, label: str) -> list[Sketch]:
    name = file_name(label)
    sketches: list[Sketch] = []
    if label in study.correlations:
        text = f"Matrix of rank correlations of the most important features for {label}."
        draw = partial(matrix_figure, study.correlations[label])
        sketches.append((f"correlation/{label}", f"correlations/{name}.png", text, draw))
    if label not in study.importance.unpredicted:
        text = f"The most important audio and visual features for {label}."
        number = {"audio": study.settings.correlation.top_audio, "visual": study.settings.correlation.top_visual}
        draw = partial(importance_figure, study.importance, label, number)
        sketches.append((f"importance/{label}", f"importance/{name}.png", text, draw))
    return sketches


def _shown(study: Study, label: str, group: Group) -> list[Exhibit]:
    index = study.features.label_names.index(label)
    return [
        exhibit
        for exhibit in study.exhibits
        if (exhibit.choice.label_index, exhibit.choice.group) == (index, group)
    ]


def _exhibit_sketches(study: Study, exhibit: Exhibit, position: int) -> list[Sketch]:
    names, choice = study.features.label_names, exhibit.choice
    label = names[choice.label_index]
    folder = f"gradcam/{file_name(label)}/{choice.group}"
    sketches: list[Sketch] = []
    for evidence in exhibit.explained:
        explained = names[evidence.label_index]
        file = f"{folder}/{position:02d}_{file_name(choice.video_id)}"
        if evidence.label_index != choice.label_index:
            file += f"_as_{file_name(explained)}"
        title = (
            f"{choice.video_id[-60:]}, second {exhibit.start_seconds:g}: evidence for {explained}\n"
            f"{label} {choice.probability:.2f}, predicted {', '.join(choice.predicted) or 'nothing'}"
        )
        text = f"of a {label} recording ({choice.group.replace('_', ' ')}), and where in it the evidence for"
        if "visual" in evidence.maps:
            draw = partial(frame_figure, exhibit.inputs["frame"], evidence.maps["visual"], title)
            tag = f"gradcam/{label}/{choice.group}/frame"
            sketches.append((tag, f"{file}_frame.png", f"Frame {text} {explained} lies.", draw))
        if "audio" in evidence.maps:
            log_mel, found = exhibit.inputs["log_mel"], evidence.maps["audio"]
            draw = partial(spectrogram_figure, log_mel, found, study.dataset.spec, exhibit.start_seconds, title)
            tag = f"gradcam/{label}/{choice.group}/spectrogram"
            sketches.append((tag, f"{file}_spectrogram.png", f"Spectrogram {text} {explained} lies.", draw))
    return sketches
