"""The audit of networks that avinst itself trained, on a label that only both modalities together carry."""

import dataclasses
import json
from pathlib import Path

import pytest
from audit_toys import toy_carried_by

from trainer import evaluate
from trainer.config import TrainConfig
from trainer.schemes import train

SETTINGS = TrainConfig(
    audio_backbone="small_cnn",
    visual_backbone="small_cnn",
    fusion_epochs=60,
    fusion_hidden_units=32,
    batch_size=16,
    augment=False,
)
# A modality that tells nothing by itself can only be learned by heart: trained for long, its stage forgets what
# the fusion has to find in its features.
EPOCHS = {"independent": 1, "joint": 8}


@pytest.mark.slow
def test_both_schemes_learn_what_only_both_modalities_tell_and_the_audit_says_so(tmp_path, capsys):
    dataset = toy_carried_by("both", tmp_path / "dataset")
    for scheme, epochs in EPOCHS.items():
        config = dataclasses.replace(SETTINGS, scheme=scheme, epochs=epochs)
        train(str(tmp_path / scheme), dataset.data_dir, config)
    assert evaluate.main(["x", f"--run_dir={tmp_path}/independent"]) == 0
    assert evaluate.main(["x", f"--run_dir={tmp_path}/joint", f"--stages_from={tmp_path}/independent"]) == 0
    for scheme in EPOCHS:
        audit = json.loads(Path(tmp_path / scheme / "audit.json").read_text())["test"]
        assert audit["verdict"][0].startswith("Only audio and vision together decide"), audit["verdict"]
        assert audit["differences"]["fused_minus_product"]["low"] > 0
    assert "Only audio and vision together decide" in capsys.readouterr().out
