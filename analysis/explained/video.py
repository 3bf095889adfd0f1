"""Has an explained video drawn by a child process: the parent answers for the pages, FFmpeg works in the child."""

import dataclasses
import math

from analysis.explained.canvas import CanvasSize
from analysis.explained.page import Pages
from avinst.media import decoder_messages as messages
from avinst.media.child_process import ChildProcess
from avinst.media.types import DecodeLimits, MediaError
from avinst.progress import Progress

CHILD_MODULE = "analysis.explained.child"
_STALLED_SECONDS = 120.0  # a child that says nothing for so long hangs; it tells of every second of media


@dataclasses.dataclass(frozen=True)
class Drawn:
    """What was written.

    Attributes:
        frames: number of pictures.
        picture_seconds: where the picture ends.
        sound_seconds: where the sound ends.
        sound: what became of it, in words.
        video_codec: name of the encoder.
    """

    frames: int
    picture_seconds: float
    sound_seconds: float
    sound: str
    video_codec: str


def draw_video(
    pages: Pages,
    path: str,
    output: str,
    end_seconds: float = math.inf,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008  # frozen
) -> Drawn:
    """Writes the video once more, with the evidence over it.

    Args:
        pages: what to show; they begin where the output begins.
        path: the video, a local file.
        output: the MP4 file to write, local.
        end_seconds: media time at which to end.
        limits: what the file may hold, and the child's memory.

    Raises:
        MediaError: no picture comes out of it, the child has crashed, hangs or lacks memory.
    """
    explanation = pages.explanation
    last = explanation.seconds(len(explanation.rows)) - explanation.start_seconds
    progress = Progress("explaining: seconds", round(last))
    child = ChildProcess(CHILD_MODULE, limits)
    request = {
        "path": path,
        "output": output,
        "start_seconds": explanation.start_seconds,
        "end_seconds": None if end_seconds == math.inf else end_seconds,
    }
    try:
        child.ask(messages.pack(request))
        while True:
            fields, raw, _ = child.receive(_STALLED_SECONDS)
            kind = fields.pop("kind", None)
            if kind == "page":
                page = pages.at(fields.pop("seconds"), CanvasSize(**fields))
                child.send(messages.pack(*page.to_fields()))
            elif kind == "progress":
                progress.update(round(fields["seconds"] - explanation.start_seconds))
            elif kind == "done":
                progress.finish(round(last))
                return Drawn(**fields)
            else:
                messages.parse_part({"kind": kind, **fields}, raw)  # tells of an error by raising it
                raise messages.ProtocolError(f"a message of kind {kind!r}")
    except messages.ProtocolError as error:
        raise MediaError("decode", "crashed", f"the drawing process talks nonsense: {error}") from error
    finally:
        child.kill()
