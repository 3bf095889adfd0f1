"""What an exported model says of itself: the files in its `assets/`, read without loading it."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from avinst import paths
from avinst.errors import UserError
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
    found = _json_object(facts, model_dir) if paths.exists(facts) else {}
    return ModelAssets(
        labels=tuple(paths.read_text(labels).removesuffix("\n").split("\n")),
        spec=DatasetSpec.from_json(_json_object(spec, model_dir)),
        multi_label=bool(found["multi_label"]) if "multi_label" in found else None,
        facts=found,
    )


def _json_object(file: str, model_dir: str) -> dict[str, Any]:
    try:
        return dict(json.loads(paths.read_text(file)))
    except (ValueError, TypeError) as error:
        raise UserError(f"{file!r} is damaged ({error}); export {model_dir!r} again") from error
