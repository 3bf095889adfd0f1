"""What docs/scale.md assumes and nothing here can measure: sizes, machines and prices, each a flag."""

import argparse
import dataclasses
from typing import Any


def parameter(default: Any, text: str) -> Any:
    """A field with its explanation."""
    return dataclasses.field(default=default, metadata={"text": text})


@dataclasses.dataclass(frozen=True)
class Parameters:
    """All of them; a field's meaning stands in its metadata. Tuples have a value for each number of videos."""

    videos: tuple[int, ...] = parameter((5_000, 1_000_000, 100_000_000), "recordings")
    mean_seconds: float = parameter(60.0, "mean length of a recording")
    kept_seconds: float = parameter(
        60.0, "of which the manifest's `start_seconds` and `end_seconds` name so many: one segment each"
    )
    height: int = parameter(360, "lines of the picture: 360 or 720, as measured")
    frame_size: int = parameter(299, "pixels of a stored frame: as measured")
    videos_per_shard: tuple[int, ...] = parameter((16, 64, 1024), "`prepare --videos_per_shard`")
    vcpus: tuple[int, ...] = parameter((16, 1_000, 4_000), "vCPUs at work at once")
    machine_vcpus: int = parameter(96, "vCPUs of the one machine that trains and analyzes, where that is fewer")
    vcpu_factor: float = parameter(1.0, "what a vCPU does of a core here: ASSUMED")
    memory_gb_per_vcpu: float = parameter(4.0, "of the machine type; n2-standard")
    disk_gb_per_vcpu: float = parameter(10.0, "persistent disk")
    epochs: int = parameter(10, "`train --epochs`, the default")
    gpu_factor: float = parameter(100.0, "cores here that train as fast as one GPU: ASSUMED, measure yours")
    gpus: int = parameter(8, "GPUs of the one machine that trains")
    request_ms: float = parameter(40.0, "time of a small request to Cloud Storage: ASSUMED")
    dataflow_vcpu_hour: float = parameter(0.056, "USD; Dataflow batch, a vCPU for an hour")
    dataflow_gb_hour: float = parameter(0.003557, "USD; Dataflow batch, a GB of memory for an hour")
    disk_gb_hour: float = parameter(0.000054, "USD; Dataflow, a GB of standard persistent disk for an hour")
    vertex_vcpu_hour: float = parameter(
        0.055, "USD; Vertex AI custom training, a vCPU of an n1 or n2 with its memory"
    )
    vertex_gpu_hour: float = parameter(
        4.41, "USD; Vertex AI custom training, a GPU with its part of an a2-highgpu"
    )
    storage_gb_month: float = parameter(0.020, "USD; Cloud Storage, standard class, one region")
    writes_10k: float = parameter(0.05, "USD; Cloud Storage, 10,000 operations of class A (write, list, copy)")
    reads_10k: float = parameter(0.004, "USD; Cloud Storage, 10,000 operations of class B (read, look at)")
    egress_gb: float = parameter(0.12, "USD; a GB that leaves the region, as results downloaded do")

    @property
    def segments_per_video(self) -> float:
        """Of one second each."""
        return min(self.kept_seconds, self.mean_seconds)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for each parameter; tuples take numbers with commas between."""
    for field in dataclasses.fields(Parameters):
        default: Any = field.default
        kind = type(default[0] if isinstance(default, tuple) else default)
        read = (lambda text, kind=kind: tuple(map(kind, text.split(",")))) if isinstance(default, tuple) else kind
        parser.add_argument(f"--{field.name}", type=read, default=default, help=field.metadata["text"])


def from_flags(arguments: argparse.Namespace) -> Parameters:
    """The parameters that the flags say."""
    names = [field.name for field in dataclasses.fields(Parameters)]
    return Parameters(**{name: getattr(arguments, name) for name in names})
