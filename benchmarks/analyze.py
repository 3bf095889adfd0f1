"""What `avinst analyze` costs: rank correlations, the pass for features, maps of the evidence.

    python benchmarks/analyze.py --run_dir=RUN

Takes a finished run of both modalities and writes its section of docs/benchmarks.md; wants an idle machine. The
rows of pandas need pandas, which the project does not.
"""

import argparse
import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from measuring import machine_line, measure_parts, spread, table, write_section

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from analysis.extraction import segment_features  # noqa: E402
from analysis.features import model_inputs  # noqa: E402
from analysis.maps.gradcam import EvidenceMaps, Method  # noqa: E402
from analysis.maps.gradcam_reference import largest_difference, tf_keras_vis_maps  # noqa: E402
from avinst.dataset import Dataset  # noqa: E402
from trainer.inputs.pipeline import keyed_examples  # noqa: E402
from trainer.run import Run, dataset_of, load_run, read_config  # noqa: E402

CONTENDER = Path(__file__).with_name("spearman_contender.py")
WAYS = {
    "ours": "`correlations.spearman`",
    "scipy": "`scipy.stats.spearmanr`",
    "pandas": "`DataFrame.corr`",
}
FEATURES = 3072
# pandas takes pair after pair: of so few columns it can be waited for.
FEW_COLUMNS = 256
SIZES = ((10_000, FEW_COLUMNS), (10_000, FEATURES), (100_000, FEATURES))
BATCH_SIZE = 32
METHODS: tuple[Method, ...] = ("gradcam", "gradcam++", "scorecam")
MAP_BATCHES = (1, 8, 64)
# Score-CAM runs the model once for each feature map of each segment.
SCORECAM_BATCHES = (1,)


def spearman_part() -> str:
    """Seconds and memory of each way, in a process of its own, and how far the results are apart."""
    rows, notes = [], []
    for count, columns in SIZES:
        results: dict[str, np.ndarray] = {}
        with tempfile.TemporaryDirectory() as folder:
            for way, title in WAYS.items():
                if way == "pandas" and (columns > FEW_COLUMNS or importlib.util.find_spec("pandas") is None):
                    continue
                file = Path(folder) / f"{way}.npy"
                measured = contend(way, count, columns, file)
                if measured is None:
                    rows.append([f"{count:,} x {columns}", title, "not enough memory", ""])
                    continue
                results[way] = np.load(file)
                cells = f"{measured['seconds']:.1f}", f"{measured['peak_mb']:.0f}"
                rows.append([f"{count:,} x {columns}", title, *cells])
        for way in results.keys() - {"ours"}:
            apart = np.abs(results["ours"] - results[way]).max()
            notes.append(f"{count:,} x {columns} {way} {apart:.0e}")
        values = f"{count * columns * 4 / 2**20:.0f}"
        rows.append([f"{count:,} x {columns}", "the features themselves, float32", "", values])
    return (
        "Of features as a ReLU leaves them, each way in a process of its own, one run each; memory is the growth "
        "of the peak once the features are there.\n\n"
        + table(["recordings x features", "way", "s", "MB more"], rows)
        + f"\nLargest differences from ours: {', '.join(sorted(notes))}. pandas goes pair by pair: at {FEATURES} "
        f"features it would take {(FEATURES / FEW_COLUMNS) ** 2:.0f} times what it takes at {FEW_COLUMNS}.\n"
    )


def contend(way: str, rows: int, columns: int, file: Path) -> dict[str, float] | None:
    """What `spearman_contender.py` prints; None where it ran out of memory."""
    command = [sys.executable, str(CONTENDER), way, str(rows), str(columns), str(file)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CONTENDER.parents[1]), *sys.path[1:]])}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=False, text=True)
    if done.returncode:
        return None
    return json.loads(done.stdout)


def features_part(model: keras.Model, dataset: Dataset, turns: int) -> str:
    """The analysis' pass over the test split against Keras' predict on the same batches."""
    split, count = "test", dataset.segments["test"]

    def examples() -> tf.data.Dataset:
        return keyed_examples(dataset, split, BATCH_SIZE)

    def analysis_pass() -> None:
        segment_features(model, examples(), dataset.labels, dataset.multi_label)

    def predict() -> None:
        # A new model each time, as the analysis makes one: both are traced.
        inputs = examples().map(lambda batch: tuple(model_inputs(model, batch)))
        keras.Model(model.inputs, model.outputs).predict(inputs.map(lambda *tensors: (tensors,)), verbose=0)

    found: dict[str, list[float]] = {"pass": [], "predict": []}
    for turn in range(turns + 1):
        for name, run in (("pass", analysis_pass), ("predict", predict)):
            began = time.perf_counter()
            run()
            if turn:
                found[name].append(count / (time.perf_counter() - began))
    share = np.median(np.array(found["pass"]) / np.array(found["predict"]))
    titles = {"pass": "the analysis' pass: features, logits, probabilities", "predict": "bare `model.predict`"}
    rows = [
        [titles[name], spread(rates), f"{FEATURES * float(np.median(rates)):,.0f}" if name == "pass" else ""]
        for name, rates in found.items()
    ]
    return (
        f"{count} segments of the test split, frames of {dataset.spec.frame_size} px, batches of {BATCH_SIZE}, "
        f"{model.get_layer('visual_map').compute_dtype}, tracing included; median of {turns} turns (lowest to "
        f"highest). The pass does {share:.2f} of what `predict` does in the same turn.\n\n"
        + table(["way", "segments/s", "features/s"], rows)
    )


