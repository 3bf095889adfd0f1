"""Weights to begin with, from a finished run: joint training from an independent run's stages, or fine-tuning."""

from typing import Any

import keras

from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.progress import tell
from trainer.config import TrainConfig
from trainer.models.build import MODALITIES
from trainer.run import load_run, read_config

# The settings that decide the shapes of a branch's weights.
_BRANCH_SETTINGS = {
    "audio": ("audio_backbone", "audio_blocks", "audio_width"),
    "visual": ("visual_backbone",),
}
_HEAD_LAYERS = ("fusion_hidden", "logits")


def check_initial_run(config: TrainConfig, dataset: Dataset) -> None:
    """Checks that the run `config.init_from` has branches for what is trained; imports no weights.

    Raises:
        UserError: no finished run, none of the modalities wanted, other backbones, another dataset spec, or
            weights for the same branch from two places.
    """
    if not config.init_from:
        return
    there, dataset_there = read_config(config.init_from)
    shared = [modality for modality in MODALITIES[config.scheme] if modality in MODALITIES[there.scheme]]
    if not shared:
        raise UserError(
            f"--init_from={config.init_from}: a run of {there.scheme} alone has nothing for {config.scheme}; give "
            "one that has"
        )
    if "visual" in shared and config.visual_weights != "none":
        raise UserError(
            f"--visual_weights={config.visual_weights} and --init_from={config.init_from} both give weights for "
            "the visual network; leave one out"
        )
    differences = []
    spec_there, spec_now = dataset_there.spec.to_json(), dataset.spec.to_json()
    for modality in shared:
        pairs = [(name, getattr(there, name), getattr(config, name)) for name in _BRANCH_SETTINGS[modality]]
        pairs += [
            (name, spec_there[name], value)
            for name, value in spec_now.items()
            if name.startswith(("frame_", "jpeg_")) == (modality == "visual")
        ]
        differences += [f"{name}: {old} there, {new} now" for name, old, new in pairs if old != new]
    if differences:
        raise UserError(
            f"--init_from={config.init_from}: its weights do not fit ({'; '.join(differences)}); give the same "
            "settings and a dataset prepared alike"
        )


def initialize(network: keras.Model, stage: str, config: TrainConfig, dataset: Dataset) -> None:
    """Copies the weights of the run `config.init_from` that belong to a stage's network, if one is given.

    The branches' always, statistics of BatchNorm included; the head's where it decides on the same labels from the
    same features. The log-mel is normalized by the mean and deviation of the new dataset.

    Args:
        network: a freshly built network of the stage.
        stage: audio, visual or joint.
        config: the settings; `check_initial_run` has passed.
        dataset: what is trained on.
    """
    if not config.init_from:
        return
    run = load_run(config.init_from)
    prefixes = tuple(f"{modality}_" for modality in MODALITIES[stage])
    same_head = (
        MODALITIES[stage] == MODALITIES[run.config.scheme]
        and run.dataset_info.labels == dataset.labels
        and run.dataset_info.multi_label == dataset.multi_label
        and run.config.fusion_hidden_units == config.fusion_hidden_units
    )
    source: dict[str, Any] = {layer.name: layer for layer in run.model.layers if layer.weights}
    copied = set()
    for layer in network.layers:
        of_head = layer.name in _HEAD_LAYERS
        if layer.weights and layer.name in source and (same_head if of_head else layer.name.startswith(prefixes)):
            layer.set_weights(source[layer.name].get_weights())
            copied.add("head" if of_head else layer.name.partition("_")[0])
    if copied:
        tell(f"{stage}: begins with the weights of {config.init_from} ({', '.join(sorted(copied))})")
