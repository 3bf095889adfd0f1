"""A study in TensorBoard: figures as images, figures of merit as scalars, findings as text."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from analysis.comparison.tables import comparison_markdown
from analysis.galleries import Choice
from analysis.pictures import Picture
from analysis.sounds import Sound
from analysis.study import Study
from analysis.words import summary_sentences
from avinst import paths


def write_summaries(
    study: Study, pictures: Sequence[Picture], log_dir: str, sounds: Mapping[Choice, Sound] | None = None
) -> None:
    """Writes a study into a folder of its own; what an earlier analysis wrote there is replaced.

    Tags: `importance/...`, `correlation/...`, `gradcam/LABEL/GROUP/frame` and `.../spectrogram` (images),
    `spearman/across/...`, `spearman/by_chance/...`, `spearman/significant_pairs/...` (a scalar a label; named so
    that the curves of the training stand before them), `spearman/difference/...` (likewise),
    `comparison/across` (image), `comparison/table` (text),
    `features/...` (histograms), `summary` and `correlation/table` (text), `gradcam/LABEL/sound` (audio).

    Args:
        study: what was found out.
        pictures: its figures.
        log_dir: the folder.
        sounds: segment to its sound, of those that are shown.
    """
    if paths.exists(log_dir):
        paths.remove(log_dir)
    tags: dict[str, list[Picture]] = {}
    for picture in pictures:
        tags.setdefault(picture.tag, []).append(picture)
    writer = tf.summary.create_file_writer(log_dir)
    with writer.as_default(step=0):
        tf.summary.text("summary", "\n\n".join(summary_sentences(study)))
        tf.summary.text("correlation/table", correlation_table(study))
        for tag, group in tags.items():
            images = tf.stack([tf.io.decode_png(picture.png, channels=3) for picture in group])
            tf.summary.image(tag, images, max_outputs=len(group), description=group[0].description)
        _write_sounds(study, sounds or {})
        for label, result in study.correlations.items():
            if result.null is not None and np.isfinite(result.across.value):
                tf.summary.scalar(f"spearman/across/{label}", result.across.value)
                tf.summary.scalar(f"spearman/by_chance/{label}", result.null.mean_absolute.mean())
                tf.summary.scalar(f"spearman/significant_pairs/{label}", result.significant.sum())
        if study.comparison:
            tf.summary.text("comparison/table", comparison_markdown(study.comparison))
            for one in study.comparison.labels:
                difference = one.blocks["across"].difference.value
                if np.isfinite(difference):
                    tf.summary.scalar(f"spearman/difference/{one.label}", difference)
        for modality, values in study.features.modalities().items():
            tf.summary.histogram(f"features/{modality}", values)
    writer.close()


def _write_sounds(study: Study, sounds: Mapping[Choice, Sound]) -> None:
    """Two tags a label, the sound and what the map keeps of it, in the order of its pictures."""
    by_label: dict[str, list[tuple[Choice, Sound]]] = {}
    for choice, sound in sounds.items():
        by_label.setdefault(study.features.label_names[choice.label_index], []).append((choice, sound))
    for label, found in by_label.items():
        heard = [(_heard(choice, sound), sound.waveform) for choice, sound in found]
        kept = [(_heard(choice, sound), sound.kept) for choice, sound in found if sound.kept is not None]
        for tag, clips in (("sound", heard), ("sound_kept", kept)):
            if clips:
                tf.summary.audio(
                    f"gradcam/{label}/{tag}",
                    tf.stack([waveform[:, np.newaxis] for _, waveform in clips]),
                    sample_rate=found[0][1].rate_hz,
                    max_outputs=len(clips),
                    description="\n\n".join(text for text, _ in clips),
                )


def _heard(choice: Choice, sound: Sound) -> str:
    return f"{choice.video_id}: {'resynthesised from the log-mel' if sound.resynthesised else 'the recording'}"


def correlation_table(study: Study) -> str:
    """Markdown: a row a label, mean |rho| of each block with its interval, and what chance gives across."""
    lines = [
        "| label | recordings | within audio | within vision | across | across by chance | significant pairs |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for label, result in study.correlations.items():
        blocks = [
            f"{mean.value:.2f} ({mean.low:.2f} to {mean.high:.2f})" if np.isfinite(mean.value) else ""
            for mean in (result.within_audio, result.within_visual, result.across)
        ]
        chance = pairs = ""
        if result.null is not None and np.isfinite(result.null.mean_absolute).all():
            low, high = result.null.band
            chance = f"{low:.2f} to {high:.2f}"
            pairs = f"{result.significant.sum()} of {np.isfinite(result.null.p_values).sum()}"
        lines.append(f"| {' | '.join([label, str(result.recordings), *blocks, chance, pairs])} |")
    for label, reason in study.skipped.items():
        lines.append(f"| {label} | {reason} | | | | | |")
    return "\n".join(lines)
