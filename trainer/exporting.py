"""Writes a run as a SavedModel that needs plain TensorFlow only, and checks what was written."""

import functools
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from avinst import paths
from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.log_mel import log_mel
from avinst.schema import decode_jpegs, parse_examples
from trainer.leftovers import clear_leftovers
from trainer.models import sub_model
from trainer.run import EXPORT_FOLDER, Run

LABELS_ASSET = "labels.txt"
SPEC_ASSET = "dataset_spec.json"
_SAVED_MODEL = "saved_model.pb"
_UPLOADED_FIRST = "variables"
_SAVED_MODEL_NAMES = {_UPLOADED_FIRST, "assets", "fingerprint.pb", _SAVED_MODEL}
_CHECKED_EXAMPLES = 3
# The same operations in the same order, but fused otherwise; probabilities.
_TOLERANCE = 1e-5
# bfloat16 and float16 keep 8 and 11 bits between layers; fusing changes where values are rounded.
_TOLERANCE_MIXED = 3e-2

Endpoint = tuple[Callable[..., dict[str, tf.Tensor]], list[tf.TensorSpec]]


def export(run: Run, model_dir: str = "") -> str:
    """Writes `<version>/` below RUN/export or `model_dir`: one more than the highest version there.

    Returns:
        The directory that was written, by `export_to`.
    """
    parent = model_dir or paths.join(run.run_dir, EXPORT_FOLDER)
    paths.make_directory(parent)
    clear_leftovers(parent)
    versions = [int(name) for name in paths.list_directory(parent) if re.fullmatch(r"\d+", name)]
    target = paths.join(parent, str(max(versions, default=0) + 1))
    export_to(run, target)
    return target


def export_to(run: Run, directory: str) -> None:
    """Writes the SavedModel as this directory, which appears whole or not at all; one that is there is replaced.

    On a cloud file system, where directories cannot be renamed, `saved_model.pb` appears when the rest is there.

    The signatures are those of `endpoints`; `assets/` holds labels.txt, one name a line in the order of
    the probabilities, and dataset_spec.json.

    Raises:
        UserError: the directory holds something else.
        RuntimeError: what was written does not compute what the model does: a defect of this program.
    """
    check_replaceable(directory)
    if paths.is_remote(directory):
        with tempfile.TemporaryDirectory(prefix="avinst-") as local:
            _write(run, local)
            _check(run, local)
            _upload(Path(local), directory)
        return
    with paths.replacing(directory) as temporary:
        _write(run, temporary)
        _check(run, temporary)
        if paths.exists(directory):
            paths.remove(directory)


def check_replaceable(directory: str) -> None:
    """Raises UserError where a directory holds anything but a SavedModel, or one that was not uploaded to its end:
    replacing it would delete that. Fails also where the directory's file system cannot be reached.
    """
    if not paths.exists(directory):  # a listing is empty, too, where TensorFlow does not know the file system
        return
    names = paths.list_directory(directory)
    unfinished = _UPLOADED_FIRST in names and set(names) <= _SAVED_MODEL_NAMES
    if names and _SAVED_MODEL not in names and not unfinished:
        raise UserError(f"{directory!r} holds {names[0]!r} and no SavedModel; give a new directory")


