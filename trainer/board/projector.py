"""The penultimate features of recordings in TensorBoard's projector, with labels and thumbnails."""

import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.plugins.projector import ProjectorConfig

from avinst import paths
from avinst.manifests.rows import LABEL_SEPARATOR
from trainer.evaluation.predictions import Predictions
from trainer.evaluation.scores import decisions

# The projector reads and sends all of it at once: 1000 recordings of a fused run are up to 25 MB of text.
LARGEST_NUMBER_OF_RECORDINGS = 1000
THUMBNAIL_PIXELS = 64
CONFIG_FILE = "projector_config.pbtxt"  # TensorBoard looks for this name
METADATA_FILE = "recordings.tsv"
SPRITE_FILE = "thumbnails.jpg"
_FEATURE_LAYERS = ("audio_features", "visual_features")
_DIGITS = 5


class RecordingFeatures:
    """Gathers features and a thumbnail of each recording while a split is predicted.

    Of more than 1000 recordings it keeps 1000, spread evenly over the order of the files.

    Attributes:
        layers: the penultimate layers that the model has.
    """

    def __init__(self, model: keras.Model, recordings: int, maximum: int = LARGEST_NUMBER_OF_RECORDINGS) -> None:
        names = {layer.name for layer in model.layers}
        self.layers = tuple(name for name in _FEATURE_LAYERS if name in names)
        self._kept = set(np.linspace(0, recordings - 1, min(recordings, maximum)).round().astype(int).tolist())
        self._number_of: dict[bytes, int] = {}
        self._sums: dict[int, list[np.ndarray]] = {}
        self._segments: dict[int, int] = {}
        self._thumbnails: dict[int, np.ndarray] = {}

    def observe(self, batch: Mapping[str, tf.Tensor], outputs: Mapping[str, np.ndarray]) -> None:
        """Adds a batch; see `trainer.evaluation.predictions.Observer`."""
        for row, video_id in enumerate(batch["video_id"].numpy()):
            number = self._number_of.setdefault(video_id, len(self._number_of))
            if number not in self._kept:
                continue
            self._segments[number] = self._segments.get(number, 0) + 1
            features = [outputs[layer][row].astype(np.float64) for layer in self.layers]
            before = self._sums.get(number)
            self._sums[number] = [a + b for a, b in zip(before, features, strict=True)] if before else features
            # The 1st, 2nd, 4th, 8th ... segment's: in the end one of the second half, and little work.
            if self._segments[number].bit_count() == 1:
                self._thumbnails[number] = _thumbnail(batch["frame"][row])

    @property
    def kept(self) -> np.ndarray:
        """int [kept], the numbers of the recordings in the order in which they first came."""
        return np.array(sorted(self._sums))

    def features(self) -> dict[str, np.ndarray]:
        """Layer to float32 [kept, features], the mean over a recording's segments."""
        return {
            layer: np.stack([self._sums[number][index] / self._segments[number] for number in self.kept]).astype(
                np.float32
            )
            for index, layer in enumerate(self.layers)
        }

    def sprite(self) -> np.ndarray:
        """uint8 [height, width, 3]: the thumbnails row by row from the upper left corner on, then black."""
        columns = math.ceil(math.sqrt(len(self.kept)))
        rows = math.ceil(len(self.kept) / columns)
        tiles = np.zeros((rows * columns, THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, 3), np.uint8)
        tiles[: len(self.kept)] = [self._thumbnails[number] for number in self.kept]
        grid = tiles.reshape(rows, columns, THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, 3)
        return grid.transpose(0, 2, 1, 3, 4).reshape(rows * THUMBNAIL_PIXELS, columns * THUMBNAIL_PIXELS, 3)


def write_projector(
    log_dir: str,
    gathered: RecordingFeatures,
    recordings: Predictions,
    label_names: Sequence[str],
    *,
    multi_label: bool,
) -> None:
    """Writes what the projector reads into a folder of logs, which must hold an event file to be found.

    Args:
        log_dir: the folder.
        gathered: features and thumbnails.
        recordings: of the same pass over the split, one row a recording.
        label_names: in the order of the columns.
        multi_label: whether recordings may bear several labels.
    """
    config = ProjectorConfig()
    for layer, values in gathered.features().items():
        paths.write_text(paths.join(log_dir, f"{layer}.tsv"), _tensor_tsv(values))
        embedding = config.embeddings.add()
        embedding.tensor_name = layer
        embedding.tensor_path = f"{layer}.tsv"
        embedding.tensor_shape.extend(values.shape)
        embedding.metadata_path = METADATA_FILE
        embedding.sprite.image_path = SPRITE_FILE
        embedding.sprite.single_image_dim.extend([THUMBNAIL_PIXELS, THUMBNAIL_PIXELS])
    rows = metadata_rows(recordings, label_names, gathered.kept, multi_label=multi_label)
    paths.write_text(paths.join(log_dir, METADATA_FILE), "".join("\t".join(row) + "\n" for row in rows))
    paths.write_bytes(paths.join(log_dir, SPRITE_FILE), tf.io.encode_jpeg(gathered.sprite(), quality=90).numpy())
    paths.write_text(paths.join(log_dir, CONFIG_FILE), text_format.MessageToString(config))


def metadata_rows(
    recordings: Predictions, label_names: Sequence[str], chosen: np.ndarray, *, multi_label: bool
) -> list[list[str]]:
    """Header and a row for each chosen recording: what the projector shows, searches and colours by.

    `correct`: the predicted label is the true one; multi-label: exactly the true ones are predicted.
    """
    rows = [["label", "predicted", "correct", "highest_probability", "video_id"]]
    decided = decisions(recordings.probabilities, multi_label=multi_label)
    for row in chosen:
        true, predicted = recordings.labels[row] > 0, decided[row]
        correct = "yes" if np.array_equal(true, predicted) else "no"
        highest = f"{recordings.probabilities[row].max():.3f}"
        video_id = str(recordings.video_ids[row])
        cells = [_names(label_names, true), _names(label_names, predicted), correct, highest, video_id]
        rows.append([" ".join(cell.split()) for cell in cells])  # a tab or a line's end would shift the columns
    return rows


def _names(label_names: Sequence[str], held: np.ndarray) -> str:
    return LABEL_SEPARATOR.join(name for name, holds in zip(label_names, held, strict=True) if holds) or "none"


def _tensor_tsv(values: np.ndarray) -> str:
    return "".join("\t".join(f"{value:.{_DIGITS}g}" for value in row) + "\n" for row in values.tolist())


def _thumbnail(frame: tf.Tensor) -> np.ndarray:
    small = tf.image.resize(tf.cast(frame, tf.float32), [THUMBNAIL_PIXELS, THUMBNAIL_PIXELS], method="area")
    return np.asarray(tf.cast(tf.round(small), tf.uint8))
