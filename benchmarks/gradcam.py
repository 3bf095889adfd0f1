"""What maps of the evidence cost: images a second of the compiled pass against tf-keras-vis, alone and in batches.

    python benchmarks/gradcam.py --run_dir=RUN

Takes a finished run and writes its section of docs/benchmarks.md; wants an idle machine. An image here is a
segment: the map of its frame and the map of its spectrogram.
"""

import argparse
import time
from collections.abc import Callable

from measuring import machine_line, spread, table, write_section

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

import numpy as np  # noqa: E402

from analysis.gradcam import METHODS, EvidenceMaps  # noqa: E402
from analysis.gradcam_reference import largest_difference, tf_keras_vis_maps  # noqa: E402
from trainer.input_pipeline import keyed_examples  # noqa: E402
from trainer.run import dataset_of, load_run, read_config  # noqa: E402

BATCH_SIZES = (1, 8, 64)


def rates(make: Callable[[], object], images: int, turns: int) -> list[float]:
    """Images a second, turn by turn, after a first call that compiles."""
    make()
    found = []
    for _ in range(turns):
        began = time.perf_counter()
        make()
        found.append(images / (time.perf_counter() - began))
    return found


def gradcam_part(run_dir: str, data_dir: str, turns: int) -> str:
    """The table, and how far the maps are from tf-keras-vis'."""
    _, trained_on = read_config(run_dir)
    dataset = dataset_of(run_dir, trained_on, data_dir)
    model = load_run(run_dir).model
    examples = next(iter(keyed_examples(dataset, "test", max(BATCH_SIZES))))
    batch = {tensor.name: np.asarray(examples[tensor.name]) for tensor in model.inputs}
    labels = np.asarray(examples["label"]).argmax(axis=1)
    rows, notes = [], []
    for method in METHODS:
        evidence_maps = EvidenceMaps(model, method)
        for size in BATCH_SIZES:
            part, of_part = {name: values[:size] for name, values in batch.items()}, labels[:size]

            def compiled(part: dict[str, np.ndarray] = part, of_part: np.ndarray = of_part) -> object:
                return evidence_maps(part, of_part)  # noqa: B023, called before the next method

            def reference(part: dict[str, np.ndarray] = part, of_part: np.ndarray = of_part) -> object:
                return [
                    tf_keras_vis_maps(model, part, of_part, modality, method)  # noqa: B023
                    for modality in evidence_maps.modalities  # noqa: B023
                ]

            own, other = rates(compiled, len(of_part), turns), rates(reference, len(of_part), turns)
            ratio = float(np.median(own) / np.median(other))
            rows.append([method, str(len(of_part)), spread(own), spread(other), f"{ratio:.0f}"])
        few = {name: values[:8] for name, values in batch.items()}
        notes.append(f"{method} {largest_difference(evidence_maps, few, labels[:8]):.0e}")
    columns = ["method", "segments at once", "compiled, images/s", "tf-keras-vis, images/s", "times as fast"]
    size = dataset.spec.frame_size
    return (
        f"## Maps of the evidence\n\n`python benchmarks/gradcam.py`: frames of {size} px, median of {turns} "
        f"(lowest to highest); {machine_line()}.\n\n{table(columns, rows)}\n"
        f"Largest difference of the maps, of their largest value: {', '.join(notes)}.\n"
    )


def main() -> None:
    """Measures and writes the section; `--print` shows it instead."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run_dir", required=True)
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--print", action="store_true", help="show the section instead of writing it")
    arguments = parser.parse_args()
    text = gradcam_part(arguments.run_dir, arguments.data_dir, arguments.turns)
    if arguments.print:
        print(text)
    else:
        write_section("gradcam", text)


if __name__ == "__main__":
    main()
