"""What docs/scale.md says was measured: each number with its command."""

import statistics

from scale_steps import Measured
from scale_words import count, number, size, table


def measured_table(measured: Measured) -> str:
    """Machine, days, and a row for each number with the command that gave it, as Markdown."""
    rows: list[list[str]] = []

    def add(name: str, what: str, value: str) -> None:
        rows.append([what, value, f"`{measured[name]['command']}`"])

    for name in sorted(name for name in measured if name.startswith("media_")):
        values = measured[name]
        costs = values["cpu_seconds_per_media_second"]
        height = values["height"]
        add(
            name,
            f"CPU to prepare a second of video, {height} lines",
            f"{1000 * statistics.median(costs):.1f} ms ({1000 * min(costs):.1f} to {1000 * max(costs):.1f})",
        )
        add(name, f"a segment's example, frame of {values['frame_size']} px", size(values["bytes_per_segment"]))
        add(name, f"a second of that video, {height} lines", size(values["media_bytes_per_second"]))
    for name in sorted(name for name in measured if name.startswith("models_")):
        for scheme, values in measured[name]["schemes"].items():
            frame = "" if scheme == "audio" else f", frame of {name.removeprefix('models_')} px"
            add(name, f"CPU of an example, {scheme}{frame}: training", f"{values['training_cpu_seconds']:.3f} s")
            add(name, f"CPU of an example, {scheme}{frame}: inference", f"{values['inference_cpu_seconds']:.3f} s")
    for name in sorted(
        (name for name in measured if name.startswith("launcher_")), key=lambda n: measured[n]["rows"]
    ):
        add(
            name,
            f"launching process, {count(measured[name]['rows'])} rows: peak",
            f"{number(measured[name]['peak_mb'])} MB",
        )
        add(
            name,
            "its CPU, manifest to pipeline",
            f"{number(sum(s['cpu_seconds'] for s in measured[name]['stages'].values()))} s",
        )
        add(name, "the job's graph, of shards of 16", size(measured[name]["request_bytes"]))
        add(name, "the plan: its rows in a file", size(measured[name]["plan_bytes"]))
    for name in sorted(name for name in measured if name.startswith("finishing_")):
        values = measured[name]
        add(
            name,
            f"reading {count(values['records'])} records on a local disk",
            f"{number(values['cpu_seconds'])} s of CPU, peak {number(values['peak_mb'])} MB",
        )
    for name in ("records_4", "records_64"):
        add(name, f"a record of {measured[name]['videos']} recordings", size(measured[name]["record_bytes"]))
    machines = sorted({values["machine"] for values in measured.values()})
    days = sorted(values["day"] for values in measured.values())
    text = (
        f"On {days[0]}"
        + (f" to {days[-1]}" if days[-1] != days[0] else "")
        + "; "
        + " / ".join(machines)
        + ".\n\n"
    )
    return text + table(["what", "value", "command"], rows)
