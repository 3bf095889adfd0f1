"""Settings that another one makes void: refused where two contradict each other, told where the scheme is why."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from avinst.errors import UserError

if TYPE_CHECKING:
    from trainer.config import TrainConfig


class _Rule(NamedTuple):
    """When a setting, given another value than its default, has no effect, and why."""

    settings: tuple[str, ...]
    is_void: "Callable[[TrainConfig], bool]"
    because: str


# `{name}` in the reason stands for that setting's value.
_CONTRADICTIONS = (
    _Rule(("rand_augment",), lambda config: not config.augment, "--noaugment alters no frames"),
    _Rule(("mix_alpha",), lambda config: config.mix == "none", "for --mix=mixup or cutmix, not {mix}"),
    _Rule(
        ("modulation_alpha",),
        lambda config: config.gradient_modulation == "none",
        "for --gradient_modulation=ogm or ogm_ge, not {gradient_modulation}",
    ),
    _Rule(
        ("audio_blocks", "audio_width"),
        lambda config: config.audio_backbone != "xception",
        "for --audio_backbone=xception, not {audio_backbone}",
    ),
    _Rule(
        ("visual_weights",),
        lambda config: config.visual_backbone in ("small_cnn",),
        "--visual_backbone={visual_backbone} begins with none",
    ),
    _Rule(("cache_dir",), lambda config: config.cache != "disk", "for --cache=disk, not {cache}"),
    _Rule(
        ("modality_dropout",),
        lambda config: config.scheme in ("audio", "visual"),
        "--scheme={scheme} has one modality",
    ),
)
# Not refused: the same settings are given to several schemes, which are to be compared.
_OF_NO_USE = (
    _Rule(
        ("audio_backbone", "audio_blocks", "audio_width"),
        lambda config: config.scheme == "visual",
        "--scheme={scheme} hears nothing",
    ),
    _Rule(
        ("visual_backbone", "visual_weights", "rand_augment"),
        lambda config: config.scheme == "audio",
        "--scheme={scheme} sees nothing",
    ),
    _Rule(
        ("fusion_epochs",),
        lambda config: config.scheme != "independent",
        "only --scheme=independent trains its head by itself",
    ),
    _Rule(
        ("fusion_hidden_units",),
        lambda config: config.scheme in ("audio", "visual"),
        "--scheme={scheme} fuses nothing",
    ),
)


def check_contradictions(config: "TrainConfig") -> None:
    """Raises UserError for the first setting that another one makes void."""
    for text in _found(_CONTRADICTIONS, config):
        raise UserError(f"{text}; leave one of them out")


def settings_of_no_use(config: "TrainConfig") -> list[str]:
    """A line for each setting that was given and that the scheme has no use for."""
    return [f"{text}: without effect" for text in _found(_OF_NO_USE, config)]


def _found(rules: tuple[_Rule, ...], config: "TrainConfig") -> list[str]:
    defaults: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(config)}
    values = dataclasses.asdict(config)
    return [
        f"--{name}={values[name]}: {rule.because.format(**values)}"
        for rule in rules
        if rule.is_void(config)
        for name in rule.settings
        if values[name] != defaults[name]
    ]
