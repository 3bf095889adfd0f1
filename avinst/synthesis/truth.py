"""The truth about a synthetic performance: label, notes, and where in each frame the instrument is drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from avinst.synthesis.scene import Scene


def truth_of(scene: Scene, frames_per_second: int, frame_times: Sequence[float]) -> dict[str, Any]:
    """The truth about a video, as `instruments_drawn.json` holds it.

    Args:
        scene: what is drawn and played.
        frames_per_second: of the video.
        frame_times: the second at which each frame is shown.

    Returns:
        `label`, `frames_per_second`, `boxes` (of each frame, left, top, right and bottom of the instrument,
        relative to width and height), `accompaniment`, `snr_db`, and `notes` (start and length in seconds, MIDI
        number).
    """
    performance = scene.performance
    return {
        "label": performance.instrument,
        "frames_per_second": frames_per_second,
        "boxes": [[round(side, 4) for side in scene.box(time)] for time in frame_times],
        "accompaniment": performance.accompaniment,
        "snr_db": round(performance.snr_db, 2),
        "notes": [
            [round(note.start_seconds, 3), round(note.seconds, 3), note.pitch] for note in performance.notes
        ],
    }


def regions_csv(truths: Mapping[str, Mapping[str, Any]]) -> str:
    """Where the instrument is in the frame at the middle of each second, as `avinst analyze --regions` takes it.

    Args:
        truths: video id to what `truth_of` gives.
    """
    lines = ["video_id,seconds,left,top,right,bottom"]
    for video_id, truth in truths.items():
        rate, boxes = truth["frames_per_second"], truth["boxes"]
        for first in range(0, len(boxes) - rate // 2, rate):
            box = boxes[first + rate // 2]
            lines.append(",".join([video_id, f"{first / rate + 0.5:g}", *(f"{side:g}" for side in box)]))
    return "\n".join(lines) + "\n"
