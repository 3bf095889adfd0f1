"""What is known of an exported model, for programs (`assets/model.json`); the model card says it to people."""

import dataclasses
import datetime
import json
from typing import Any

import keras

from avinst import paths
from avinst.errors import UserError
from avinst.spec import DatasetSpec
from avinst.versions import package_versions
from trainer.evaluation.measured_on import FINGERPRINT
from trainer.evaluation.scores import NAMES
from trainer.evaluation.tables import LEVELS
from trainer.exported.check import Checked
from trainer.exported.signatures import endpoints, feature_names
from trainer.models.build import MODALITIES
from trainer.run import AUDIT_FILE, CONFIG_FILE, METRICS_FILE, Run, read_metrics

FORMAT_VERSION = 1
_PACKAGES = ("tensorflow", "keras", "numpy")
_AUDITED = ("metric", "recordings", "scores", "absent", "verdict")


def model_facts(run: Run, precision: str, checked: Checked) -> dict[str, Any]:
    """All of `model.json` as plain JSON values; docs/serving.md lists it.

    Args:
        run: a finished run.
        precision: of the export.
        checked: how the export was compared with the run's model.

    Raises:
        UserError: metrics.json or audit.json of the run is damaged.
    """
    dataset, config = run.dataset_info, run.config
    modalities = MODALITIES[config.scheme]
    begun = json.loads(paths.read_text(paths.join(run.run_dir, CONFIG_FILE)))
    return {
        "format_version": FORMAT_VERSION,
        "labels": list(dataset.labels),
        "multi_label": dataset.multi_label,
        "scheme": config.scheme,
        "modalities": list(modalities),
        "backbones": {modality: getattr(config, f"{modality}_backbone") for modality in modalities},
        "parameters": run.model.count_params(),
        "precision": precision,
        "signatures": _signatures(run.model, run),
        "check": dataclasses.asdict(checked),
        "metrics": _metrics(run.run_dir),
        "audit": _audit(run.run_dir) if len(modalities) == 2 else {},
        "dataset": {
            "fingerprint": dataset.fingerprint,
            "spec": dataset.spec.to_json(),
            "recordings": dict(dataset.recordings),
            "segments": dict(dataset.segments),
            "label_segments": {split: dict(counts) for split, counts in dataset.label_segments.items()},
            "rejects": dataset.rejects,
            "log_mel_mean_db": dataset.log_mel_mean_db,
            "log_mel_std_db": dataset.log_mel_std_db,
            "versions": dict(dataset.versions),
        },
        "training": {
            "command": begun.get("command", ""),
            "flags": config.to_json(),
            "seed": config.seed,
            "versions": begun.get("versions", {}),
        },
        "export": {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "versions": package_versions(_PACKAGES),
        },
    }


def input_meanings(spec: DatasetSpec) -> dict[str, str]:
    """Input of a signature to what it holds, with units and ranges."""
    fit = {
        "stretch": "stretched to a square",
        "crop": "cut to its central square",
        "pad": "made square with black bars",
    }[spec.frame_fit]
    size = f"{spec.frame_size} x {spec.frame_size}"
    return {
        "waveform": f"mono sound in -1 to 1, {spec.segment_samples} samples = {spec.segment_seconds:g} s at "
        f"{spec.sample_rate_hz} Hz",
        "jpeg": f"the picture shown at the middle of that time, {fit}, as a JPEG file of exactly {size} pixels",
        "log_mel": f"log-mel spectrogram in dB, {spec.log_mel_frames} windows x {spec.mel_bands} mel bands, as "
        "`avinst.log_mel` computes it",
        "frame": f"that picture's RGB values, 0 to 255, {size}",
        "examples": "serialized tf.train.Examples of such a dataset",
    }


def _signatures(model: keras.Model, run: Run) -> dict[str, Any]:
    meanings = input_meanings(run.dataset_info.spec)
    outputs = {
        **{name: {"dtype": "float32", "shape": [None, _width(model, name)]} for name in feature_names(model)},
        "probabilities": {"dtype": "float32", "shape": [None, len(run.dataset_info.labels)]},
    }
    return {
        name: {
            "inputs": {
                tensor.name: {
                    "dtype": tensor.dtype.name,
                    "shape": tensor.shape.as_list(),
                    "meaning": meanings[tensor.name],
                }
                for tensor in tensors
            },
            "outputs": outputs if name == "features" else {"probabilities": outputs["probabilities"]},
        }
        for name, (_, tensors) in endpoints(model, run.dataset_info).items()
    }


def _width(model: keras.Model, layer: str) -> int:
    return int(model.get_layer(layer).output.shape[-1])


def _metrics(run_dir: str) -> dict[str, Any]:
    """Split to the dataset's fingerprint, and to level to scores with their intervals, `per_label` and `count`."""
    try:
        return {
            split: {
                **{
                    level: {name: levels[level][name] for name in (*NAMES, "per_label", "count")}
                    for level in LEVELS
                },
                FINGERPRINT: levels.get(FINGERPRINT),
            }
            for split, levels in read_metrics(run_dir).items()
        }
    except (KeyError, TypeError) as error:
        raise _damaged(run_dir, METRICS_FILE, error) from error


def _audit(run_dir: str) -> dict[str, Any]:
    """Split to what was found, the verdict in words and the dataset's fingerprint among it."""
    try:
        return {
            split: {**{name: audit[name] for name in _AUDITED}, FINGERPRINT: audit.get(FINGERPRINT)}
            for split, audit in read_metrics(run_dir, AUDIT_FILE).items()
        }
    except (KeyError, TypeError) as error:
        raise _damaged(run_dir, AUDIT_FILE, error) from error


def _damaged(run_dir: str, name: str, error: Exception) -> UserError:
    file = paths.join(run_dir, name)
    return UserError(f"{file!r} is damaged ({error!r}); delete it and run avinst evaluate again")
