"""What `avinst train` costs: the loop, the input pipeline, frozen fusion, and each backbone.

    python benchmarks/train.py --data_dir=DATASET

Takes a dataset of 128 px frames and writes its section of docs/benchmarks.md; wants an idle machine.
"""

import argparse
import dataclasses
import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from measuring import machine_line, measure_parts, spread, table

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from fitting import Examples, compiled, run_fit, run_loop, same_batch, seconds_of  # noqa: E402

from avinst.dataset import Dataset, load_dataset  # noqa: E402
from trainer.config import TrainConfig  # noqa: E402
from trainer.fusion import compute_features, feature_epochs  # noqa: E402
from trainer.inputs.pipeline import endless_epochs, steps_per_epoch, training_examples  # noqa: E402
from trainer.models import (  # noqa: E402
    AUDIO_BACKBONES,
    VISUAL_BACKBONES,
    build_fusion_head,
    build_model,
    copy_weights,
)
from trainer.optimization import compile_for_training  # noqa: E402
from trainer.remedies import fitted_network  # noqa: E402
from trainer.resume_point import Position, ResumePoint  # noqa: E402

# As in docs/results.md: the audio network at half its depth and width.
CONFIG = TrainConfig(scheme="joint", audio_blocks=4, audio_width=0.5)
LOOP_TURNS, TURNS, STEPS = 5, 3, 12
# Our loop makes its distributed iterator once a training, which takes 0.1 s: of a few short steps that is a tenth.
LOOP_STEPS = 48
PIPELINE_BATCHES, FROZEN_STEPS, CACHED_EPOCHS = 60, 12, 10


