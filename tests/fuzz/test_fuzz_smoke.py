"""The fuzz targets run, for some seconds each; `make fuzz` runs them for longer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["media", "text", "examples"])
def test_a_target_runs_and_finds_nothing(tmp_path, target):
    command = [
        sys.executable,
        str(ROOT / "tests" / "fuzz" / f"fuzz_{target}.py"),
        "--seconds=10",
        "--findings=found",
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = re.search(rf"^{target}: (\d+) executions in 10 s.*, 0 findings", done.stdout, flags=re.MULTILINE)
    assert told
    assert int(told[1]) > 0
