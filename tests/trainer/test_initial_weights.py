import dataclasses
import re

import numpy as np
import pytest
from dataset_factory import LABELS, SPEC

from avinst.errors import UserError
from trainer.initial_weights import check_initial_run, initialize
from trainer.models import build_model
from trainer.run import load_run, open_run
from trainer.schemes import train


@pytest.fixture
def joint(small_config, independent_run_dir):
    return dataclasses.replace(small_config, scheme="joint", init_from=independent_run_dir, epochs=1)


def same_weights(network, model, prefix):
    return [
        all(map(np.array_equal, layer.get_weights(), model.get_layer(layer.name).get_weights()))
        for layer in network.layers
        if layer.weights and layer.name.startswith(prefix)
    ]


def test_joint_begins_with_the_stages_weights_and_their_head(joint, dataset, independent_run_dir, capsys):
    check_initial_run(joint, dataset)
    network = build_model("joint", joint, dataset)
    initialize(network, "joint", joint, dataset)
    for branch in ("audio", "visual"):
        stage = load_run(independent_run_dir, f"stages/{branch}/model.keras").model
        assert all(same_weights(network, stage, f"{branch}_"))
    assert same_weights(network, load_run(independent_run_dir).model, "logits") == [True]
    assert all(layer.trainable for layer in network.layers)
    assert (
        f"joint: begins with the weights of {independent_run_dir} (audio, head, visual)" in capsys.readouterr().err
    )


def test_other_labels_get_a_fresh_head(joint, dataset, capsys):
    other = dataclasses.replace(dataset, labels=(*LABELS[:2], "harp"))
    check_initial_run(joint, other)
    network = build_model("joint", joint, other)
    before = network.get_layer("logits").get_weights()
    initialize(network, "joint", joint, other)
    np.testing.assert_array_equal(network.get_layer("logits").get_weights()[0], before[0])
    assert "(audio, visual)" in capsys.readouterr().err


def test_one_branch_is_taken_from_a_run_of_both(joint, dataset, independent_run_dir, capsys):
    config = dataclasses.replace(joint, scheme="visual")
    network = build_model("visual", config, dataset)
    initialize(network, "visual", config, dataset)
    assert all(same_weights(network, load_run(independent_run_dir).model, "visual_"))
    # The head there decides by both.
    assert "(visual)" in capsys.readouterr().err


def test_what_does_not_fit_is_told(joint, dataset, untrained_run, tmp_path):
    with pytest.raises(UserError, match=r"visual_backbone: small_cnn there, inception_v3 now"):
        check_initial_run(dataclasses.replace(joint, visual_backbone="inception_v3"), dataset)
    spec = dataclasses.replace(SPEC, hop_samples=441, frame_size=96)
    with pytest.raises(UserError, match=r"hop_samples: 220 there, 441 now; frame_size: 64 there, 96 now"):
        check_initial_run(joint, dataclasses.replace(dataset, spec=spec))
    # What is not trained may differ.
    visual = dataclasses.replace(joint, scheme="visual", audio_backbone="xception")
    check_initial_run(visual, dataclasses.replace(dataset, spec=dataclasses.replace(SPEC, hop_samples=441)))
    audio = untrained_run("audio")
    with pytest.raises(UserError, match="a run of audio alone has nothing for visual"):
        check_initial_run(dataclasses.replace(visual, init_from=audio.run_dir), dataset)
    given = dataclasses.replace(joint, visual_weights="imagenet", visual_backbone="inception_v3")
    with pytest.raises(UserError, match="both give weights for the visual network"):
        check_initial_run(given, dataset)
    with pytest.raises(UserError, match="no run directory"):
        check_initial_run(dataclasses.replace(joint, init_from=str(tmp_path / "none")), dataset)


def test_a_run_that_is_begun_goes_on_where_the_one_it_began_with_is_gone(joint, dataset, tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr("trainer.schemes._train_stages", lambda *_: trained.append("a stage"))
    config, run_dir = dataclasses.replace(joint, init_from=str(tmp_path / "gone")), tmp_path / "run"
    open_run(str(run_dir), config, dataset)
    with pytest.raises(UserError, match="no run directory"):
        train(str(run_dir), dataset.data_dir, config)
    assert not trained
    (run_dir / "checkpoints" / "joint").mkdir(parents=True)
    (run_dir / "checkpoints" / "joint" / "state-00000-0000001.npz").touch()
    train(str(run_dir), dataset.data_dir, config)
    assert trained


def test_fine_tuning_begins_where_the_run_ended(joint, dataset, tmp_path, capsys):
    """Small steps leave what is trained; a fresh network would not be there after one epoch."""
    config = dataclasses.replace(joint, learning_rate=1e-5, best_by="loss")
    train(str(tmp_path / "run"), dataset.data_dir, config)
    lines = capsys.readouterr().err
    assert lines.count("joint: begins with the weights of") == 1
    assert re.search(r"joint, epoch 1/1: .* validation loss [0-9.]+, accuracy 1\.000", lines)
