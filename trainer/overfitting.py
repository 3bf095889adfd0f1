"""Whether the epochs after the kept one only fitted the training split."""

from collections.abc import Mapping

# Validation losses of neighbouring epochs differ by some per cent by chance alone.
_MUCH_HIGHER = 1.2


def overfitting_sentence(reached: Mapping[int, Mapping[str, float]], kept: int) -> str:
    """What the epochs after the kept one did, where they made the network worse on other recordings.

    Args:
        reached: epoch, from 1, to its metrics, among them `loss` and `val_loss`.
        kept: the epoch whose weights are kept.

    Returns:
        A sentence where the validation loss of the last epoch is a fifth or more above that of the kept one while
        the training loss fell; else nothing. Nothing too where the kept epoch is of an earlier process.
    """
    last = max(reached, default=0)
    if kept not in reached or last == kept:
        return ""
    before, after = reached[kept], reached[last]
    if after["val_loss"] < _MUCH_HIGHER * before["val_loss"] or after["loss"] >= before["loss"]:
        return ""
    return (
        f"after epoch {kept} of {last} it only fitted the training split (validation loss "
        f"{before['val_loss']:.3f}, at the end {after['val_loss']:.3f}); --patience=3 ends such a training earlier"
    )
