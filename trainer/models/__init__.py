"""The networks: branches for sound and picture, and the detectors built of them."""

from trainer.models.audio import AUDIO_BACKBONES, AUDIO_FEATURES
from trainer.models.build import build_fusion_head, build_model, copy_weights, sub_model
from trainer.models.visual import VISUAL_BACKBONES, VISUAL_FEATURES

__all__ = [
    "AUDIO_BACKBONES",
    "AUDIO_FEATURES",
    "VISUAL_BACKBONES",
    "VISUAL_FEATURES",
    "build_fusion_head",
    "build_model",
    "copy_weights",
    "sub_model",
]