def endpoints(model: keras.Model, dataset: Dataset) -> dict[str, Endpoint]:
    """The signatures as functions with their inputs; a model of one modality has only its own inputs.

    `serving_default` (waveform float32 [batch, samples] in [-1, 1], jpeg string [batch]), `tensors` (log_mel
    float32 [batch, frames, mels] dB, frame uint8 [batch, size, size, 3]) and `examples` (string [batch], each a
    tf.train.Example) give `probabilities` float32 [batch, labels]; `features` takes what `serving_default`
    takes and gives `audio_features` float32 [batch, 1024] and `visual_features` [batch, 2048] as well.
    """
    spec = dataset.spec
    names = [source.name for source in model.inputs]
    modalities = [name for name in ("audio", "visual") if any(x.name == f"{name}_features" for x in model.layers)]
    outputs = [*(f"{modality}_features" for modality in modalities), "probabilities"]
    with_features = sub_model(model, outputs)
    raw_specs = {
        "log_mel": tf.TensorSpec([None, spec.segment_samples], tf.float32, "waveform"),
        "frame": tf.TensorSpec([None], tf.string, "jpeg"),
    }
    tensor_specs = {
        "log_mel": tf.TensorSpec([None, spec.log_mel_frames, spec.mel_bands], tf.float32, "log_mel"),
        "frame": tf.TensorSpec([None, spec.frame_size, spec.frame_size, 3], tf.uint8, "frame"),
    }
    network_specs = {name: tf.TensorSpec(tensor.shape, tf.float32) for name, tensor in tensor_specs.items()}

    # Traced once and called by all signatures: the network is by far the most of each graph.
    @functools.partial(tf.function, input_signature=[[network_specs[name] for name in names]])
    def compute(tensors: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        found = with_features(tensors, training=False)
        return {name: tf.cast(values, tf.float32) for name, values in zip(outputs, found, strict=True)}

    def probabilities(tensors: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"probabilities": compute([tf.cast(tensor, tf.float32) for tensor in tensors])["probabilities"]}

    def from_raw(raw: tuple[tf.Tensor, ...]) -> list[tf.Tensor]:
        convert = {"log_mel": lambda x: log_mel(x, spec), "frame": lambda x: decode_jpegs(x, spec)}
        return [convert[name](tensor) for name, tensor in zip(names, raw, strict=True)]

    def features(*raw: tf.Tensor) -> dict[str, tf.Tensor]:
        return compute([tf.cast(tensor, tf.float32) for tensor in from_raw(raw)])

    def parsed(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        parts = parse_examples(serialized, spec, len(dataset.labels))
        return probabilities([parts[name] for name in names])

    return {
        "serving_default": (lambda *raw: probabilities(from_raw(raw)), [raw_specs[name] for name in names]),
        "tensors": (lambda *tensors: probabilities(list(tensors)), [tensor_specs[name] for name in names]),
        "examples": (parsed, [tf.TensorSpec([None], tf.string, "examples")]),
        "features": (features, [raw_specs[name] for name in names]),
    }


def _write(run: Run, directory: str) -> None:
    archive = keras.export.ExportArchive()
    # Not tracked: the weights that the functions use are saved by themselves, and would be a second time.
    for name, (function, signature) in endpoints(run.model, run.dataset_info).items():
        archive.add_endpoint(name, function, input_signature=signature)
    archive.write_out(directory, verbose=False)
    assets = paths.join(directory, "assets")
    paths.make_directory(assets)
    spec = json.dumps(run.dataset_info.spec.to_json(), indent=2)
    paths.write_text(paths.join(assets, SPEC_ASSET), spec + "\n")
    paths.write_text(paths.join(assets, LABELS_ASSET), "".join(f"{name}\n" for name in run.dataset_info.labels))


def _upload(local: Path, directory: str) -> None:
    if paths.exists(directory):
        paths.remove(directory)
    files = [file.relative_to(local).parts for file in local.rglob("*") if file.is_file()]
    for parts in sorted(files, key=lambda parts: (parts == (_SAVED_MODEL,), parts[0] != _UPLOADED_FIRST)):
        paths.make_directory(paths.join(directory, *parts[:-1]))
        paths.copy(str(Path(local, *parts)), paths.join(directory, *parts))


def _check(run: Run, directory: str) -> None:
    """Loads what was written and compares it with the model, on sound and pictures made up for it."""
    spec = run.dataset_info.spec
    generator = np.random.default_rng(0)
    waveform = generator.uniform(-0.5, 0.5, (_CHECKED_EXAMPLES, spec.segment_samples)).astype(np.float32)
    pictures = generator.integers(0, 256, (_CHECKED_EXAMPLES, spec.frame_size, spec.frame_size, 3), np.uint8)
    jpegs = tf.stack([tf.io.encode_jpeg(picture) for picture in pictures])
    raw: dict[str, Any] = {"waveform": tf.constant(waveform), "jpeg": jpegs}
    tensors = {"log_mel": log_mel(raw["waveform"], spec), "frame": decode_jpegs(jpegs, spec)}
    expected = run.model([tensors[source.name] for source in run.model.inputs], training=False)
    loaded = tf.saved_model.load(directory)
    for name, inputs in {"serving_default": raw, "tensors": tensors, "features": raw}.items():
        signature = loaded.signatures[name]
        wanted = signature.structured_input_signature[1]
        found = signature(**{key: value for key, value in inputs.items() if key in wanted})["probabilities"]
        difference = float(tf.reduce_max(tf.abs(found - expected)))
        if not difference <= (_TOLERANCE if run.config.precision == "float32" else _TOLERANCE_MIXED):
            raise RuntimeError(f"signature {name} of the SavedModel is off by {difference} from the model")
