"""Where the exports of a run lie; imports no TensorFlow for a local one."""

import os

from avinst import paths
from avinst.errors import UserError
from avinst.nearest import file_hint
from avinst.paths import StrPath


def newest_export(run_dir: StrPath) -> str:
    """The directory of a run's newest exported version.

    Args:
        run_dir: the run's directory.

    Raises:
        UserError: no such run, or it was not exported yet.
    """
    run_dir = os.fspath(run_dir)
    if not paths.is_directory(run_dir):
        raise UserError(f"no run directory {run_dir!r}{file_hint(run_dir)}; train one with avinst train")
    if not paths.exists(paths.join(run_dir, "config.json")):
        raise UserError(f"{run_dir!r} is no run: it has no config.json; give the --run_dir of avinst train")
    folder = paths.join(run_dir, "export")
    versions = [int(name) for name in paths.list_directory(folder) if name.isdecimal()]
    if not versions:
        raise UserError(f"{run_dir!r} was not exported yet; run avinst export --run_dir={run_dir} first")
    return paths.join(folder, str(max(versions)))
