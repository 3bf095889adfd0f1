"""Datasets on which only audio, only vision or only both together carry the label, and runs that learned them."""

import keras
import numpy as np
from dataset_factory import Cues, write_dataset
from keras import layers
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from toy_study_parts import TOY_SPEC

from trainer.config import TrainConfig
from trainer.inputs.pipeline import keyed_examples
from trainer.run import Run

RECORDINGS = {"train": 96, "validation": 48, "test": 64}
_INPUTS = {"audio": "log_mel", "visual": "frame"}


def toy_cues(carrier):
    """Each of the four meetings of a sound and a picture is equally common, whoever carries the label."""

    def cues(recording):
        sound, picture = recording % 2, recording // 2 % 2
        label = {"audio": sound, "visual": picture, "both": sound ^ picture}[carrier]
        return Cues((label,), (sound,), (picture,))

    return cues


def toy_carried_by(carrier, data_dir):
    """A dataset of two labels, two segments a recording, where `carrier` (audio, visual, both) tells the label."""
    return write_dataset(
        data_dir, labels=("no", "yes"), recordings=RECORDINGS, spec=TOY_SPEC, cues=toy_cues(carrier)
    )


def toy_run(dataset, run_dir):
    """An independent run whose features are the level of each mel band and the mean colour of the frame.

    The heads are fitted by scikit-learn: logistic regression for each stage, one hidden layer for the fusion.
    """
    batch = next(iter(keyed_examples(dataset, "train", 1000)))
    features = {"audio": batch["log_mel"].numpy().mean(axis=1), "visual": batch["frame"].numpy().mean(axis=(1, 2))}
    truth = batch["label"].numpy().argmax(axis=1)
    for modality in features:
        head = LogisticRegression(C=0.1).fit(_standardized(features[modality]), truth)
        stage = _network({modality: features[modality]}, [(head.coef_.T, head.intercept_)])
        (run_dir / "stages" / modality).mkdir(parents=True)
        stage.save(run_dir / "stages" / modality / "model.keras")
    together = _standardized(np.concatenate(list(features.values()), axis=1))
    head = MLPClassifier((8,), solver="lbfgs", alpha=1.0, random_state=0, max_iter=500).fit(together, truth)
    fused = _network(features, list(zip(head.coefs_, head.intercepts_, strict=True)))
    return Run(str(run_dir), TrainConfig(scheme="independent"), dataset, fused)


def _standardized(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def _network(features, dense):
    """Flat, with the contract's names; `dense` are weights and biases on standardized features, the last to z.

    The logits are (0, z).
    """
    inputs, outputs = [], []
    for modality in features:
        shape = (
            (TOY_SPEC.log_mel_frames, TOY_SPEC.mel_bands) if modality == "audio" else (TOY_SPEC.frame_size,) * 2
        )
        inputs.append(keras.Input(shape if modality == "audio" else (*shape, 3), name=_INPUTS[modality]))
        pool = layers.GlobalAveragePooling1D if modality == "audio" else layers.GlobalAveragePooling2D
        outputs.append(pool(name=f"{modality}_features")(inputs[-1]))
    x = layers.Concatenate()(outputs) if len(outputs) > 1 else outputs[0]
    values = np.concatenate(list(features.values()), axis=1)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    weights = [[kernel, bias] for kernel, bias in dense]
    weights[0] = [weights[0][0] / scale[:, None], weights[0][1] - (mean / scale) @ weights[0][0]]
    kernel, bias = weights[-1]
    weights[-1] = [np.concatenate([0 * kernel, kernel], axis=1), np.concatenate([0 * bias, bias])]
    for kernel, _ in weights[:-1]:
        x = layers.Dense(kernel.shape[1], activation="relu", name="fusion_hidden")(x)
    logits = layers.Dense(2, name="logits")(x)
    model = keras.Model(inputs, layers.Activation("softmax", name="probabilities")(logits))
    for name, values in zip(["fusion_hidden", "logits"][-len(weights) :], weights, strict=True):
        model.get_layer(name).set_weights(values)
    return model
