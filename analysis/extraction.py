"""One pass of a model over a split: what its contract layers give of every segment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from analysis.feature_parts import SEGMENTS_A_PART, FeatureParts, pass_key
from analysis.features import MODALITIES, Features, model_inputs
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.progress import Progress
from trainer.inputs.damaged_files import damaged_files_named
from trainer.inputs.pipeline import keyed_examples

Batches = Iterable[Mapping[str, Any]]
_OF_THE_BATCH = ("label", "video_id", "segment_index")


class SplitBatches(Protocol):
    """Gives the batches of a split, dicts of `avinst.schema.parse_examples`, anew at each call."""

    def __call__(self, split: str, skip: int = 0) -> Batches:
        """The batches of a split from the segment number `skip` on, a multiple of the size of a batch."""


def extract_features(model: keras.Model, dataset: Dataset, split: str = "test", batch_size: int = 32) -> Features:
    """What a model makes of all segments of a split; `.by_recording()` gives the means over each recording.

    Args:
        model: `run.model`.
        dataset: a finished dataset.
        split: train, validation or test.
        batch_size: segments that are computed together.

    Returns:
        Features, logits, probabilities and labels: a row a segment, in the order of the files; 12 kB each.

    Raises:
        UserError: the split is unknown or has no examples, or a file of it is damaged.
    """
    dataset.tfrecord_paths(split)  # a missing split is told

    def batches(split: str, skip: int = 0) -> Batches:
        return keyed_examples(dataset, split, batch_size, skip=skip)

    with damaged_files_named(dataset, [split]):
        return split_features(model, dataset, split, batches, batch_size)


def split_features(
    model: keras.Model,
    dataset: Dataset,
    split: str,
    batches: SplitBatches,
    batch_size: int,
    parts_dir: str = "",
) -> Features:
    """The features of all segments of a split, as `segment_features` gives them.

    Args:
        model: flat, with contract layer names.
        dataset: label names and numbers of segments.
        split: which.
        batches: gives its batches.
        batch_size: segments of a batch.
        parts_dir: where rows are kept as they come, and found again after a pass that was killed; empty: nowhere.
    """
    parts = FeatureParts(parts_dir, pass_key(model, dataset, split, batch_size)) if parts_dir else None
    following = batches(split, parts.rows if parts else 0)
    return segment_features(model, following, dataset.labels, dataset.multi_label, dataset.segments[split], parts)


def segment_features(
    model: keras.Model,
    batches: Batches,
    label_names: Sequence[str],
    multi_label: bool,
    total: int | None = None,
    parts: FeatureParts | None = None,
) -> Features:
    """Runs the model once over the segments and keeps what its contract layers give.

    Args:
        model: flat, with layers `logits`, `probabilities` and `audio_features`, `visual_features` or one of them.
        batches: dicts of `avinst.schema.parse_examples`; with `parts` those that follow the rows that these hold.
        label_names: the dataset's, in its order.
        multi_label: whether a recording may bear several labels.
        total: number of segments, for the progress line.
        parts: where rows are kept as they come, and where those of an earlier pass lie; None: in memory only.

    Raises:
        UserError: there are no segments.
        ValueError: the model has neither features layer.
    """
    progress = Progress("features: segments", total)
    gathered: list[dict[str, np.ndarray]] = []
    if parts:
        progress.skip(parts.rows)
        gathered = parts.load()
    for part in _parts_of(_computed(model, batches, progress)):
        if parts:
            parts.add(part)
        gathered.append(part)
    progress.finish()
    if not gathered:
        raise UserError("no segments to analyze; give a split that has some (avinst inspect shows the counts)")
    # One array after the other leaves its parts: all of them and all of the parts would be twice the features.
    arrays = {name: np.concatenate([part.pop(name) for part in gathered]) for name in list(gathered[0])}
    return Features(
        label_names=tuple(label_names),
        multi_label=multi_label,
        video_id=arrays["video_id"],
        segment_index=arrays["segment_index"],
        labels=arrays["label"] > 0,
        logits=arrays["logits"],
        probabilities=arrays["probabilities"],
        audio=arrays.get("audio_features"),
        visual=arrays.get("visual_features"),
    )


def _computed(model: keras.Model, batches: Batches, progress: Progress) -> Iterator[dict[str, np.ndarray]]:
    """The model's outputs for each batch, with the names of its segments."""
    layers = {layer.name for layer in model.layers}
    names = [f"{modality}_features" for modality in MODALITIES if f"{modality}_features" in layers]
    if not names:
        raise ValueError(f"the model {model.name!r} has no layer audio_features or visual_features")
    names += ["logits", "probabilities"]
    extractor = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    compute = tf.function(lambda inputs: extractor(inputs, training=False), reduce_retracing=True)
    for batch in batches:
        outputs = compute(model_inputs(model, batch))
        arrays = {name: tf.cast(output, tf.float32).numpy() for name, output in zip(names, outputs, strict=True)}
        arrays |= {name: np.asarray(batch[name]) for name in _OF_THE_BATCH}
        arrays["video_id"] = np.array([name.decode() for name in arrays["video_id"]])
        yield arrays
        progress.advance(len(arrays["video_id"]))


def _parts_of(batches: Iterator[dict[str, np.ndarray]]) -> Iterator[dict[str, np.ndarray]]:
    """Batches joined to parts of SEGMENTS_A_PART rows, or a few more, and the rest."""
    waiting: list[dict[str, np.ndarray]] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch["video_id"])
        if rows >= SEGMENTS_A_PART:
            yield _joined(waiting)
            waiting, rows = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
