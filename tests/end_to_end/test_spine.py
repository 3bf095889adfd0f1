"""The whole way on real files: videos to a dataset, both schemes, metrics, SavedModels, analysis, TensorBoard."""

import json
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from media_factory import tone, write_media
from tensorboard_server import tensorboard

from avinst import cli
from avinst.dataset import load_dataset
from avinst.media.decoder import Decoder
from avinst.schema import parse_examples

LABELS = {"bass": (150.0, 0), "bell": (2400.0, 1), "horn": (600.0, 2)}  # label to pitch in Hz and colour channel
SECONDS = 2.1
TINY = (
    "--audio_backbone=small_cnn",
    "--visual_backbone=small_cnn",
    "--epochs=2",
    "--fusion_epochs=3",
    "--batch_size=8",
)


def avinst(*arguments):
    assert cli.main(["avinst", *map(str, arguments)]) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("spine")
    rng = np.random.default_rng(0)
    for label, (hz, channel) in LABELS.items():
        (root / "videos" / label).mkdir(parents=True)
        for number in range(12):
            colour = rng.integers(0, 60, 3)
            colour[channel] += 180

            def picture(index, _, colour=colour):
                frame = np.full((48, 64, 3), 20, np.uint8)
                frame[8:40, 8 + index % 16 : 40 + index % 16] = colour
                return frame

            sound = tone(hz * rng.uniform(0.95, 1.05), SECONDS) + rng.normal(0, 0.05, (1, round(SECONDS * 44_100)))
            write_media(
                root / "videos" / label / f"{number}.mp4",
                seconds=SECONDS,
                size=(64, 48),
                picture=picture,
                sound=sound.astype(np.float32).clip(-1, 1),
            )
    avinst("manifest", f"--media_root={root}/videos", f"--output={root}/manifest.csv")
    avinst(
        "prepare",
        f"--manifest={root}/manifest.csv",
        f"--media_root={root}/videos",
        f"--data_dir={root}/dataset",
        "--frame_size=48",
        "--splits=stratified",
        "--shares=0.3,0.2,0.5",
    )
    for scheme in ("independent", "joint"):
        avinst("train", f"--data_dir={root}/dataset", f"--run_dir={root}/{scheme}", f"--scheme={scheme}", *TINY)
        avinst("evaluate", f"--run_dir={root}/{scheme}")
        avinst("export", f"--run_dir={root}/{scheme}")
    avinst("analyze", f"--run_dir={root}/joint", "--gradcam_per_label=1", "--permutations=50")
    return root


def test_metrics_have_the_designs_shape(folder):
    metrics = json.loads((folder / "joint" / "metrics.json").read_text())
    for level, count in (("segment", 36), ("recording", 18)):
        values = metrics["test"][level]
        assert values["count"] == count
        for name in ("hit_at_1", "hit_at_3", "f1_macro", "map", "log_loss", "calibration_error"):
            assert values[name]["low"] <= values[name]["value"] <= values[name]["high"]
        assert set(values["per_label"]) == set(LABELS)
        assert np.sum(values["confusion"]) == count
    assert metrics["test"]["recording"]["hit_at_3"]["value"] == 1.0  # three labels


def test_stages_are_measured_too(folder):
    for stage in ("audio", "visual"):
        metrics = json.loads((folder / "independent" / "stages" / stage / "metrics.json").read_text())
        assert metrics["test"]["recording"]["count"] == 18


# Runs where neither Keras nor avinst may be imported: what a serving process is.
SERVE = textwrap.dedent(
    """
    import importlib.machinery
    import sys

    FORBIDDEN = {"keras", "tf_keras", "avinst", "trainer", "tensorflow_io"}

    class Blocked:  # TensorFlow itself would import Keras where it finds it; here whoever tries fails
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in FORBIDDEN:
                return importlib.machinery.ModuleSpec(name, self)

        def create_module(self, spec):
            raise ImportError(spec.name)

        def exec_module(self, module):
            raise ImportError

    sys.meta_path.insert(0, Blocked())
    import numpy as np
    import tensorflow as tf

    model_dir, inputs, outputs = sys.argv[1:]
    given = np.load(inputs, allow_pickle=True)
    signatures = tf.saved_model.load(model_dir).signatures
    waveform, jpeg = tf.constant(given["waveform"]), tf.constant(list(given["jpeg"]))
    served = signatures["serving_default"](waveform=waveform, jpeg=jpeg)["probabilities"]
    features = signatures["features"](waveform=waveform, jpeg=jpeg)
    examples = signatures["examples"](examples=tf.constant(list(given["examples"])))["probabilities"]
    assert not {name.split(".")[0] for name in sys.modules} & FORBIDDEN
    np.savez(outputs, served=served, examples=examples, **features)
    """
)


