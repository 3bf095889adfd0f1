"""An exported detector: a SavedModel with its labels and spec, called with sound and pictures."""

import dataclasses
import hashlib
import json
import os
import threading
from typing import Any

import numpy as np
import tensorflow as tf

from avinst import paths
from avinst.errors import UserError
from avinst.paths import StrPath
from avinst.saved_model import ModelAssets, read_assets
from avinst.spec import DatasetSpec

SIGNATURE = "serving_default"
FEATURES_SIGNATURE = "features"


@dataclasses.dataclass(frozen=True)
class Detector:
    """A loaded SavedModel; may be called from several threads.

    Attributes:
        model_dir: where it was loaded from.
        labels: names of the outputs, in order.
        spec: what a segment is.
        fingerprint: of the weights and what is done with them.
    """

    model_dir: str
    labels: tuple[str, ...]
    spec: DatasetSpec
    fingerprint: str
    _export: str = dataclasses.field(repr=False)  # by which TensorFlow tells one export from another
    _model: Any = dataclasses.field(repr=False)  # keeps the variables of the signature alive

    def probabilities(self, waveforms: np.ndarray, jpegs: np.ndarray) -> np.ndarray:
        """One row of label probabilities for each segment.

        Args:
            waveforms: float32 [batch, segment_samples] in [-1, 1].
            jpegs: bytes objects [batch], frames as JPEG of the spec's size.

        Returns:
            float32 [batch, labels].
        """
        return self.outputs(waveforms, jpegs)["probabilities"]

    def is_still(self, model_dir: str) -> bool:
        """Whether the export that lies there is this one."""
        return bool(self._export) and self._export == _export_of(model_dir)

    def gives(self, signature: str) -> bool:
        """Whether the model has a signature of this name."""
        return signature in self._model.signatures

    def outputs(
        self, waveforms: np.ndarray, jpegs: np.ndarray, signature: str = SIGNATURE
    ) -> dict[str, np.ndarray]:
        """All that a signature gives for each segment, float32 [batch, ...]; arguments as of `probabilities`."""
        function = self._model.signatures[signature]
        given = {"waveform": tf.constant(waveforms, tf.float32), "jpeg": tf.constant(jpegs, tf.string)}
        # A detector of one modality takes one input.
        wanted = function.structured_input_signature[1]
        return {
            name: values.numpy() for name, values in function(**{name: given[name] for name in wanted}).items()
        }


def load_detector(model_dir: StrPath) -> Detector:
    """Loads a SavedModel that `avinst export` wrote.

    Args:
        model_dir: an exported version directory, as `trainer.export_run` or `newest_export` give it.

    Raises:
        UserError: no SavedModel there, or none of avinst's.
    """
    model_dir = os.fspath(model_dir)
    assets = read_assets(model_dir)
    try:
        export = _export_of(model_dir)
        model = tf.saved_model.load(model_dir)
        signature = model.signatures[SIGNATURE]
        fingerprint = _fingerprint(signature, assets)
        outputs = signature.structured_outputs["probabilities"].shape[-1]
    except (ValueError, KeyError, IndexError, OSError, tf.errors.OpError) as error:
        raise UserError(f"cannot load the SavedModel {model_dir!r} ({error}); export it again") from error
    names = len(assets.labels)
    if outputs != names:
        raise UserError(f"{model_dir!r}: {names} names in assets/labels.txt, {outputs} outputs; export it again")
    return Detector(model_dir, assets.labels, assets.spec, fingerprint, export, model)


def _fingerprint(signature: Any, assets: ModelAssets) -> str:
    """Sha256 over what decides the probabilities: the same for another export of the same weights.

    TensorFlow's own fingerprint differs from export to export.
    """
    digest = hashlib.sha256()
    facts = assets.facts  # none of older exports
    program = [
        facts.get("precision"),
        facts.get("backbones"),
        facts.get("export", {}).get("versions", {}).get("avinst"),
    ]
    digest.update(json.dumps([assets.labels, assets.spec.to_json(), program], sort_keys=True).encode())
    for weights in sorted(signature.variables, key=lambda variable: variable.name):
        values = np.ascontiguousarray(weights.numpy())
        digest.update(f"{weights.name} {values.dtype} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _export_of(model_dir: str) -> str:
    file = paths.join(model_dir, "fingerprint.pb")
    return hashlib.sha256(paths.read_bytes(file)).hexdigest() if paths.exists(file) else ""


_LOADING = threading.Lock()
_shared: Detector | None = None


def shared_detector(model_dir: str, fingerprint: str = "") -> Detector:
    """The detector that all threads of this process use: it is loaded once, for it may take most of the memory.

    Args:
        model_dir: where it lies.
        fingerprint: what it has to be; empty: any.

    Raises:
        UserError: another model lies there by now, or as `load_detector`.
    """
    global _shared  # of the process, as the threads that share it
    with _LOADING:
        if _shared is None or _shared.model_dir != model_dir or not _shared.is_still(model_dir):
            _shared = load_detector(model_dir)
        if fingerprint and _shared.fingerprint != fingerprint:
            raise UserError(f"the model in {model_dir!r} was replaced since the job began; run the command again")
        return _shared
