"""Writes a run as a SavedModel that needs plain TensorFlow only, and checks what was written."""

import json
import os
import re
import tempfile
from pathlib import Path

import keras

from avinst import paths
from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.paths import StrPath
from avinst.saved_model import (
    ASSETS_FOLDER,
    CARD_ASSET,
    EXTRA_FOLDER,
    FACTS_ASSET,
    LABELS_ASSET,
    SAVED_MODEL_FILE,
    SPEC_ASSET,
)
from trainer.exported.check import Checked, check_export
from trainer.exported.model_card import model_card
from trainer.exported.model_facts import model_facts
from trainer.exported.precision import in_precision
from trainer.exported.signatures import endpoints
from trainer.exported.warm_up import write_warm_up
from trainer.leftovers import clear_leftovers
from trainer.run import EXPORT_FOLDER, Run, loaded

_UPLOADED_FIRST = "variables"
_SAVED_MODEL_NAMES = {_UPLOADED_FIRST, ASSETS_FOLDER, EXTRA_FOLDER, "fingerprint.pb", SAVED_MODEL_FILE}


def export_run(run: Run | StrPath, model_dir: StrPath = "", precision: str = "") -> str:
    """Writes a run as a SavedModel, as `avinst export` does: the version after the highest that is there.

    Args:
        run: a finished run, or its directory.
        model_dir: where the numbered versions are, made if need be; empty: RUN/export.
        precision: arithmetic of the layers, `float32`, `mixed_bfloat16` or `mixed_float16`; empty: the run's own.

    Returns:
        The directory of the version, which `beam_pipelines.load_detector` loads.

    Raises:
        UserError: no finished run, another export is writing there, or the network gives something else in the
            precision.
    """
    model_dir = os.fspath(model_dir)
    return export_version(loaded(run), model_dir, precision)[0]


def export_version(run: Run, model_dir: str = "", precision: str = "") -> tuple[str, Checked]:
    """Writes the next version by `export_to`.

    Args:
        run: a finished run.
        model_dir: where the numbered versions are, made if need be; empty: RUN/export.
        precision: as of `export_to`.

    Returns:
        The directory, numbered one more than the highest there, and what it was checked on.

    Raises:
        UserError: as `export_to`; or another export is writing there.
    """
    parent = model_dir or paths.join(run.run_dir, EXPORT_FOLDER)
    with only_writer(parent, "export", "output_dir"):
        target = next_version(parent)
        return target, export_to(run, target, precision)


def next_version(parent: str) -> str:
    """The directory of the version after the highest in `parent`; clears what killed exports left there."""
    clear_leftovers(parent)
    # TensorFlow Serving's numbers have 64 bits.
    versions = [int(name) for name in paths.list_directory(parent) if re.fullmatch(r"\d{1,18}", name)]
    return paths.join(parent, str(max(versions, default=0) + 1))


def export_to(run: Run, directory: str, precision: str = "") -> Checked:
    """Writes the SavedModel as this directory, which appears whole or not at all; one that is there is replaced.

    On a cloud file system, where directories cannot be renamed, `saved_model.pb` appears when the rest is there.

    The signatures are those of `signatures.endpoints`. `assets/` holds labels.txt, one name a line in the
    order of the probabilities, dataset_spec.json, model.json (`trainer.exported.model_facts`) and model_card.md,
    which says the same to people; `assets.extra/` what `trainer.exported.warm_up` adds for TensorFlow Serving.

    Args:
        run: a finished run.
        directory: to write.
        precision: that the network computes in, one of `trainer.config.PRECISIONS`; empty: the run's own.

    Returns:
        What the SavedModel was compared on before it appeared.

    Raises:
        UserError: the directory holds something else; or in the precision the network gives something else.
        RuntimeError: what was written does not compute what the model does: a defect of this program.
    """
    check_replaceable(directory)
    precision = precision or run.config.precision
    model = in_precision(run, precision)
    if paths.is_remote(directory):
        with tempfile.TemporaryDirectory(prefix="avinst-") as local:
            checked = _write(run, model, precision, local)
            _upload(Path(local), directory)
        return checked
    with paths.replacing(directory) as temporary:
        checked = _write(run, model, precision, temporary)
        if paths.exists(directory):
            paths.remove(directory)
    return checked


def check_replaceable(directory: str) -> None:
    """Raises UserError where a directory holds anything but a SavedModel, or one that was not uploaded to its end:
    replacing it would delete that. Fails also where the directory's file system cannot be reached.
    """
    if not paths.exists(directory):  # a listing is empty, too, where TensorFlow does not know the file system
        return
    names = paths.list_directory(directory)
    unfinished = _UPLOADED_FIRST in names and set(names) <= _SAVED_MODEL_NAMES
    if names and SAVED_MODEL_FILE not in names and not unfinished:
        raise UserError(f"{directory!r} holds {names[0]!r} and no SavedModel; give a new directory")


def _write(run: Run, model: keras.Model, precision: str, directory: str) -> Checked:
    archive = keras.export.ExportArchive()
    # Not tracked: the weights that the functions use are saved by themselves, and would be a second time.
    signatures = endpoints(model, run.dataset_info)
    for name, (function, signature) in signatures.items():
        archive.add_endpoint(name, function, input_signature=signature)
    archive.write_out(directory, verbose=False)
    write_warm_up(directory, signatures, run.dataset_info.spec)
    checked = check_export(run, model, precision, directory)
    facts = model_facts(run, precision, checked)
    assets = {
        LABELS_ASSET: "".join(f"{name}\n" for name in run.dataset_info.labels),
        SPEC_ASSET: json.dumps(run.dataset_info.spec.to_json(), indent=2) + "\n",
        FACTS_ASSET: json.dumps(facts, indent=2, ensure_ascii=False) + "\n",
        CARD_ASSET: model_card(facts),
    }
    paths.make_directory(paths.join(directory, ASSETS_FOLDER))
    for name, text in assets.items():
        paths.write_text(paths.join(directory, ASSETS_FOLDER, name), text)
    return checked


def _upload(local: Path, directory: str) -> None:
    if paths.exists(directory):
        paths.remove(directory)
    files = [file.relative_to(local).parts for file in local.rglob("*") if file.is_file()]
    for parts in sorted(files, key=lambda parts: (parts == (SAVED_MODEL_FILE,), parts[0] != _UPLOADED_FIRST)):
        paths.make_directory(paths.join(directory, *parts[:-1]))
        paths.copy(str(Path(local, *parts)), paths.join(directory, *parts))
