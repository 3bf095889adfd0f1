import dataclasses
import math

import pytest

from avinst.errors import UserError
from trainer.config import TrainConfig


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("scheme", "both"),
        ("epochs", 0),
        ("batch_size", 0),
        ("label_smoothing", 1.5),
        ("dropout", 0.99),
        ("learning_rate", 0.0),
        ("learning_rate", math.inf),
        ("audio_width", 8.1),
        ("audio_blocks", 65),
        ("fusion_hidden_units", 10**9),
        ("seed", -1),
        ("precision", "float64"),
    ],
)
def test_a_setting_that_no_training_can_use_is_refused_by_name(setting, value):
    with pytest.raises(UserError, match=f"--{setting}="):
        TrainConfig(**{setting: value})


NUMBERS = [field.name for field in dataclasses.fields(TrainConfig) if type(field.default) in (int, float)]


@pytest.mark.parametrize("setting", NUMBERS)
def test_every_number_is_held_within_limits(setting):
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(UserError, match=f"--{setting}={value}: expected"):
            TrainConfig(**{setting: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rand_augment": 5.0, "augment": False}, "--rand_augment=5.0: --noaugment alters no frames"),
        ({"visual_weights": "imagenet", "visual_backbone": "small_cnn"}, "--visual_weights=imagenet: .*small_cnn"),
    ],
)
def test_a_setting_that_another_one_makes_void_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        TrainConfig(**settings)


def test_json_round_trip_keeps_every_setting():
    config = TrainConfig(scheme="audio", epochs=3, augment=False, audio_width=0.5)
    assert TrainConfig.from_json(config.to_json()) == config


def test_settings_of_another_version_are_refused_with_their_names():
    values = TrainConfig().to_json()
    del values["seed"]
    with pytest.raises(UserError, match="seed, sorcery"):
        TrainConfig.from_json({**values, "sorcery": 1})
