"""The messages between a decoder and its child: JSON and raw bytes, each with its length in front.

No pickle: the child has read other people's files, so nothing that it sends may run anything.
"""

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from avinst.media.types import DECODE, DecodeLimits, Loss, MediaError, Segment
from avinst.spec import DatasetSpec

_HEADER = struct.Struct("<II")  # bytes of JSON, raw bytes
MAX_MESSAGE_BYTES = 256 * 2**20  # 256 MB: far above any segment; more means that the child talks nonsense

Message = tuple[dict[str, Any], bytes]


class ProtocolError(Exception):
    """What came over the pipe is no message."""


def pack(fields: dict[str, Any], raw: bytes = b"") -> bytes:
    """A message as bytes."""
    text = json.dumps(fields).encode()
    return _HEADER.pack(len(text), len(raw)) + text + raw


def unpack(read: Callable[[int], bytes]) -> Message:
    """Reads one message; `read(count)` gives exactly that many bytes or raises.

    Raises:
        ProtocolError: a length or the JSON makes no sense.
    """
    text_bytes, raw_bytes = _HEADER.unpack(read(_HEADER.size))
    if text_bytes + raw_bytes > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"a message of {text_bytes + raw_bytes} bytes")
    text, raw = read(text_bytes), read(raw_bytes)
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise ProtocolError(f"no JSON: {text[:40]!r}") from error
    if not isinstance(fields, dict):
        raise ProtocolError(f"no JSON object: {text[:40]!r}")
    return fields, raw


def request(path: str, spec: DatasetSpec, start_seconds: float, end_seconds: float) -> bytes:
    """What the parent asks for; the path may hold any bytes that a file name can (surrogate escapes)."""
    end = None if end_seconds == math.inf else end_seconds
    return pack({"path": path, "spec": spec.to_json(), "start_seconds": start_seconds, "end_seconds": end})


def parse_request(fields: dict[str, Any]) -> tuple[str, DatasetSpec, float, float]:
    """The inverse of `request`: path, spec, start and end in seconds."""
    end = math.inf if fields["end_seconds"] is None else fields["end_seconds"]
    return fields["path"], DatasetSpec.from_json(fields["spec"]), fields["start_seconds"], end


def pack_part(part: Segment | Loss) -> bytes:
    """A part of the answer."""
    if isinstance(part, Loss):
        loss = {"segment": part.segment, "stage": part.stage, "reason": part.reason, "detail": part.detail}
        return pack({"kind": "loss", **loss})
    samples = part.waveform.astype("<f4").tobytes()
    fields = {"kind": "segment", "index": part.index, "start_seconds": part.start_seconds}
    return pack({**fields, "waveform_bytes": len(samples)}, samples + part.jpeg)


def pack_error(error: MediaError) -> bytes:
    """The end of an answer that failed."""
    return pack({"kind": "error", "stage": error.stage, "reason": error.reason, "detail": error.detail})


def pack_failure(error: Exception, limits: DecodeLimits, stage: str, reason: str) -> bytes:
    """The end of an answer that failed for whatever reason: each costs one file and is told in one line.

    Args:
        error: what was raised.
        limits: of the child, whose memory may be what was not enough.
        stage: where an OSError arose.
        reason: what an OSError means there.
    """
    if isinstance(error, MediaError):
        return pack_error(error)
    if isinstance(error, MemoryError):
        detail = f"more than {limits.memory_bytes / 2**30:.2g} GiB of memory"
        return pack_error(MediaError(DECODE, "out_of_memory", detail))
    if not isinstance(error, OSError):  # a defect of ours, on a strange file
        stage, reason = DECODE, "internal_error"
    return pack_error(MediaError(stage, reason, f"{type(error).__name__}: {error}"))


def parse_part(fields: dict[str, Any], raw: bytes) -> Segment | Loss:
    """The inverse of `pack_part`.

    Raises:
        MediaError: the message is one of `pack_error`.
        ProtocolError: it is something else.
    """
    try:
        kind = fields["kind"]
        if kind == "segment":
            cut = fields["waveform_bytes"]
            waveform = np.frombuffer(raw[:cut], "<f4").astype(np.float32)
            return Segment(fields["index"], fields["start_seconds"], waveform, raw[cut:])
        if kind == "loss":
            return Loss(fields["segment"], fields["stage"], fields["reason"], fields["detail"])
        if kind == "error":
            raise MediaError(fields["stage"], fields["reason"], fields["detail"])
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"a message that lacks {error}") from error
    raise ProtocolError(f"a message of kind {kind!r}")


def limits_argument(limits: DecodeLimits) -> str:
    """The limits as the child's one command line argument."""
    return json.dumps(vars(limits))


def parse_limits(argument: str) -> DecodeLimits:
    """The inverse of `limits_argument`."""
    return DecodeLimits(**json.loads(argument))
