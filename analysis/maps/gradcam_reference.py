"""tf-keras-vis' own maps: what `analysis.maps.gradcam` must agree with, in tests, analyses and benchmarks."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

from analysis.features import model_inputs
from analysis.maps.gradcam import MAP_OF, EvidenceMaps

_IMPLEMENTATIONS = {"gradcam": Gradcam, "gradcam++": GradcamPlusPlus}


def tf_keras_vis_maps(
    model: keras.Model, batch: Mapping[str, Any], label_indices: np.ndarray, modality: str, method: str
) -> np.ndarray:
    """float32 [n, rows, columns]: the maps of one modality by tf-keras-vis, all segments at once.

    Grad-CAM++ has the factor exp(logit) here.

    Args:
        model: flat, float inputs, with contract layers.
        batch: the model's inputs by name.
        label_indices: int [n], the label whose logit is explained.
        modality: `audio` or `visual`.
        method: `gradcam` or `gradcam++`.
    """
    # A list of inputs, no clone and the very layer that is named: otherwise tf-keras-vis fails or takes another
    # branch's layer in silence.
    explained = _IMPLEMENTATIONS[method](keras.Model(model.inputs, model.get_layer("logits").output), clone=False)
    found = explained(
        lambda logits: tf.gather(logits, tf.constant(label_indices, tf.int32), batch_dims=1),
        model_inputs(model, batch),
        penultimate_layer=MAP_OF[modality],
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    return np.asarray(found, np.float32)


def largest_difference(
    evidence_maps: EvidenceMaps, batch: Mapping[str, Any], label_indices: np.ndarray
) -> float | None:
    """How far the maps are from tf-keras-vis', each divided by its largest value: the largest of all differences.

    None where there is nothing to compare with: tf-keras-vis' Score-CAM takes no spectrogram without a channel
    axis and masks all inputs at once, and its Grad-CAM++ takes no feature maps of half precision.
    """
    method, model = evidence_maps.method, evidence_maps.model
    if method not in _IMPLEMENTATIONS:
        return None
    if method == "gradcam++" and map_precision(evidence_maps) != "float32":
        return None
    found = evidence_maps(batch, label_indices)
    differences = []
    for modality in evidence_maps.modalities:
        expected = tf_keras_vis_maps(model, batch, label_indices, modality, method)
        differences.append(np.abs(_scaled(found[modality]) - _scaled(expected)).max())
    return float(max(differences))


def map_precision(evidence_maps: EvidenceMaps) -> str:
    """The type in which the maps' layers compute: `float32`, or the lesser one where any of them has it."""
    types = {str(evidence_maps.model.get_layer(MAP_OF[name]).compute_dtype) for name in evidence_maps.modalities}
    return next((name for name in sorted(types) if name != "float32"), "float32")


def _scaled(maps: np.ndarray) -> np.ndarray:
    largest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)
