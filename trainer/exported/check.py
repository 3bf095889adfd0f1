"""Whether an exported model computes what the run's model does, on real examples where the dataset is there."""

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from avinst.dataset import Dataset, load_dataset
from avinst.errors import UserError
from avinst.frames import encode_jpeg
from avinst.log_mel import log_mel
from avinst.schema import Example, encode_example, parse_inputs
from avinst.spec import DatasetSpec
from trainer.exported.signatures import feature_names
from trainer.models import sub_model
from trainer.run import Run

_REAL_SEGMENTS = 8
_MADE_UP_SEGMENTS = 3
# Recordings that no training has seen are preferred.
_SPLITS = ("test", "validation", "train")
# The same operations in the same order, but fused otherwise.
TOLERANCE = 1e-5
# bfloat16 and float16 keep 8 and 11 bits between layers; fusing changes where values are rounded.
TOLERANCE_MIXED = 3e-2
# Against the run's own precision: what rounding between the layers of a deep network may add up to.
TOLERANCE_OTHER_PRECISION = 0.1


@dataclasses.dataclass(frozen=True)
class Checked:
    """What was compared, and how well it agrees.

    Attributes:
        segments: number of real segments, of which `examples` and `tensors` were asked; 0: none could be had.
        split: of the run's dataset, which they are of; empty where there are none.
        reason: why there are none, in words; empty where there are.
        difference: largest difference of a probability between the SavedModel, loaded again, and the Keras model
            in the same precision, over all signatures; of features in shares of the largest.
        tolerance: up to which that is accepted.
        precision_difference: largest difference of a probability between the Keras model and that in the run's
            own precision; 0 where that is the same.
    """

    segments: int
    split: str
    reason: str
    difference: float
    tolerance: float
    precision_difference: float = 0.0

    def in_words(self) -> str:
        """On what, and how large the largest difference is."""
        what = f"{self.segments} real segments of the {self.split} split" if self.segments else "made-up segments"
        reason = f" ({self.reason})" if self.reason else ""
        words = f"checked on {what}{reason}: largest difference {self.difference:.1g}"
        if self.precision_difference:
            words += f", to the run's own precision {self.precision_difference:.1g}"
        return words


def check_export(run: Run, model: keras.Model, precision: str, directory: str) -> Checked:
    """Loads a SavedModel and compares its signatures with the model that it was made of.

    All signatures get sound and pictures that are made up; `examples` and `tensors` also get real examples of the
    run's dataset.

    Args:
        run: the run, for its dataset and its own model.
        model: the run's model in the precision of the export.
        precision: of the export.
        directory: of the SavedModel.

    Raises:
        RuntimeError: the signatures give something else than the model: a defect of this program.
        UserError: in this precision the network gives something else than in the run's own.
    """
    spec = run.dataset_info.spec
    real, split, reason = _real_examples(run.dataset_info)
    batches = [_made_up(spec)]
    if real:
        batches.append({"examples": tf.constant(real)})
    outputs = [*feature_names(model), "probabilities"]
    reference = sub_model(model, outputs)
    loaded = tf.saved_model.load(directory)
    tolerance = TOLERANCE if precision == "float32" else TOLERANCE_MIXED
    differences, precision_differences = [0.0], [0.0]
    for batch in batches:
        tensors = parse_inputs(batch["examples"], spec, ("log_mel", "frame"))
        inputs = [tensors[source.name] for source in model.inputs]
        expected = dict(zip(outputs, reference(inputs, training=False), strict=True))
        if model is not run.model:
            own = run.model(inputs, training=False)
            precision_differences.append(_difference(expected["probabilities"], own))
            _check_precision(precision_differences[-1], precision, run.config.precision)
        for name, signature in loaded.signatures.items():
            wanted = signature.structured_input_signature[1]
            given = {key: values for key, values in {**batch, **tensors}.items() if key in wanted}
            if len(given) < len(wanted):  # of real examples there is no sound
                continue
            for output, found in signature(**given).items():
                differences.append(_difference(found, expected[output]))
                if not differences[-1] <= tolerance:
                    what = f"{output} of signature {name}"
                    raise RuntimeError(f"the SavedModel is off by {differences[-1]} from the model: {what}")
    return Checked(len(real), split, reason, max(differences), tolerance, max(precision_differences))


def _difference(found: Any, expected: Any) -> float:
    """The largest, absolute for values within -1 and 1, else in shares of the largest; NaN where one is NaN."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def _check_precision(difference: float, precision: str, own: str) -> None:
    if not difference <= TOLERANCE_OTHER_PRECISION:
        raise UserError(
            f"--precision={precision}: probabilities differ by {difference:.2g} from those of the run's own "
            f"{own}, at most {TOLERANCE_OTHER_PRECISION:g} is accepted; give --precision={own}"
        )


def _real_examples(trained_on: Dataset) -> tuple[list[bytes], str, str]:
    """Some stored examples, of several files, with their split; or none, and the reason."""
    try:
        dataset = load_dataset(trained_on.data_dir)
        if dataset.fingerprint != trained_on.fingerprint:
            return [], "", f"another dataset is in {trained_on.data_dir!r} now"
        split = next((name for name in _SPLITS if dataset.segments.get(name)), "")
        if not split:
            return [], "", "the dataset has no examples"
        files = tf.data.Dataset.from_tensor_slices(dataset.tfrecord_paths(split))
        records = files.interleave(tf.data.TFRecordDataset, cycle_length=_REAL_SEGMENTS).take(_REAL_SEGMENTS)
        stored = [record.numpy() for record in records]
        if not stored:  # what TensorFlow makes of a file that ends within its first few bytes
            return [], "", f"the files of the {split} split in {trained_on.data_dir!r} hold no examples"
        return stored, split, ""
    except UserError:
        return [], "", f"the run's dataset is no longer in {trained_on.data_dir!r}"
    except (OSError, tf.errors.OpError) as error:
        return [], "", f"the run's dataset in {trained_on.data_dir!r} cannot be read: {type(error).__name__}"


def _made_up(spec: DatasetSpec) -> dict[str, tf.Tensor]:
    """`waveform`, `jpeg`, and `examples` as `prepare` would store them: noise from loud to soft, and silence."""
    generator = np.random.default_rng(0)
    levels = np.geomspace(0.5, 1e-3, _MADE_UP_SEGMENTS).astype(np.float32)
    levels[-1] = 0.0
    waveform = generator.uniform(-1, 1, (_MADE_UP_SEGMENTS, spec.segment_samples)).astype(np.float32)
    waveform *= levels[:, None]
    pictures = generator.integers(0, 256, (_MADE_UP_SEGMENTS, spec.frame_size, spec.frame_size, 3), np.uint8)
    jpegs = [encode_jpeg(picture, spec) for picture in pictures]
    # Traced as in `prepare`: eagerly the last bit may differ, and be rounded to another step.
    spectrograms = tf.function(functools.partial(log_mel, spec=spec))(tf.constant(waveform)).numpy()
    examples = [
        encode_example(Example(spectrogram, jpeg, (0,), "made-up", index, float(index)), spec)
        for index, (spectrogram, jpeg) in enumerate(zip(spectrograms, jpegs, strict=True))
    ]
    return {"waveform": tf.constant(waveform), "jpeg": tf.constant(jpegs), "examples": tf.constant(examples)}
