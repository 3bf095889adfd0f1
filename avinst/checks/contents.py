"""The doctor looks at what the user's directories hold: a finished dataset, a finished run."""

import contextlib
import json

from avinst import paths
from avinst.checks.finding import Finding, Plans, note, ok, wrong
from avinst.dataset import DATASET_FILE, damaged_files, load_dataset
from avinst.errors import UserError
from avinst.nearest import file_hint


def check_dataset(plans: Plans) -> list[Finding]:
    """Whether --data_dir is a finished dataset that this version reads, with all its files whole."""
    if not plans.data_dir:
        return []
    try:
        dataset = load_dataset(plans.data_dir)
    except UserError as error:
        return wrong("dataset", str(error))
    damaged = damaged_files(dataset)
    if damaged:
        text = f"{plans.data_dir}: {len(damaged)} of its files are missing or damaged: {damaged[0]}"
        more = ", ..." if len(damaged) > 1 else ""
        return wrong("dataset", f"{text}{more}; run the same avinst prepare again")
    empty = [split for split, count in dataset.segments.items() if not count]
    if empty:
        text = f"{plans.data_dir} has no examples in {', '.join(empty)}; avinst prepare --splits=stratified"
        return note("dataset", text)
    return ok(
        "dataset", f"{plans.data_dir}: {sum(dataset.segments.values())} segments, {len(dataset.labels)} labels"
    )


def check_run(plans: Plans) -> list[Finding]:
    """Whether --run_dir is a finished run, and its dataset is still where it was."""
    if not plans.run_dir:
        return []
    run, files = plans.run_dir, {name: paths.join(plans.run_dir, name) for name in ("config.json", "model.keras")}
    if not paths.is_directory(run):
        return wrong("run", f"no run directory {run!r}{file_hint(run)}; make it with avinst train")
    if not paths.exists(files["config.json"]):
        return wrong("run", f"{run!r} has no config.json: no run; give the --run_dir of avinst train")
    if not paths.exists(files["model.keras"]):
        return wrong("run", f"{run!r} has no model.keras: unfinished; run the same avinst train again")
    data_dir = _dataset_of_run(files["config.json"])
    if data_dir is None:
        return wrong("run", f"{files['config.json']!r} is damaged; train into another --run_dir")
    if not paths.exists(paths.join(data_dir, DATASET_FILE)):
        text = f"{run}: its dataset is no longer at {data_dir}; give evaluate and analyze the --data_dir"
        return note("run", text)
    return ok("run", f"{run}: finished, trained on {data_dir}")


def _dataset_of_run(config_file: str) -> str | None:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return str(json.loads(paths.read_text(config_file))["data_dir"])
    return None
