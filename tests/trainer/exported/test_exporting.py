import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from dataset_factory import write_dataset

from avinst import paths
from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.frames import encode_jpeg
from avinst.saved_model import read_assets
from trainer.exported.exporting import check_replaceable, export_run, export_to, next_version


def test_versions_count_up_and_assets_tell_labels_and_spec(untrained_run, dataset, tmp_path):
    run = untrained_run("audio")
    (tmp_path / "models" / "7").mkdir(parents=True)
    directory = export_run(run, str(tmp_path / "models"))
    assert directory == str(tmp_path / "models" / "8")
    assert next_version(f"{run.run_dir}/export") == f"{run.run_dir}/export/1"
    assets = Path(directory, "assets")
    assert (assets / "labels.txt").read_text() == "cello\ndrum\nflute\n"
    assert json.loads((assets / "dataset_spec.json").read_text()) == dataset.spec.to_json()
    assert read_assets(directory).facts["scheme"] == "audio"
    assert read_assets(directory).multi_label is False
    assert (assets / "model_card.md").read_text().startswith("# Model card: instruments in sound\n")
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["7", "8"]


@pytest.mark.parametrize(
    ("scheme", "raw", "tensor"), [("audio", "waveform", "log_mel"), ("visual", "jpeg", "frame")]
)
def test_a_model_of_one_modality_takes_its_own_input_only(untrained_run, tmp_path, scheme, raw, tensor):
    loaded = tf.saved_model.load(export_run(untrained_run(scheme), str(tmp_path / "models")))
    inputs = {name: list(signature.structured_input_signature[1]) for name, signature in loaded.signatures.items()}
    assert inputs == {"serving_default": [raw], "tensors": [tensor], "examples": ["examples"], "features": [raw]}
    outputs = {name: set(signature.structured_outputs) for name, signature in loaded.signatures.items()}
    assert outputs["features"] == {f"{scheme}_features", "probabilities"}
    assert outputs["serving_default"] == outputs["tensors"] == outputs["examples"] == {"probabilities"}


def test_any_batch_size_and_features_in_float32_under_mixed_precision(untrained_run, tmp_path, dataset):
    run = untrained_run("joint", precision="mixed_bfloat16")
    loaded = tf.saved_model.load(export_run(run, str(tmp_path / "models")))
    jpeg = encode_jpeg(np.zeros((64, 64, 3), np.uint8), dataset.spec)
    for count in (1, 4):
        found = loaded.signatures["features"](
            waveform=tf.zeros([count, dataset.spec.segment_samples]), jpeg=tf.constant([jpeg] * count)
        )
        assert {name: (value.shape, value.dtype) for name, value in found.items()} == {
            "audio_features": ((count, 1024), tf.float32),
            "visual_features": ((count, 2048), tf.float32),
            "probabilities": ((count, 3), tf.float32),
        }


def test_a_cloud_file_system_gets_the_whole_model_in_the_place_of_a_half_uploaded_one(
    untrained_run, dataset, monkeypatch
):
    directory = "ram://served/model"  # TensorFlow's file system in memory stands for one
    run = untrained_run("audio")
    inputs = tf.random.stateless_normal((2, dataset.spec.log_mel_frames, dataset.spec.mel_bands), (1, 2)) * 10 - 40

    def copy_until_killed(source, target, copied=[]):  # noqa: B006  # counts
        copied.append(target)
        if len(copied) == 3:
            raise KeyboardInterrupt
        tf.io.gfile.copy(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(paths, "copy", copy_until_killed)
        with pytest.raises(KeyboardInterrupt):
            export_to(run, directory)
    assert "saved_model.pb" not in tf.io.gfile.listdir(directory)
    export_to(run, directory)
    found = tf.saved_model.load(directory).signatures["tensors"](log_mel=inputs)["probabilities"]
    np.testing.assert_allclose(found, run.model([inputs]), atol=1e-5)  # fused otherwise
    assert paths.read_text(f"{directory}/assets/labels.txt") == "cello\ndrum\nflute\n"


def test_what_is_no_saved_model_is_never_replaced(untrained_run, tmp_path):
    for name in ("notes.txt", "assets"):
        (tmp_path / name / name).mkdir(parents=True)
        with pytest.raises(UserError, match=f"holds '{name}' and no SavedModel; give a new directory"):
            export_to(untrained_run("audio"), str(tmp_path / name))
        assert (tmp_path / name / name).exists()


def test_a_model_is_written_and_replaced_where_the_directory_has_a_slash_at_its_end(untrained_run, tmp_path):
    run = untrained_run("audio")
    for _ in range(2):
        export_to(run, f"{tmp_path}/served/")
        assert read_assets(str(tmp_path / "served")).facts["scheme"] == "audio"
    assert {path.name for path in tmp_path.iterdir()} == {"served", "untrained-audio"}


def test_a_place_that_nothing_can_be_written_to_is_told_before_a_training():
    with pytest.raises(tf.errors.UnimplementedError, match="'s3' not implemented"):
        check_replaceable("s3://bucket/model")


def test_an_export_that_computes_something_else_is_not_left_behind(independent_run, tmp_path, monkeypatch):
    from trainer.exported import signatures

    # Of a trained network even float32 log-mel, where a dataset holds float16, is noticed.
    monkeypatch.setattr(signatures, "as_stored", lambda log_mel: log_mel)
    with pytest.raises(RuntimeError, match=r"is off by .* of signature (serving_default|features)"):
        export_run(independent_run, str(tmp_path / "models"))
    assert list((tmp_path / "models").iterdir()) == []


def test_the_weights_are_saved_once(untrained_run, tmp_path):
    run = untrained_run("joint")
    directory = Path(export_run(run, str(tmp_path / "models")))
    stored = sum(file.stat().st_size for file in (directory / "variables").glob("*.data-*"))
    weights = sum(4 * int(np.prod(variable.shape)) for variable in run.model.variables)
    assert weights <= stored < 1.1 * weights


def test_several_labels_a_recording_are_exported(untrained_run, tmp_path):
    several = write_dataset(tmp_path / "data", multi_label=True)
    loaded = tf.saved_model.load(export_run(untrained_run("audio", several), str(tmp_path / "models")))
    silent = tf.zeros([1, several.spec.segment_samples])
    assert loaded.signatures["serving_default"](waveform=silent)["probabilities"].shape == (1, 3)


def test_two_exports_at_once_do_not_take_the_same_number(untrained_run, tmp_path):
    run = untrained_run("audio")
    parent = tmp_path / "models"
    with only_writer(str(parent), "export", "model_dir"), pytest.raises(UserError, match="another avinst export"):
        export_run(run, str(parent))
    assert export_run(run, str(parent)) == f"{parent}/1"
