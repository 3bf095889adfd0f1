import json
import os
import re
import signal
import subprocess
import sys

import pytest

from analysis import analyze
from trainer import evaluate, export, train
from trainer.config import TrainConfig
from trainer.run import open_run


@pytest.mark.parametrize("name", ["train", "evaluate", "export"])
def test_help_is_quick_and_imports_no_tensorflow(name):
    code = (
        f"import sys; from trainer import {name} as c; status = c.main(['x', '--help']); "
        "assert not {'tensorflow', 'keras', 'numpy', 'sklearn', 'matplotlib'} & set(sys.modules); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--run_dir" in done.stdout


def test_every_setting_has_a_flag_with_its_help_and_default(capsys):
    assert train.main(["avinst train", "--help"]) == 0
    text = capsys.readouterr().out
    for name, holder in train.SETTINGS.items():
        assert re.search(rf"^  --(\[no\])?{name}(=|\s|$)", text, flags=re.MULTILINE)
        assert holder.default is not None


def test_wrong_flags_and_missing_runs_are_one_line(tmp_path, capsys, dataset):
    assert train.main(["x", "--run_dir=r"]) == 2
    assert "--data_dir is missing" in capsys.readouterr().err
    assert train.main(["x", "--scheme=all"]) == 2
    capsys.readouterr()
    assert train.main(["x", f"--run_dir={tmp_path}/run", f"--data_dir={tmp_path}/none"]) == 1
    assert evaluate.main(["x", f"--run_dir={tmp_path}/none"]) == 1
    assert export.main(["x", f"--run_dir={tmp_path}"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "no dataset directory" in lines[0]
    assert "no run directory" in lines[1]
    assert "no config.json" in lines[2]
    assert train.main(["x", f"--run_dir={tmp_path}/run", f"--data_dir={dataset.data_dir}", "--epochs=0"]) == 2
    assert "--epochs=0: expected a whole number, 1 to 1000000" in capsys.readouterr().err


def test_what_is_missing_is_told_before_tensorflow_is_imported(tmp_path):
    """All in one process, which ends as soon as anything has imported TensorFlow."""
    from dataset_factory import write_dataset

    dataset = write_dataset(tmp_path / "set", recordings={"train": 6, "validation": 0, "test": 0})
    data_dir = dataset.data_dir
    open_run(f"{tmp_path}/run", TrainConfig(), dataset)
    (tmp_path / "run" / "model.keras").touch()
    (tmp_path / "model").mkdir()
    (tmp_path / "clip.mp4").touch()
    run = f"--run_dir={tmp_path}/none"
    analyzed = (f"--run_dir={tmp_path}/run", "--split=train")
    commands = [
        ("trainer.train", run, "--data_dir=none", "no dataset directory 'none'"),
        ("trainer.train", run, f"--data_dir={data_dir}", "--visual_weights=nope.h5", "nope.h5: no such"),
        ("trainer.train", run, f"--data_dir={data_dir}", "--init_from=none", "no run directory 'none'"),
        ("trainer.evaluate", run, "no run directory"),
        ("trainer.export", run, "no run directory"),
        ("analysis.analyze", run, "no run directory"),
        ("analysis.analyze", *analyzed, "--media_root=none", "no directory 'none'"),
        ("analysis.analyze", *analyzed, f"--media_root={tmp_path}", "--manifest=none", "no manifest at 'none'"),
        ("analysis.analyze", *analyzed, "--regions=none", "no regions file at 'none'"),
        ("analysis.explain", run, f"{tmp_path}/clip.mp4", f"--output={tmp_path}/out.mp4", "no run directory"),
        ("beam_pipelines.predict", run, "clip.mp4", "no run directory"),
        ("beam_pipelines.predict", f"--model_dir={tmp_path}/model", "clip.mp4", "no SavedModel in"),
        ("beam_pipelines.predict", run, "clip.mp4", "--figure=none/x.png", "there is no directory"),
        ("avinst.inspection", data_dir, "--contact_sheet=none/x.png", "there is no directory"),
    ]
    code = (
        "import contextlib, importlib, io, sys\n"
        f"for module, *argv, told in {commands!r}:\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as errors:\n"
        "        status = importlib.import_module(module).main(['x', *argv])\n"
        "    line = errors.getvalue()\n"
        "    heavy = {'tensorflow', 'keras', 'apache_beam'} & set(sys.modules)\n"
        "    assert status == 1 and told in line and line.count('\\n') == 1 and not heavy, (argv, line, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["train", "evaluate", "export"])
def test_missing_flags_are_told_before_tensorflow_is_imported(name):
    code = (
        f"import sys; from trainer import {name} as c; status = c.main(['x', '--run_dir=']); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "is missing" in done.stderr


def test_stages_for_an_audit_that_is_left_out_are_refused(capsys):
    assert evaluate.main(["x", "--run_dir=r", "--stages_from=s", "--noaudit"]) == 2
    assert "--stages_from=s: for the audit, which --noaudit leaves out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "place"),
    [
        (evaluate, "trainer.evaluation.predictions.Progress.advance"),
        (export, "trainer.exported.exporting.check_export"),
        (analyze, "analysis.analyzing.write_files"),
    ],
)
def test_told_to_end_a_command_leaves_what_was_there_and_one_line(
    module, place, untrained_run, dataset, monkeypatch, capfd
):
    from pathlib import Path

    run_dir = Path(untrained_run("audio").run_dir)
    (run_dir / "metrics.json").write_text('{"validation": 1}')
    monkeypatch.setattr(place, lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    quick = ["--permutations=10", "--gradcam_per_label=0"] if module is analyze else []
    assert module.main(["x", f"--run_dir={run_dir}", *quick]) == 143
    assert capfd.readouterr().err.endswith(": ended by SIGTERM; nothing was lost, run it again\n")
    assert (run_dir / "metrics.json").read_text() == '{"validation": 1}'
    assert not list(run_dir.rglob(".tmp*"))


def test_the_three_commands_in_turn(tmp_path, dataset, capsys):
    run_dir = f"--run_dir={tmp_path}/run"
    settings = ["--scheme=audio", "--audio_backbone=small_cnn", "--epochs=1", "--noaugment"]
    assert train.main(["x", f"--data_dir={dataset.data_dir}", run_dir, *settings]) == 0
    assert f"avinst evaluate --run_dir={tmp_path}/run" in capsys.readouterr().out
    assert train.main(["x", f"--data_dir={dataset.data_dir}", run_dir, *settings, "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained == {
        "run_dir": f"{tmp_path}/run",
        "scheme": "audio",
        "model": f"{tmp_path}/run/model.keras",
        "log_dir": f"{tmp_path}/run/logs",
        "model_dir": None,
    }
    assert evaluate.main(["x", run_dir, "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics == json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert export.main(["x", run_dir]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"SavedModel: {tmp_path}/run/export/1"
    assert re.fullmatch(r"checked on 8 real segments of the test split: largest difference \S+", lines[1])
    assert len(lines) == 2
    assert export.main(["x", run_dir, "--json"]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert exported["model_dir"] == f"{tmp_path}/run/export/2"
    assert exported["signatures"] == ["examples", "features", "serving_default", "tensors"]
    assert exported["checked"]["segments"] == 8
