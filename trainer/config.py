"""What a training is told: every setting with its default, its choices and its help, written once."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self

from avinst.errors import UserError
from trainer.settings import check_settings, setting
from trainer.void_settings import check_contradictions

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
SCHEMES = ("audio", "visual", "independent", "joint")


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """The settings of one run; `avinst train` has a flag for each, `config.json` keeps them.

    docs/api.md tells what each field means; in the code it is the metadata `help`, which is also the flag's help.
    """

    scheme: str = setting(
        "joint",
        "what is trained: one modality alone; both apart, then a head on the frozen two (independent); "
        "or both together (joint).",
        SCHEMES,
    )
    epochs: int = setting(
        10, "passes over the training split, for each network that is trained.", limits=(1, 1_000_000)
    )
    fusion_epochs: int = setting(
        20,
        "passes of the independent scheme's last stage; a pass over cached features costs next to nothing.",
        limits=(1, 1_000_000),
    )
    batch_size: int = setting(32, "examples a step, over all replicas.", limits=(1, 65_536))
    learning_rate: float = setting(
        1e-3, "peak of AdamW's learning rate: reached after a tenth of the steps, then down a cosine to 0."
    )
    weight_decay: float = setting(1e-4, "AdamW's decoupled weight decay.", limits=(0, 1000))
    label_smoothing: float = setting(
        0.1, "share of a label's weight that is spread over all labels, 0 to 1.", limits=(0, 1)
    )
    clip_norm: float = setting(
        0.0, "greatest norm of a step's whole gradient, over all replicas; 0: as it is.", limits=(0, 1e9)
    )
    dropout: float = setting(
        0.2, "share of the features that the head does not see in a training step.", limits=(0, 0.95)
    )
    augment: bool = setting(
        True, "alter training examples: flip, shift, zoom and colours of frames, masks over log-mel."
    )
    rand_augment: float = setting(
        0.0,
        "magnitude of RandAugment, 0 to 10: two of ten operations on every frame; 0: none. With --augment.",
        limits=(0, 10),
    )
    mix: str = setting(
        "none",
        "mix each training example, sound and picture together, with another one of its batch, and their labels "
        "alike: mixup adds them, cutmix sets a piece of one into the other.",
        ("none", "mixup", "cutmix"),
    )
    mix_alpha: float = setting(
        0.2,
        "the two shares are drawn from Beta(alpha, alpha): the larger, the more alike. The partner gets the "
        "smaller one.",
        limits=(0.01, 100),
    )
    balance: str = setting(
        "none",
        "what to do where labels are unequally frequent: weights gives examples of rare labels more weight in "
        "the loss, sampling shows them more often.",
        ("none", "weights", "sampling"),
    )
    cache: str = setting(
        "none",
        "keep the stored examples (about 20 kB each at 128 px, 50 kB at 299 px) in memory, or on a local disk, "
        "where reading them is slow.",
        ("none", "memory", "disk"),
    )
    cache_dir: str = setting(
        "",
        "where --cache=disk copies the dataset's files to, a local directory; they stay for other runs. Empty: "
        "into the run directory (which is then local too), deleted when the run is finished.",
    )
    best_by: str = setting(
        "accuracy",
        "validation metric that decides which epoch's weights are kept; of f1_macro and map (mean average "
        "precision), by segment, rare labels count as much as others.",
        ("accuracy", "loss", "f1_macro", "map"),
    )
    patience: int = setting(
        0, "epochs without a better one after which a network's training ends; 0: never.", limits=(0, 1_000_000)
    )
    precision: str = setting(
        "float32",
        "arithmetic of the layers: mixed_bfloat16 is faster on recent CPUs, mixed_float16 on GPUs, auto takes "
        "the one that suits the machine.",
        (*PRECISIONS, "auto"),
    )
    seed: int = setting(
        0,
        "decides the initial weights, the order of the examples and their augmentation.",
        limits=(0, 2**31 - 1),
    )
    audio_backbone: str = setting(
        "xception",
        "the audio network: xception (17 million weights) or small_cnn (0.2 million, 15 times faster).",
        ("xception", "small_cnn"),
    )
    audio_blocks: int = setting(
        8,
        "number of Xception's middle blocks; 4 with --audio_width=0.5 train four times faster than 8 with 1.",
        limits=(0, 64),
    )
    audio_width: float = setting(1.0, "factor of Xception's channels; the 1024 features stay.", limits=(0.01, 8))
    visual_backbone: str = setting(
        "inception_v3",
        "the visual network: inception_v3 (22 million weights), efficientnet_v2_b0 (9 million, twice as fast) or "
        "small_cnn (0.4 million, 14 times faster).",
        ("inception_v3", "efficientnet_v2_b0", "small_cnn"),
    )
    visual_weights: str = setting(
        "none",
        "initial weights of inception_v3 or efficientnet_v2_b0: imagenet (Keras downloads them, 88 or 24 MB), "
        "none, or the path of a weights file without top (.weights.h5 or .h5).",
    )
    init_from: str = setting(
        "",
        "a finished run whose weights the networks begin with, head included where the labels are the same: joint "
        "training from an independent run's stages, or fine-tuning. The backbones must be the same.",
    )
    modality_dropout: float = setting(
        0.0,
        "share of the examples of which the head, in a training step, does not see one modality's features; so "
        "that it learns to do with either.",
        limits=(0, 1),
    )
    gradient_modulation: str = setting(
        "none",
        "slow down the encoder of the modality that is ahead while both are trained together (arXiv 2203.15332): "
        "ogm, or ogm_ge with noise that keeps the slower steps general.",
        ("none", "ogm", "ogm_ge"),
    )
    modulation_alpha: float = setting(0.1, "how much --gradient_modulation slows down.", limits=(0, 100))
    fusion_hidden_units: int = setting(
        0, "units of a hidden layer before the fusion's dense layer; 0: none.", limits=(0, 65_536)
    )

    def __post_init__(self) -> None:
        """Raises UserError for a value that no training can use."""
        check_settings(self)
        if not 0 < self.learning_rate < math.inf:
            raise UserError(f"--learning_rate={self.learning_rate}: expected a finite number above 0")
        self._check_together()

    def _check_together(self) -> None:
        """Raises UserError for settings that contradict each other."""
        check_contradictions(self)
        if self.gradient_modulation != "none" and (self.scheme != "joint" or self.fusion_hidden_units):
            raise UserError(
                f"--gradient_modulation={self.gradient_modulation} needs --scheme=joint, not {self.scheme}, and "
                f"--fusion_hidden_units=0, not {self.fusion_hidden_units}: it divides the logits between the two"
            )

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return dataclasses.asdict(self)

    def flags(self) -> dict[str, object]:
        """The flags of `avinst train` that give these settings: the scheme, and all that is not the default."""
        given = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name == "scheme" or getattr(self, field.name) != field.default
        }
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; a setting that came later has its default, which is what was done before it.

        Raises:
            UserError: unknown names, or values of another type.
        """
        fields = [field for field in dataclasses.fields(cls) if field.name in values]
        unknown = sorted(set(values) - {field.name for field in fields})
        if unknown:
            raise UserError(
                f"settings of a later version of avinst (unknown: {', '.join(unknown)}); install that one, "
                "or train anew"
            )
        for field in fields:
            found, expected = values[field.name], type(field.default)
            # JSON writes 1.0 and 1 alike; of Python's types bool is an int.
            if type(found) not in ((float, int) if expected is float else (expected,)):
                raise UserError(f"{field.name} is {found!r}, no {expected.__name__}; train anew")
        return cls(**values)
