import dataclasses
import math

import pytest

from avinst.errors import UserError
from trainer.config import TrainConfig
from trainer.void_settings import settings_of_no_use


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
        ({"mix_alpha": 1.0}, "--mix_alpha=1.0: for --mix=mixup or cutmix, not none; leave one of them out"),
        ({"modulation_alpha": 0.5}, "--modulation_alpha=0.5: for --gradient_modulation=ogm or ogm_ge, not none"),
        ({"audio_blocks": 2, "audio_backbone": "small_cnn"}, "--audio_blocks=2: .*xception, not small_cnn"),
        ({"audio_width": 0.5, "audio_backbone": "small_cnn"}, "--audio_width=0.5: .*xception, not small_cnn"),
        ({"cache_dir": "d", "cache": "memory"}, "--cache_dir=d: for --cache=disk, not memory"),
        (
            {"modality_dropout": 0.5, "scheme": "visual"},
            "--modality_dropout=0.5: --scheme=visual has one modality",
        ),
    ],
)
def test_a_setting_that_another_one_makes_void_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        TrainConfig(**settings)


def test_what_takes_effect_is_not_refused():
    both = TrainConfig(mix="mixup", mix_alpha=1.0, gradient_modulation="ogm", modulation_alpha=0.5, audio_blocks=2)
    assert settings_of_no_use(both) == []
    assert settings_of_no_use(TrainConfig(scheme="independent", fusion_epochs=3, fusion_hidden_units=4)) == []


@pytest.mark.parametrize(
    ("scheme", "unused"),
    [
        ("audio", ["visual_backbone", "visual_weights", "rand_augment", "fusion_epochs", "fusion_hidden_units"]),
        ("visual", ["audio_backbone", "fusion_epochs", "fusion_hidden_units"]),
        ("joint", ["fusion_epochs"]),
        ("independent", []),
    ],
)
def test_settings_that_the_scheme_has_no_use_for_are_told_so_that_schemes_can_share_them(scheme, unused):
    config = TrainConfig(
        scheme=scheme,
        audio_backbone="small_cnn",
        visual_backbone="efficientnet_v2_b0",
        visual_weights="imagenet",
        rand_augment=5.0,
        fusion_epochs=3,
        fusion_hidden_units=4,
    )
    told = settings_of_no_use(config)
    assert [line.removeprefix("--").partition("=")[0] for line in told] == unused
    assert all(line.endswith(": without effect") for line in told)
    assert settings_of_no_use(dataclasses.replace(config, fusion_epochs=TrainConfig.fusion_epochs)) == [
        line for line in told if "fusion_epochs" not in line
    ]


def test_json_round_trip_keeps_every_setting():
    config = TrainConfig(scheme="audio", epochs=3, augment=False, audio_width=0.5)
    assert TrainConfig.from_json(config.to_json()) == config


def test_flags_are_the_scheme_and_what_is_not_the_default():
    assert TrainConfig().flags() == {"scheme": "joint"}
    given = TrainConfig(scheme="independent", epochs=3, augment=False, audio_width=0.5)
    assert given.flags() == {"scheme": "independent", "epochs": 3, "augment": "false", "audio_width": 0.5}


def test_settings_of_a_later_version_are_refused_with_their_names():
    with pytest.raises(UserError, match="unknown: magic, sorcery"):
        TrainConfig.from_json({**TrainConfig().to_json(), "sorcery": 1, "magic": 2})


def test_runs_from_before_a_setting_are_read_with_its_default():
    values = TrainConfig(epochs=3).to_json()
    del values["mix"]
    assert TrainConfig.from_json(values) == TrainConfig(epochs=3)


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", "ten"), ("epochs", 1.5), ("epochs", True), ("augment", 1), ("scheme", None)]
)
def test_values_of_another_type_are_refused_with_their_names(name, value):
    with pytest.raises(UserError, match=f"{name} is .*; train anew"):
        TrainConfig.from_json({**TrainConfig().to_json(), name: value})
    assert TrainConfig.from_json({**TrainConfig().to_json(), "dropout": 0}).dropout == 0
