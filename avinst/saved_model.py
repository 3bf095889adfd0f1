"""What an exported model says of itself: the files in its `assets/`, read without loading it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from avinst import paths
from avinst.errors import UserError
from avinst.json_values import read_json_object
from avinst.nearest import file_hint
from avinst.spec import DatasetSpec

ASSETS_FOLDER = "assets"
EXTRA_FOLDER = "assets.extra"
LABELS_ASSET = "labels.txt"
SPEC_ASSET = "dataset_spec.json"
FACTS_ASSET = "model.json"
CARD_ASSET = "model_card.md"
SAVED_MODEL_FILE = "saved_model.pb"


@dataclasses.dataclass(frozen=True)
class ModelAssets:
    """What stands beside a SavedModel that `avinst export` wrote.

    Attributes:
        labels: names of the probabilities, in order.
        spec: what a segment is.
        multi_label: whether each label is decided by itself; None where the export is older than `model.json`.
        facts: all of `model.json`, as docs/serving.md lists it; empty for such an export.
    """

    labels: tuple[str, ...]
    spec: DatasetSpec
    multi_label: bool | None
    facts: Mapping[str, Any]


def read_assets(model_dir: str) -> ModelAssets:
    """Reads the assets of a version directory; imports no TensorFlow for a local one.

    Raises:
        UserError: no SavedModel there, none of avinst's, or damaged assets.
    """
    if not paths.exists(paths.join(model_dir, SAVED_MODEL_FILE)):
        near = "" if paths.is_directory(model_dir) else file_hint(model_dir)
        raise UserError(
            f"no SavedModel in {model_dir!r}{near}; give the version directory that avinst export wrote"
        )
    spec, labels, facts = (
        paths.join(model_dir, ASSETS_FOLDER, name) for name in (SPEC_ASSET, LABELS_ASSET, FACTS_ASSET)
    )
    if not (paths.exists(spec) and paths.exists(labels)):
        raise UserError(
            f"{model_dir!r} lacks {ASSETS_FOLDER}/{SPEC_ASSET} or {ASSETS_FOLDER}/{LABELS_ASSET}; "
            "export it with avinst"
        )
    advice = f"export {model_dir!r} again"
    found = read_json_object(facts, advice) if paths.exists(facts) else {}
    return ModelAssets(
        labels=_lines(labels, advice),
        spec=DatasetSpec.from_json(read_json_object(spec, advice)),
        multi_label=bool(found["multi_label"]) if "multi_label" in found else None,
        facts=found,
    )


def _lines(file: str, advice: str) -> tuple[str, ...]:
    try:
        return tuple(paths.read_text(file).removesuffix("\n").split("\n"))
    except UnicodeDecodeError as error:
        raise UserError(f"{file!r} is damaged ({error}); {advice}") from error
