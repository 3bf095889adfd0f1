"""What `avinst predict` costs for many videos, beside what has to be done anyway: decoding, and the network.

    python benchmarks/predict.py --run_dir=RUN --manifest=manifest.csv --media_root=VIDEOS

Takes a finished, exported run and writes its section of docs/benchmarks.md; wants an idle machine.
"""

import argparse
import contextlib
import logging
import os
import queue
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from measuring import machine_line, spread, table, write_section

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from avinst.log_mel import log_mel  # noqa: E402
from avinst.machine import available_cores  # noqa: E402
from avinst.manifests.rows import ManifestRow  # noqa: E402
from avinst.media.decoder import Decoder  # noqa: E402
from avinst.schema import as_stored, decode_jpegs  # noqa: E402
from avinst.spec import DatasetSpec  # noqa: E402
from beam_pipelines.detector import shared_detector  # noqa: E402
from beam_pipelines.exports import newest_export  # noqa: E402
from beam_pipelines.predicting import PredictConfig, predict_rows  # noqa: E402
from beam_pipelines.row_segments import segments_of  # noqa: E402
from beam_pipelines.rows_to_predict import rows_of_manifest  # noqa: E402
from trainer.run import load_run  # noqa: E402

BATCH_SIZE = 32


def decode(rows: Sequence[ManifestRow], media_root: str, spec: DatasetSpec) -> int:
    """Decodes all videos with a thread and a child a core, as the job does, and keeps nothing; the segments."""
    waiting: queue.SimpleQueue[ManifestRow] = queue.SimpleQueue()
    for row in rows:
        waiting.put(row)
    found = []

    def work() -> None:
        with Decoder() as decoder, contextlib.suppress(queue.Empty):
            while True:
                found.append(
                    sum(1 for _ in segments_of(waiting.get_nowait(), spec, media_root, decoder, lambda *_: None))
                )

    threads = [threading.Thread(target=work) for _ in range(available_cores())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(found)


def prepared(rows: Sequence[ManifestRow], media_root: str, spec: DatasetSpec) -> dict[str, np.ndarray]:
    """What the network takes, of all segments, in memory."""
    log_mels, frames = [], []
    with Decoder() as decoder:
        for row in rows:
            for segment in segments_of(row, spec, media_root, decoder, lambda *_: None):
                log_mels.append(as_stored(log_mel(tf.constant(segment.waveform[None]), spec)).numpy()[0])
                frames.append(decode_jpegs(tf.constant([segment.jpeg]), spec).numpy()[0])
    return {"log_mel": np.stack(log_mels), "frame": np.stack(frames)}


def main() -> None:
    """Measures in turns and writes the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run_dir", required=True)
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--media_root", required=True)
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    rows, media_root = rows_of_manifest(arguments.manifest, arguments.media_root)
    rows = rows[:: max(1, len(rows) // arguments.videos)][: arguments.videos]
    run = load_run(arguments.run_dir)
    model_dir = os.path.abspath(newest_export(arguments.run_dir))  # noqa: PTH100
    detector = shared_detector(model_dir)
    tensors = prepared(rows, media_root, detector.spec)
    inputs = [tensors[source.name] for source in run.model.inputs]
    segments = len(inputs[0])
    seconds: dict[str, list[float]] = {"network": [], "decoding": [], "predict": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(arguments.turns + 1):
            config = PredictConfig(model_dir, media_root, str(Path(folder, str(turn))), batch_size=BATCH_SIZE)
            ways = {
                "network": lambda: run.model.predict(inputs, batch_size=BATCH_SIZE, verbose=0),
                "decoding": lambda: decode(rows, media_root, detector.spec),
                "predict": lambda config=config: predict_rows(config, rows),
            }
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                if turn:  # the first one traces
                    seconds[name].append(time.perf_counter() - began)
    apart = np.array(seconds["network"]) + np.array(seconds["decoding"])
    share = apart / np.array(seconds["predict"])
    titles = {
        "network": f"bare `model.predict` of prepared segments, batches of {BATCH_SIZE}",
        "decoding": "decoding the videos, a thread a core",
        "predict": "`avinst predict`: decoding, log-mel, network, files, Beam",
    }
    lines = [
        [titles[name], spread(taken), f"{segments / np.median(taken):.0f}"] for name, taken in seconds.items()
    ]
    text = (
        "## `avinst predict`\n\n"
        f"`python benchmarks/predict.py --run_dir=RUN --manifest=manifest.csv --media_root=VIDEOS`; "
        f"{machine_line()}.\n\n"
        f"{len(rows)} videos, {segments} segments of {detector.spec.frame_size} px, {run.config.precision}; the "
        f"model is loaded. Median of {arguments.turns} turns (lowest to highest). `avinst predict` does "
        f"{np.median(share):.2f} ({share.min():.2f} to {share.max():.2f}) of what network and decoding alone "
        "would, one after the other, in the same turn.\n\n" + table(["what", "s", "segments/s"], lines)
    )
    write_section("predict", text)


if __name__ == "__main__":
    main()
