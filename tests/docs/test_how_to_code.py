"""The backbone, the CAM method and the data set format of docs/how-to.md, as they stand there, at work."""

import re
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from dataset_factory import write_dataset
from media_factory import write_media
from tf_keras_vis.layercam import Layercam
from toy_models import batch_of, toy_model

from analysis.maps import gradcam, gradcam_reference
from analysis.maps.gradcam import METHOD_NAMES, METHODS, EvidenceMaps
from avinst.manifests import formats as manifest_formats
from avinst.manifests import formats_csv as manifest_formats_csv
from avinst.manifests.annotations import Annotation
from avinst.manifests.from_media import make_rows
from avinst.manifests.rows import read_manifest
from avinst.manifests.writing import write_manifest
from trainer.config import TrainConfig
from trainer.models import VISUAL_BACKBONES, visual
from trainer.run import load_run
from trainer.schemes import train

HOW_TO = (Path(__file__).parents[2] / "docs" / "how-to.md").read_text()
BLOCKS = re.findall(r"^   ```python\n(.*?)^   ```", HOW_TO, flags=re.MULTILINE | re.DOTALL)


def run(number, module):
    """The names of the module in which the page says that the block belongs, and the block's."""
    names = dict(vars(module))
    exec(compile(textwrap.dedent(BLOCKS[number]), f"how-to.md, block {number + 1}", "exec"), names)
    return names


def test_there_are_three():
    assert len(BLOCKS) == 3


@pytest.mark.slow
def test_the_backbone_is_trained(tmp_path, monkeypatch):
    pooled_cnn = run(0, visual)["pooled_cnn"]
    frame = keras.Input((96, 96, 3))
    model = keras.Model(frame, pooled_cnn(frame, TrainConfig()))
    assert model.get_layer("visual_map").output.shape == (None, 6, 6, 2048)  # 96 px, halved four times
    # In the place of another one: the setting's choices are part of a frozen dataclass.
    monkeypatch.setitem(VISUAL_BACKBONES, "small_cnn", pooled_cnn)
    dataset = write_dataset(tmp_path / "dataset", recordings={"train": 12, "validation": 3, "test": 3})
    config = TrainConfig(scheme="visual", visual_backbone="small_cnn", epochs=1, batch_size=8)
    train(str(tmp_path / "run"), dataset.data_dir, config)
    trained = load_run(str(tmp_path / "run")).model
    assert trained.get_layer("visual_pool1")
    assert all(np.isfinite(weight).all() for weight in trained.get_weights())


def test_the_cam_method_is_that_of_tf_keras_vis(monkeypatch):
    weighted = run(1, gradcam)["weighted_place_by_place"]
    # Two channels at two places: 1 x 3 + 4 x (-1 -> 0), 2 x (-1 -> 0) + 5 x 0.5.
    maps, gradients = np.array([[[[1, 4], [2, 5]]]], np.float32), np.array([[[[3, -1], [-1, 0.5]]]], np.float32)
    assert weighted(maps, gradients).numpy().tolist() == [[[3.0, 2.5]]]
    monkeypatch.setitem(METHODS, "layercam", weighted)
    monkeypatch.setitem(METHOD_NAMES, "layercam", "LayerCAM")
    monkeypatch.setitem(gradcam_reference._IMPLEMENTATIONS, "layercam", Layercam)
    batch, indices = batch_of(list("abcde"), [(0,)] * 5, seed=1), np.array([0, 1, 2, 1, 0])
    evidence_maps = EvidenceMaps(toy_model(hidden_units=8, seed=3), "layercam")
    assert all(maps.max() > 0 for maps in evidence_maps(batch, indices).values())
    assert gradcam_reference.largest_difference(evidence_maps, batch, indices) < 1e-5  # float32, of the largest


def test_the_data_set_format_becomes_a_manifest(tmp_path, monkeypatch):
    read_choirs = run(2, manifest_formats_csv)["read_choirs"]
    (tmp_path / "choirs.csv").write_text("abc,alto,someone\nlost,tenor,nobody\n")
    assert read_choirs([str(tmp_path / "choirs.csv")])[0] == Annotation("abc", ("alto",), group="someone")
    known = {**manifest_formats.FORMATS, "choirs": manifest_formats.Format("choirs.csv", read_choirs)}
    monkeypatch.setattr("avinst.manifests.from_media.FORMATS", known)
    write_media(tmp_path / "abc.mp4", seconds=0.2)
    rows, notes = make_rows(str(tmp_path), "choirs", [str(tmp_path / "choirs.csv")])
    write_manifest(rows, str(tmp_path / "manifest.csv"))
    (row,) = read_manifest(str(tmp_path / "manifest.csv"), str(tmp_path))
    assert (row.video_path, row.labels, row.group) == ("abc.mp4", ("alto",), "someone")
    assert notes[0].startswith("missing: 1 of 2")


@pytest.mark.parametrize("content", ["abc,alto\n", "abc,alto,someone,more\n"])
def test_a_line_of_another_shape_is_an_error(tmp_path, content):
    (tmp_path / "choirs.csv").write_text(content)
    with pytest.raises(manifest_formats_csv.UserError, match="expected ID,voice,singer"):
        run(2, manifest_formats_csv)["read_choirs"]([str(tmp_path / "choirs.csv")])