@pytest.mark.parametrize("scheme", ["independent", "joint"])
def test_the_savedmodel_alone_gives_what_the_model_gives_on_the_prepared_example(folder, tmp_path, scheme):
    """export(waveform, jpeg) == model(parse(prepare(video))), in a process without Keras and avinst."""
    import keras

    dataset = load_dataset(str(folder / "dataset"))
    serialized = [record.numpy() for record in tf.data.TFRecordDataset(dataset.tfrecord_paths("test"))]
    parsed = parse_examples(tf.constant(serialized), dataset.spec, len(dataset.labels))
    segments = {}
    with Decoder() as decoder:
        for video in {video.decode() for video in parsed["video_id"].numpy()}:
            for segment in decoder.decode(str(folder / "videos" / f"{video}.mp4"), dataset.spec):
                segments[video, segment.index] = segment
    ordered = [
        segments[video.decode(), int(index)]
        for video, index in zip(parsed["video_id"].numpy(), parsed["segment_index"].numpy(), strict=True)
    ]
    np.savez(
        tmp_path / "in.npz",
        waveform=np.stack([segment.waveform for segment in ordered]),
        jpeg=np.array([segment.jpeg for segment in ordered], object),
        examples=np.array(serialized, object),
    )
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            SERVE,
            folder / scheme / "export" / "1",
            tmp_path / "in.npz",
            tmp_path / "out.npz",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    given = np.load(tmp_path / "out.npz")
    model = keras.models.load_model(folder / scheme / "model.keras", compile=False)
    expected = model({"log_mel": parsed["log_mel"], "frame": parsed["frame"]}).numpy()
    # An example's log-mel is stored as float16, off by up to 0.031 dB; the waveform's is not. The networks turn
    # that into at most some thousandths of probability. What reads the stored example must agree to rounding.
    np.testing.assert_allclose(given["examples"], expected, atol=1e-5)
    np.testing.assert_allclose(given["served"], expected, atol=5e-3)
    assert given["audio_features"].shape == (len(serialized), 1024)
    assert given["visual_features"].shape == (len(serialized), 2048)
    np.testing.assert_allclose(given["probabilities"], given["served"], atol=1e-6)


def test_predict_agrees_with_evaluate(folder, capsys):
    video = folder / "videos" / "bell" / "0.mp4"
    capsys.readouterr()
    avinst("predict", f"--run_dir={folder}/joint", "--json", video)
    prediction = json.loads(capsys.readouterr().out)
    assert sorted(prediction["probabilities"]) == sorted(LABELS)
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert len(prediction["segments"]) == 2


def test_the_analysis_leaves_its_files(folder):
    analysis = folder / "joint" / "analysis"
    features = np.load(analysis / "features.npz", allow_pickle=False)
    assert features["audio_features"].shape == (18, 1024)
    assert features["visual_features"].shape == (18, 2048)
    header = (analysis / "importance.csv").read_text().splitlines()[0]
    assert header == "label,modality,feature,importance,rank,stability"
    for label in LABELS:
        assert (analysis / "correlations" / f"{label}.csv").exists()
        assert (analysis / "correlations" / f"{label}.png").exists()
    assert set(json.loads((analysis / "correlations" / "summary.json").read_text())["labels"]) == set(LABELS)
    report = (analysis / "report.html").read_text()
    assert not re.search(r"(?:src|href)=[\"'](?!data:|#|https://doi\.org|https://arxiv\.org)", report)


def test_the_same_command_again_leaves_a_finished_run_alone(folder, capsys):
    model = folder / "joint" / "model.keras"
    before = model.stat().st_mtime_ns
    avinst("train", f"--data_dir={folder}/dataset", f"--run_dir={folder}/joint", "--scheme=joint", *TINY)
    assert model.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data_dir={root}/none", "--run_dir={root}/x"], "no dataset directory"),
        (
            ["train", "--data_dir={root}/videos", "--run_dir={root}/x"],
            "is no dataset: it has no dataset.json",
        ),
        (["train", "--data_dir={root}/dataset", "--run_dir={root}/joint", "--epochs=7"], "epochs: 2 there, 7 now"),
        (["train", "--data_dir={root}/dataset", "--run_dir={root}/videos"], "holds"),
        (["evaluate", "--run_dir={root}/none"], "no run directory"),
        (["evaluate", "--run_dir={root}/videos"], "has no config.json"),
        (["export", "--run_dir={root}/none"], "no run directory"),
        (["analyze", "--run_dir={root}/none"], "no run directory"),
        (["manifest", "--media_root={root}/joint"], "no videos in the class folders"),
    ],
)
def test_wrong_use_is_one_line_and_a_non_zero_status(folder, capsys, arguments, message):
    capsys.readouterr()
    assert cli.main(["avinst", *(argument.format(root=folder) for argument in arguments)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_tensorboard_serves_an_image_of_each_kind(folder):
    with tensorboard(folder / "joint") as board:
        tags = board.wait_for("images/tags", lambda tags: all(find(kind, tags) for kind in KINDS))
        for kind in KINDS:
            run, tag = find(kind, tags)
            (image, *_) = board.json("images/images", run=run, tag=tag, sample=0)
            assert board.image(image).startswith(b"\x89PNG")


def find(kind, tags):
    """Run and tag of an image of this kind, None where there is none."""
    return next(((run, tag) for run, names in tags.items() for tag in names if tag.startswith(kind)), None)


KINDS = (
    "training_examples",
    "evaluation/confusion",
    "evaluation/reliability",
    "importance/",
    "correlation/bell",
    "gradcam/bell/least_certain/frame",
    "gradcam/bell/least_certain/spectrogram",
)
