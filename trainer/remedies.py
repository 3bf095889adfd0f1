"""Remedies for joint training's known weakness, that the modality which is learned first hinders the other one."""

from typing import Any

import keras

from trainer.config import TrainConfig
from trainer.modulation import ModulatedModel

MODALITIES = ("audio", "visual")


def fitted_network(network: keras.Model, config: TrainConfig, name: str) -> keras.Model:
    """The model that is fitted in a network's place: it shares the weights, ends in logits, holds the remedies.

    So the network itself stays plain, and so does what is saved of it.

    Args:
        network: has a layer `logits`; one of both modalities also `audio_features` and `visual_features`.
        config: `modality_dropout`, `gradient_modulation`, `modulation_alpha`, `seed`.
        name: of the model.
    """
    logits = network.get_layer("logits")
    output = logits.output
    names = {layer.name for layer in network.layers}
    if not {f"{modality}_features" for modality in MODALITIES} <= names:
        return keras.Model(network.inputs, output, name=name)
    features = [network.get_layer(f"{modality}_features").output for modality in MODALITIES]
    if config.modality_dropout:
        dropped = ModalityDropout(config.modality_dropout, seed=config.seed, name="modality_dropout")(features)
        output = _head_on(dropped, network)
    if config.gradient_modulation == "none":
        return keras.Model(network.inputs, output, name=name)
    return ModulatedModel(network.inputs, output, name=name, features=features, head=logits)


@keras.saving.register_keras_serializable(package="avinst")
class ModalityDropout(keras.layers.Layer):
    """Zeroes the features of one modality, of random examples, while training; never those of both.

    As in dropout what is kept is scaled, by 1 / (1 - rate / 2) in every example: each feature's mean stays.

    Args:
        rate: share of the examples that lose a modality, either one with the same probability.
        seed: of the random numbers.
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: list[Any], training: bool = False) -> list[Any]:
        """Two tensors [batch, features]; gives two of the same shapes."""
        if not training:
            return inputs
        first, second = inputs
        drawn = keras.random.uniform((keras.ops.shape(first)[0], 1), seed=self.seed_generator)
        kept = 1 / (1 - self.rate / 2)
        return [
            first * keras.ops.cast(keras.ops.where(drawn < self.rate / 2, 0.0, kept), first.dtype),
            second * keras.ops.cast(keras.ops.where(drawn >= 1 - self.rate / 2, 0.0, kept), second.dtype),
        ]

    def compute_output_shape(self, input_shape: list[Any]) -> list[Any]:
        """As the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What makes an equal layer."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def _head_on(features: list[Any], network: keras.Model) -> Any:
    """The layers from `fusion_features` to `logits`, which follow one another, applied to other features."""
    names = [layer.name for layer in network.layers]
    x: Any = features
    for layer in network.layers[names.index("fusion_features") : names.index("logits") + 1]:
        x = layer(x)
    return x