def loop_part(dataset: Dataset) -> str:
    """Our loop against Keras' fit, on one batch in memory and on the input pipeline."""
    rows = []
    for title, config, steps, turns in (
        ("joint, Xception-like (depth 4, width 0.5) and InceptionV3", CONFIG, STEPS // 2, LOOP_TURNS),
        (
            "joint, two small CNNs",
            TrainConfig(scheme="joint", audio_backbone="small_cnn", visual_backbone="small_cnn"),
            LOOP_STEPS,
            LOOP_TURNS,
        ),
    ):
        model, plain = compiled(config, dataset), compiled(config, dataset, strategy=False)
        one = same_batch(next(iter(training_examples(dataset, config))))
        pipeline: Examples = functools.partial(training_examples, dataset, config)
        # The pipeline begins by filling its buffers, once a training: it gets no fewer steps than a small epoch.
        ways: dict[str, tuple[Callable[[int], None], int]] = {
            "fit": (functools.partial(run_fit, plain, one, config), steps),
            "loop": (functools.partial(run_loop, model, one, config), steps),
            "all": (functools.partial(run_loop, model, pipeline, config), max(24, steps)),
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for run, _ in ways.values():
            run(2)  # traced
        for turn in range(turns):
            for name, (run, count) in ways.items():
                if name != "all" or turn < TURNS:
                    found[name].append(1000 * seconds_of(functools.partial(run, count)) / count)
        with tempfile.TemporaryDirectory() as folder:
            save = seconds_of(lambda: ResumePoint(folder).save(model, Position(1)))  # noqa: B023
        rows.append(
            [
                title,
                *(f"{min(times):.1f} ({statistics.median(times):.1f})" for times in found.values()),
                *(f"{min(found[name]) / min(found['fit']):.3f}" for name in ("loop", "all")),
                f"{save:.2f}",
            ]
        )
    return (
        f"A step of {CONFIG.batch_size} examples: the lowest of some turns, which other work on the "
        "machine disturbs least (median); ratios of the lowest. The state is saved once an epoch and every ten "
        "minutes.\n\n"
        + table(
            [
                *("network", "Keras `fit`, a batch in memory: ms", "our loop, the same batch: ms"),
                *("our loop, input pipeline: ms", "loop / fit", "with pipeline / fit", "saving the state: s"),
            ],
            rows,
        )
    )


def pipeline_part(dataset: Dataset) -> str:
    """Examples a second of the input pipeline alone, against what joint training takes."""
    model = compiled(CONFIG, dataset)
    batch = next(iter(training_examples(dataset, CONFIG)))
    examples = same_batch(batch)
    run_fit(model, examples, CONFIG, 2)
    taken = [
        STEPS * CONFIG.batch_size / seconds_of(functools.partial(run_fit, model, examples, CONFIG, STEPS))
        for _turn in range(TURNS)
    ]
    rows = [["joint training takes", spread(taken), ""]]
    for title, settings in (
        ("nothing altered", {"augment": False}),
        ("as by default (--augment)", {}),
        ("with --cache=memory", {"cache": "memory"}),
        ("with --rand_augment=5 --mix=cutmix", {"rand_augment": 5.0, "mix": "cutmix"}),
    ):
        given = rates(iter(training_examples(dataset, dataclasses.replace(CONFIG, **settings))))
        rows.append([title, spread(given), f"{max(given) / max(taken):.0f}"])
    return f"Median of {TURNS} turns (lowest to highest), ratios of the highest.\n\n" + table(
        ["input pipeline", "examples/s", "times what training takes"], rows
    )


def rates(batches: Iterator[Any]) -> list[float]:
    """Examples a second, in each turn, after the first batches."""
    found = []
    for _turn in range(TURNS):
        for _ in range(4):
            next(batches)
        began = time.monotonic()
        count = sum(len(next(batches)[1]) for _ in range(PIPELINE_BATCHES))
        found.append(count / (time.monotonic() - began))
    return found


def fusion_part(dataset: Dataset) -> str:
    """An epoch of the head on cached features, against one through the frozen networks."""
    config = dataclasses.replace(CONFIG, scheme="independent")
    keras.utils.set_random_seed(0)
    whole = build_model("independent", config, dataset)
    for layer in whole.layers:
        if layer.name.startswith(("audio_", "visual_")):
            layer.trainable = False
    through = fitted_network(whole, config, "through")
    compile_for_training(through, config, 1000, multi_label=dataset.multi_label)
    examples = functools.partial(training_examples, dataset, dataclasses.replace(config, augment=False))
    run_fit(through, examples, config, 2)
    count = dataset.segments["train"]
    steps = steps_per_epoch(count, config.batch_size)
    a_step = seconds_of(lambda: run_fit(through, examples, config, FROZEN_STEPS)) / FROZEN_STEPS

    began = time.monotonic()
    features, labels = compute_features(whole, dataset, "train", config.batch_size)
    once = time.monotonic() - began
    head = build_fusion_head(config, dataset)
    fitted = fitted_network(head, config, "fusion")
    compile_for_training(fitted, config, 1000, multi_label=dataset.multi_label)
    epochs = feature_epochs(features, labels, dataset, config)
    cached = functools.partial(endless_epochs, epochs)
    run_loop(fitted, cached, config, 2)
    an_epoch = seconds_of(lambda: run_loop(fitted, cached, config, CACHED_EPOCHS * steps)) / CACHED_EPOCHS
    copy_weights(head, whole)
    batch, _ = next(iter(training_examples(dataset, dataclasses.replace(config, augment=False))))
    names = ["audio_features", "visual_features"]
    found = keras.Model(whole.inputs, [whole.get_layer(name).output for name in names])(batch, training=False)
    apart = head(dict(zip(names, found, strict=True)), training=False)
    difference = float(tf.reduce_max(tf.abs(whole(batch, training=False) - apart)))
    rows = [
        ["through the frozen networks", f"{steps * a_step:.1f}", "1"],
        ["on cached features", f"{an_epoch:.2f}", f"{steps * a_step / an_epoch:.0f}"],
    ]
    return (
        f"An epoch of {count} examples (InceptionV3 and the audio network at depth 4, width 0.5); the features of "
        f"all are computed once, in {once:.1f} s.\n\n"
        + table(["head trained", "s an epoch", "times faster"], rows)
        + f"\nThe assembled network's probabilities differ from the head's by {difference:.1e} at most.\n"
    )


def backbones_part(dataset: Dataset) -> str:
    """Each backbone alone: training and inference, a batch in memory."""
    rows = []
    audio = [("xception", {}), ("xception", {"audio_blocks": 4, "audio_width": 0.5})]
    audio += [(name, {}) for name in AUDIO_BACKBONES if name != "xception"]
    networks = [("audio", {"audio_backbone": name, **options}) for name, options in audio]
    networks += [("visual", {"visual_backbone": name}) for name in VISUAL_BACKBONES]
    for scheme, settings in networks:
        config = dataclasses.replace(TrainConfig(scheme=scheme), **settings)
        model = compiled(config, dataset)
        batch = next(iter(training_examples(dataset, config)))
        examples = same_batch(batch)
        infer = tf.function(functools.partial(model, training=False))
        run_fit(model, examples, config, 2)
        infer(batch[0])
        step = seconds_of(functools.partial(run_fit, model, examples, config, STEPS)) / STEPS
        forward = seconds_of(functools.partial(repeat, infer, batch[0], STEPS)) / STEPS
        flags = " ".join(f"--{name}={value}" for name, value in settings.items())
        rows.append(
            [
                f"`{flags}`",
                f"{model.count_params() / 1e6:.1f}",
                *(f"{config.batch_size / seconds:.0f}" for seconds in (step, forward)),
            ]
        )
    return f"Batches of {CONFIG.batch_size}, float32.\n\n" + table(
        ["network", "million weights", "training, examples/s", "inference, examples/s"], rows
    )


def repeat(function: Callable[[Any], Any], argument: Any, times: int) -> None:
    """Calls a function of TensorFlow and waits for it."""
    for _ in range(times):
        np.asarray(function(argument))


def main() -> None:
    """Measures all, or one part, and writes a section for each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--part", choices=("loop", "pipeline", "fusion", "backbones"))
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.data_dir)
    parts: dict[str, tuple[str, Callable[[], str]]] = {
        "loop": ("The loop", functools.partial(loop_part, dataset)),
        "pipeline": ("The input pipeline", functools.partial(pipeline_part, dataset)),
        "fusion": ("Frozen fusion", functools.partial(fusion_part, dataset)),
        "backbones": ("Backbones", functools.partial(backbones_part, dataset)),
    }
    command = "python benchmarks/train.py --data_dir=DATASET"
    spec = dataset.spec
    head = (
        f"## `avinst train`\n\n`{command}`; {dataset.segments['train']} training examples, frames of "
        f"{spec.frame_size} px, log-mel {spec.log_mel_frames} x {spec.mel_bands}; {machine_line()}."
    )
    measure_parts("train", head, parts, arguments.part)


if __name__ == "__main__":
    main()