def rates(make: Callable[[], object], images: int, turns: int) -> list[float]:
    """Images a second, turn by turn, after a first call that compiles."""
    make()
    found = []
    for _ in range(turns):
        began = time.perf_counter()
        make()
        found.append(images / (time.perf_counter() - began))
    return found


def reference_maps(
    model: keras.Model, batch: Mapping[str, Any], labels: np.ndarray, method: str, modalities: tuple[str, ...]
) -> None:
    """tf-keras-vis takes one modality at a time."""
    for modality in modalities:
        tf_keras_vis_maps(model, batch, labels, modality, method)


def gradcam_part(run: Run, dataset: Dataset, turns: int) -> str:
    """Maps of both inputs: the compiled pass against tf-keras-vis, one by one and in batches.

    Raises:
        SystemExit: the model computes in another precision than float32, which tf-keras-vis' Grad-CAM++ fails on.
    """
    model = run.model
    if model.get_layer("visual_map").compute_dtype != "float32":
        raise SystemExit(
            "the run has mixed precision, which tf-keras-vis cannot take; give one of --precision=float32"
        )
    examples = next(iter(keyed_examples(dataset, "test", max(MAP_BATCHES))))
    batch = {tensor.name: np.asarray(examples[tensor.name]) for tensor in model.inputs}
    labels = np.asarray(examples["label"]).argmax(axis=1)
    rows, notes = [], []
    for method in METHODS:
        evidence_maps = EvidenceMaps(model, method)
        compared = method != "scorecam"
        one_by_one = 0.0
        for size in MAP_BATCHES if compared else SCORECAM_BATCHES:
            part, of_part = {name: values[:size] for name, values in batch.items()}, labels[:size]
            own = rates(functools.partial(evidence_maps, part, of_part), len(of_part), turns)
            cells = ["", "", ""]
            if compared:
                modalities = tuple(evidence_maps.modalities)
                make = functools.partial(reference_maps, model, part, of_part, method, modalities)
                other = rates(make, len(of_part), turns)
                one_by_one = one_by_one or float(np.median(other))
                ratios = [np.median(own) / np.median(other), np.median(own) / one_by_one]
                cells = [spread(other), *(f"{ratio:.0f}" for ratio in ratios)]
            rows.append([method, str(len(of_part)), spread(own), *cells])
        if compared:
            few = {name: values[:8] for name, values in batch.items()}
            notes.append(f"{method} {largest_difference(evidence_maps, few, labels[:8]):.0e}")
    columns = ["method", "segments at once", "compiled, images/s", "tf-keras-vis, images/s", "times as fast"]
    columns.append("times tf-keras-vis one by one")
    return (
        f"Networks {run.config.audio_backbone} and {run.config.visual_backbone}, frames of "
        f"{dataset.spec.frame_size} px. An image is a segment: the map of its frame and the map of its "
        "spectrogram, as tf-keras-vis makes them in two calls. "
        f"Median of {turns} turns (lowest to highest).\n\n{table(columns, rows)}\n"
        f"Largest difference of the maps, of their largest value: {', '.join(notes)}. tf-keras-vis' Score-CAM "
        "takes no spectrogram without a channel axis and masks all inputs at once.\n"
    )


def main() -> None:
    """Measures all, or one part, and writes a section for each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run_dir", default="", help="a finished run; --part=spearman does without")
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--part", choices=("spearman", "features", "gradcam", "all"), default="all")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="show the sections instead of writing them")
    arguments = parser.parse_args()
    parts: dict[str, tuple[str, Callable[[], str]]] = {"spearman": ("Spearman of all features", spearman_part)}
    if arguments.part != "spearman":
        if not arguments.run_dir:
            parser.error("--run_dir is needed for all parts but --part=spearman")
        _, trained_on = read_config(arguments.run_dir)
        dataset = dataset_of(arguments.run_dir, trained_on, arguments.data_dir)
        run = load_run(arguments.run_dir)
        parts["features"] = "Features", functools.partial(features_part, run.model, dataset, arguments.turns)
        parts["gradcam"] = "Maps", functools.partial(gradcam_part, run, dataset, arguments.turns)
    head = f"## `avinst analyze`\n\n`python benchmarks/analyze.py --run_dir=RUN`; {machine_line()}."
    measured = {name: (title, functools.partial(with_load, measure)) for name, (title, measure) in parts.items()}
    only = None if arguments.part == "all" else arguments.part
    measure_parts("analyze", head, measured, only, (lambda *_: None) if arguments.print else write_section)


def with_load(measure: Callable[[], str]) -> str:
    """Far above the number of cores, other work ran beside, and the figures are to be measured again."""
    return f"{measure()}\nLoad average at the end: {os.getloadavg()[0]:.1f}."


if __name__ == "__main__":
    main()
