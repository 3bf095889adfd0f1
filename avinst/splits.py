"""Which split a recording belongs to: a pure function of its group, so that no group is ever in two splits."""

import collections
import hashlib
from collections.abc import Mapping, Sequence

from avinst.errors import UserError
from avinst.manifests.rows import SPLITS, ManifestRow

DEFAULT_SHARES: Mapping[str, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}


def unit_interval_hash(text: str) -> float:
    """A number in [0, 1) from the sha256 of the text: the same on every machine, in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def assign_splits(rows: Sequence[ManifestRow], method: str, shares: Mapping[str, float]) -> list[str]:
    """The split of each row; what the manifest says goes first, for the whole of the row's group.

    Args:
        rows: the manifest.
        method: `hash` (stable as the set grows) or `stratified` (every label its exact shares).
        shares: of train, validation and test; they add up to 1.

    Raises:
        UserError: shares that do not add up to 1, or an unknown method.
    """
    check_shares(shares)
    given = {row.group: row.split for row in rows if row.split}
    if method == "hash":
        split_of = {row.group: split_of_group(row.group, shares) for row in rows}
    elif method == "stratified":
        split_of = _stratified([row for row in rows if row.group not in given], shares)
    else:
        raise UserError(f"splits {method!r}; expected hash or stratified")
    split_of.update(given)
    return [split_of[row.group] for row in rows]


def check_shares(shares: Mapping[str, float]) -> None:
    """Raises UserError for shares that are not of train, validation and test, or do not add up to 1."""
    # Written so that NaN fails.
    right = set(shares) == set(SPLITS) and all(share >= 0 for share in shares.values())
    if not (right and abs(sum(shares.values()) - 1) <= 1e-6):
        raise UserError(f"split shares {dict(shares)}; expected {', '.join(SPLITS)}, together 1")


def split_of_group(group: str, shares: Mapping[str, float]) -> str:
    """The split of a group by `hash`: it depends on nothing but the group's name and the shares."""
    return _split_at(unit_interval_hash(group), shares)


def _split_at(position: float, shares: Mapping[str, float]) -> str:
    upper = 0.0
    for split in SPLITS:
        upper += shares[split]
        if position < upper:
            return split
    return SPLITS[-1]


def _stratified(rows: Sequence[ManifestRow], shares: Mapping[str, float]) -> dict[str, str]:
    """Cuts each stratum (the labels of a group) at the shares; groups in the order of their hash."""
    labels: dict[str, set[str]] = collections.defaultdict(set)
    for row in rows:
        labels[row.group].update(row.labels)
    strata: dict[tuple[str, ...], list[str]] = collections.defaultdict(list)
    for group in sorted(labels, key=unit_interval_hash):
        strata[tuple(sorted(labels[group]))].append(group)
    return {
        group: _split_at((position + 0.5) / len(groups), shares)
        for groups in strata.values()
        for position, group in enumerate(groups)
    }
