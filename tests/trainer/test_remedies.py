import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.models import build_fusion_head, build_model
from trainer.modulation import ModulatedModel
from trainer.remedies import ModalityDropout, fitted_network


def dropped(rate, rows=4000, training=True):
    ones = [tf.ones((rows, 3)), tf.ones((rows, 5))]
    return [values.numpy() for values in ModalityDropout(rate, seed=1)(ones, training=training)]


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_an_example_loses_one_modality_at_most_and_either_one_as_often(rate):
    first, second = dropped(rate)
    for values in (first, second):
        assert (values == values[:, :1]).all()  # all features of an example, or none
        assert set(np.unique(values)) == {0.0, np.float32(1 / (1 - rate / 2))}
    lost = np.stack([first[:, 0] == 0, second[:, 0] == 0])
    assert not lost.all(axis=0).any()
    np.testing.assert_allclose(lost.mean(axis=1), rate / 2, atol=0.04)  # five standard errors of 4000 draws
    # So the mean of a feature stays.
    np.testing.assert_allclose([first.mean(), second.mean()], 1.0, atol=0.08)


def test_outside_of_training_nothing_is_lost():
    for values in dropped(1.0, rows=8, training=False):
        np.testing.assert_array_equal(values, 1.0)


def test_it_can_be_made_anew_from_its_config():
    layer = ModalityDropout(0.25, seed=3, name="modality_dropout")
    again = ModalityDropout.from_config(layer.get_config())
    assert (again.rate, again.seed, again.name) == (0.25, 3, "modality_dropout")


@pytest.fixture
def joint(small_config):
    return dataclasses.replace(small_config, scheme="joint", dropout=0.0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"modality_dropout": 0.5},
        {"modality_dropout": 0.5, "fusion_hidden_units": 4},
        {"gradient_modulation": "ogm_ge"},
        {"gradient_modulation": "ogm", "modality_dropout": 0.5},
    ],
)
def test_the_fitted_model_shares_the_networks_weights_and_says_the_same(joint, dataset, settings):
    config = dataclasses.replace(joint, **settings)
    network = build_model("joint", config, dataset)
    fitted = fitted_network(network, config, "joint")
    assert {id(weight) for weight in fitted.weights} == {id(weight) for weight in network.weights}
    assert len(fitted.trainable_variables) == len(network.trainable_variables)
    inputs = [np.full((2, *source.shape[1:]), 20.0, np.float32) for source in network.inputs]
    logits = keras.Model(network.inputs, network.get_layer("logits").output)
    np.testing.assert_allclose(fitted(inputs, training=False), logits(inputs, training=False), atol=1e-6)
    assert isinstance(fitted, ModulatedModel) == ("gradient_modulation" in settings)
    assert "modality_dropout" not in {layer.name for layer in network.layers}


def test_in_training_the_head_does_not_see_what_is_dropped(joint, dataset):
    config = dataclasses.replace(joint, modality_dropout=1.0)
    head = build_fusion_head(config, dataset)
    fitted = fitted_network(head, config, "fusion")
    kernel, bias = head.get_layer("logits").get_weights()
    sound, picture = np.ones((64, 1024), np.float32), np.ones((64, 2048), np.float32)
    logits = fitted([sound, picture], training=True).numpy()
    # At a rate of 1 each example keeps one modality, scaled by 1 / (1 - 1 / 2).
    alone = [2 * kernel[:1024].sum(axis=0) + bias, 2 * kernel[1024:].sum(axis=0) + bias]
    which = [min(np.abs(row - one).max() for one in alone) for row in logits]
    assert max(which) < 1e-3  # sums of 2048 float32
    assert len(np.unique(logits.round(3), axis=0)) == 2


def test_remedies_for_two_modalities_are_refused_where_there_is_one():
    with pytest.raises(UserError, match=r"--modality_dropout=0.5: --scheme=audio has one modality"):
        TrainConfig(scheme="audio", modality_dropout=0.5)
    for settings in ({"scheme": "independent"}, {"scheme": "joint", "fusion_hidden_units": 4}):
        with pytest.raises(UserError, match=r"--gradient_modulation=ogm_ge needs --scheme=joint"):
            TrainConfig(gradient_modulation="ogm_ge", **settings)
