"""What a training is told: every setting with its default, its choices and its help, written once."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from avinst.errors import UserError

SCHEMES = ("audio", "visual", "independent", "joint")


def _setting(
    default: Any, help_text: str, choices: Sequence[str] = (), limits: tuple[float, float] | None = None
) -> Any:
    """A field with what its flag needs; `limits` are the least and the greatest value that it may have."""
    metadata = {"help": help_text, "choices": tuple(choices), "limits": limits}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """The settings of one run; `avinst train` has a flag for each, `config.json` keeps them.

    What a field means stands in its metadata, `help`, which is also the flag's help.
    """

    scheme: str = _setting(
        "joint",
        "what is trained: one modality alone; both apart, then a head on the frozen two (independent); "
        "or both together (joint).",
        SCHEMES,
    )
    epochs: int = _setting(
        10, "passes over the training split, for each network that is trained.", limits=(1, 1_000_000)
    )
    fusion_epochs: int = _setting(
        20,
        "passes of the independent scheme's last stage; a pass over cached features costs next to nothing.",
        limits=(1, 1_000_000),
    )
    batch_size: int = _setting(32, "examples a step, over all replicas.", limits=(1, 65_536))
    learning_rate: float = _setting(
        1e-3, "peak of AdamW's learning rate: reached after a tenth of the steps, then down a cosine to 0."
    )
    weight_decay: float = _setting(1e-4, "AdamW's decoupled weight decay.", limits=(0, 1000))
    label_smoothing: float = _setting(
        0.1, "share of a label's weight that is spread over all labels, 0 to 1.", limits=(0, 1)
    )
    dropout: float = _setting(
        0.2, "share of the features that the head does not see in a training step.", limits=(0, 0.95)
    )
    augment: bool = _setting(
        True, "alter training examples: flip, shift, zoom and colours of frames, masks over log-mel."
    )
    cache: str = _setting(
        "none",
        "keep the stored examples of the training split in memory (about 20 kB each at 128 px, "
        "50 kB at 299 px) where reading them is slow.",
        ("none", "memory"),
    )
    best_by: str = _setting(
        "accuracy", "validation metric that decides which epoch's weights are kept.", ("accuracy", "loss")
    )
    precision: str = _setting(
        "float32",
        "arithmetic of the layers: mixed_bfloat16 is faster on recent CPUs, mixed_float16 on GPUs.",
        ("float32", "mixed_bfloat16", "mixed_float16"),
    )
    seed: int = _setting(
        0,
        "decides the initial weights, the order of the examples and their augmentation.",
        limits=(0, 2**31 - 1),
    )
    audio_backbone: str = _setting("xception", "the audio network.", ("xception", "small_cnn"))
    audio_blocks: int = _setting(8, "number of Xception's middle blocks; 4 cost about half of 8.", limits=(0, 64))
    audio_width: float = _setting(1.0, "factor of Xception's channels; the 1024 features stay.", limits=(0.01, 8))
    visual_backbone: str = _setting("inception_v3", "the visual network.", ("inception_v3", "small_cnn"))
    visual_weights: str = _setting(
        "none",
        "initial weights of inception_v3: imagenet (Keras downloads them, 88 MB), none, or the path of a "
        "weights file without top (.weights.h5 or .h5).",
    )
    fusion_hidden_units: int = _setting(
        0, "units of a hidden layer before the fusion's dense layer; 0: none.", limits=(0, 65_536)
    )

    def __post_init__(self) -> None:
        """Raises UserError for a value that no training can use."""
        for field in dataclasses.fields(self):
            choices, limits, value = field.metadata["choices"], field.metadata["limits"], getattr(self, field.name)
            if choices and value not in choices:
                raise UserError(f"--{field.name}={value}: expected one of {', '.join(choices)}")
            # Written so that NaN, which is neither less nor more than anything, is refused.
            if limits and not limits[0] <= value <= limits[1]:
                raise UserError(f"--{field.name}={value}: expected at least {limits[0]} and at most {limits[1]}")
        if not 0 < self.learning_rate < math.inf:
            raise UserError(f"--learning_rate={self.learning_rate}: expected a finite number above 0")

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises UserError for unknown or missing names."""
        names = {field.name for field in dataclasses.fields(cls)}
        if set(values) != names:
            odd = ", ".join(sorted(names.symmetric_difference(values)))
            raise UserError(f"settings of another version of avinst (missing or unknown: {odd}); train anew")
        return cls(**values)
