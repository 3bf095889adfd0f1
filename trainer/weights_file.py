"""Whether the file of `--visual_weights` is there; imports no Keras, so that a command can ask at once."""

from avinst import paths
from avinst.errors import UserError
from avinst.nearest import file_hint, hint
from trainer.config import TrainConfig


def check_weights_file(config: TrainConfig) -> None:
    """Raises UserError where a training would begin with the weights of a file that is not there."""
    weights = config.visual_weights
    # A run of sound alone is told that it has no use for them.
    if config.scheme == "audio" or weights in ("imagenet", "none") or paths.exists(weights):
        return
    near = file_hint(weights) or f"; {hint(weights, ('imagenet', 'none'))}".rstrip("; ")
    raise UserError(f"--visual_weights={weights}: no such file; expected imagenet, none or a weights file{near}")
