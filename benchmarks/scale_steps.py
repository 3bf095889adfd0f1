"""What each step costs for a number of videos: CPU, time, bytes, files and dollars."""

import dataclasses
import statistics
from typing import Any

from scale_parameters import Parameters

from avinst.splits import DEFAULT_SHARES

Measured = dict[str, Any]
# Requests of the launching process for a shard: is its record there, read it, is its file there, how large.
REQUESTS_A_RECORD = 4
# A shard's two files, each written under another name and copied; deletions are free.
WRITES_A_SHARD = 4
FEATURES = 1024 + 2048


@dataclasses.dataclass(frozen=True)
class Step:
    """A step's cost.

    Attributes:
        name: of the command or the scheme.
        vcpu_hours: work.
        wall_hours: with the machines of the parameters.
        dollars: by what is paid for.
        gpu_hours: the same work on GPUs, where that is an alternative.
        gpu_wall_hours: with the GPUs of the parameters.
        gpu_dollars: in all.
    """

    name: str
    vcpu_hours: float
    wall_hours: float
    dollars: dict[str, float]
    gpu_hours: float | None = None
    gpu_wall_hours: float | None = None
    gpu_dollars: float | None = None


@dataclasses.dataclass(frozen=True)
class Scale:
    """One number of videos, and what goes with it.

    Attributes:
        videos: recordings.
        videos_per_shard: on average.
        vcpus: at work at once.
        measured: benchmarks/scale_measured.json.
        given: the parameters.
    """

    videos: int
    videos_per_shard: int
    vcpus: int
    measured: Measured
    given: Parameters

    @property
    def segments(self) -> float:
        """Examples in all."""
        return self.videos * self.given.segments_per_video

    @property
    def shards(self) -> int:
        """TFRecord files, and as many records."""
        return -(-self.videos // self.videos_per_shard)

    @property
    def media(self) -> Measured:
        """Measurements of a second of video."""
        return dict(self.measured[f"media_{self.given.height}"])

    @property
    def models(self) -> dict[str, Measured]:
        """Measurements of the schemes."""
        return dict(self.measured[f"models_{self.given.frame_size}"]["schemes"])

    @property
    def dataset_bytes(self) -> float:
        """TFRecord files."""
        return self.segments * float(self.media["bytes_per_segment"])

    @property
    def record_bytes(self) -> float:
        """Records of the shards: a part that each has, and one for each recording."""
        return self.shards * fixed_record_bytes(self.measured) + self.videos * bytes_a_recording(self.measured)

    @property
    def tail(self) -> float:
        """Time of the whole / time if work could be divided at will, where the simulation has it; else 1."""
        layout = (
            self.measured.get(f"layout_{self.videos}", {}).get("layouts", {}).get(str(self.videos_per_shard), {})
        )
        return float(layout.get("tail", {}).get(str(self.vcpus), 1.0))

    def prepare(self) -> Step:
        """Videos to a dataset, on Dataflow."""
        return self._beam("prepare", self._decoding_hours(), self.shards * WRITES_A_SHARD)

    def predict(self) -> Step:
        """Every segment through the exported model, on Dataflow."""
        hours = self.segments * self.models["joint"]["inference_cpu_seconds"] / 3600 / self.given.vcpu_factor
        return self._beam("predict", self._decoding_hours() + hours, self.shards * WRITES_A_SHARD)

    def train(self, scheme: str) -> Step:
        """`joint`, or `independent`: both networks and one pass of both splits for the features of the head.

        After each epoch the validation split passes the networks that are trained.
        """
        networks = ["joint"] if scheme == "joint" else ["audio", "visual"]
        training = sum(self.models[name]["training_cpu_seconds"] for name in networks)
        validating = sum(self.models[name]["inference_cpu_seconds"] for name in networks)
        train, validation = DEFAULT_SHARES["train"], DEFAULT_SHARES["validation"]
        an_epoch = train * training + validation * validating
        features = (train + validation) * self.models["joint"]["inference_cpu_seconds"]
        once = 0.0 if scheme == "joint" else features
        hours = self.segments * (self.given.epochs * an_epoch + once) / 3600 / self.given.vcpu_factor
        return self._vertex(f"train, {scheme}", hours)

    def analyze(self) -> Step:
        """The features of the test split; correlations come to seconds beside them."""
        examples = self.segments * DEFAULT_SHARES["test"]
        hours = examples * self.models["joint"]["inference_cpu_seconds"] / 3600 / self.given.vcpu_factor
        return self._vertex("analyze, features", hours)

    def steps(self) -> list[Step]:
        """All of them in order."""
        return [self.prepare(), self.train("independent"), self.train("joint"), self.predict(), self.analyze()]

    def _decoding_hours(self) -> float:
        a_second = statistics.median(self.media["cpu_seconds_per_media_second"])
        return self.segments * a_second / 3600 / self.given.vcpu_factor

    def _beam(self, name: str, hours: float, writes: float) -> Step:
        given = self.given
        # A worker asks whether a shard is done; the launching process reads for the progress and at the end.
        reads = self.videos + self.shards * (1 + 2 * REQUESTS_A_RECORD)
        machine = given.memory_gb_per_vcpu * given.dataflow_gb_hour + given.disk_gb_per_vcpu * given.disk_gb_hour
        dollars = {
            "machines": hours * (given.dataflow_vcpu_hour + machine),
            "requests": writes / 1e4 * given.writes_10k + reads / 1e4 * given.reads_10k,
        }
        return Step(name, hours, hours / self.vcpus * self.tail, dollars)

    def _vertex(self, name: str, hours: float) -> Step:
        gpu_hours = hours * self.given.vcpu_factor / self.given.gpu_factor
        return Step(
            name,
            hours,
            hours / min(self.vcpus, self.given.machine_vcpus),
            {"machines": hours * self.given.vertex_vcpu_hour},
            gpu_hours,
            gpu_hours / self.given.gpus,
            gpu_hours * self.given.vertex_gpu_hour,
        )


def scales(measured: Measured, given: Parameters) -> list[Scale]:
    """One for each number of videos."""
    rows = zip(given.videos, given.videos_per_shard, given.vcpus, strict=True)
    return [Scale(videos, per_shard, vcpus, measured, given) for videos, per_shard, vcpus in rows]


def bytes_a_shard(measured: Measured) -> float:
    """Of a shard's name and place in the job's graph and in the shuffle."""
    small, large = measured["launcher_100000"], measured["launcher_1000000"]
    shards = large["rows"] / large["videos_per_shard"] - small["rows"] / small["videos_per_shard"]
    return float((large["request_bytes"] - small["request_bytes"]) / shards)


def plan_bytes_a_row(measured: Measured) -> float:
    """Of a manifest row in the plan file."""
    large = measured["launcher_1000000"]
    return float(large["plan_bytes"] / large["rows"])


def memory_a_row(measured: Measured) -> float:
    """Bytes of the launching process' peak for each manifest row."""
    small, large = measured["launcher_100000"], measured["launcher_1000000"]
    return float((large["peak_mb"] - small["peak_mb"]) * 2**20 / (large["rows"] - small["rows"]))


def bytes_a_recording(measured: Measured) -> float:
    """Of a recording in its shard's record, from records of different numbers of recordings."""
    few, many = measured["records_4"], measured["records_64"]
    return float((many["record_bytes"] - few["record_bytes"]) / (many["videos"] - few["videos"]))


def fixed_record_bytes(measured: Measured) -> float:
    """Of a record without its recordings."""
    few = measured["records_4"]
    return float(few["record_bytes"] - few["videos"] * bytes_a_recording(measured))
