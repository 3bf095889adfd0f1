"""The sound of a media file as one mono line in time: every decoded frame at its own place, gaps silent.

Joined end to end, decoded samples would lose the stream's start offset and close up over lost packets.
"""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

# Containers round time stamps (Matroska to 1 ms): frames that lie this near to where the last one ended follow
# it without a seam. The shortest packet that may be lost is longer in all common codecs (10 ms and more).
SEAM_SECONDS = 0.005
# A decoder needs what came before to find its feet (AAC one packet, MP3 the bit reservoir, Opus 80 ms).
PREROLL_SECONDS = 1.0
_BLOCK = 8192  # samples that are resampled at a time: fewer calls, still a short buffer


class Sound:
    """Reads mono samples at the spec's rate, in order of time.

    Attributes:
        end_seconds: media time at which the sound ends, once the last packet was read; until then None.
        bad_packets: media times of packets that could not be decoded, seconds.
        overtaken_seconds: length of what was left out, for its place was taken by sound that came earlier.
    """

    def __init__(self, packets: Iterator[Any], stream: Any, zero: Fraction, origin: int, rate: int) -> None:
        """Prepares to read.

        Args:
            packets: the sound's packets.
            stream: the stream that they are of.
            zero: the file's start on the clock of its time stamps, seconds.
            origin: media time at which sample 0 lies, whole seconds.
            rate: the rate of the samples to read, Hz.
        """
        self.end_seconds: float | None = None
        self.bad_packets: list[float] = []
        self.overtaken_seconds = 0.0
        self._zero, self._origin, self._rate = zero, origin, rate
        self._packets, self._stream = packets, stream
        self._runs: deque[tuple[float, float]] = deque()  # where decoded sound lies, media time in seconds
        self._samples = _resampled(self._line(), rate)
        self._ready, self._first = np.zeros(0, np.float32), 0  # samples read ahead, and the first one's number

    def read(self, first: int, count: int) -> np.ndarray:
        """Samples from number `first` on, counted from the origin.

        Each call begins at or after the end of the last one, or at its last sample: where a segment takes no
        whole number of samples, rounding lets two of them share one.

        Returns:
            float32 [count], in [-1, 1]; zeros where there is no sound.
        """
        blocks, have = [self._ready], self._first + len(self._ready)
        while have < first + count:
            block = next(self._samples, None)
            if block is None:
                break
            blocks.append(block)
            have += len(block)
        samples = np.concatenate(blocks)[max(0, first - self._first) :]
        done = max(0, min(count, len(samples)) - 1)
        self._ready, self._first = samples[done:], first + done
        return np.clip(np.pad(samples[:count], (0, count - len(samples[:count]))), -1.0, 1.0)

    def reaches(self, seconds: float) -> bool:
        """Whether there is sound at or after a media time; reads on as far as needed."""
        while self.end_seconds is None and self._origin + (self._first + len(self._ready)) / self._rate < seconds:
            block = next(self._samples, None)
            if block is not None:
                self._ready = np.concatenate([self._ready, block])
        return self.end_seconds is None or self.end_seconds >= seconds

    def covered_seconds(self, start: float, end: float) -> float:
        """How much decoded sound lies between two media times, both already read; earlier ones are forgotten."""
        while self._runs and self._runs[0][1] <= start:
            self._runs.popleft()
        return sum(max(0.0, min(end, last) - max(start, first)) for first, last in self._runs)

    def _frames(self) -> Iterator[Any]:
        codec, unit = self._stream.codec_context, float(self._stream.time_base)
        begin = float(self._zero) + self._origin - PREROLL_SECONDS
        for packet in self._packets:
            stamp = packet.pts if packet.pts is not None else packet.dts
            seconds = None if stamp is None else stamp * unit
            if seconds is not None and seconds < begin:
                continue
            try:
                yield from codec.decode(packet)
            except av.error.MemoryError:
                raise
            except av.FFmpegError:
                self.bad_packets.append((seconds or 0.0) - float(self._zero))
        try:
            for frame in codec.decode(None):  # what the decoder has held back; PyAV gives its stamps no unit
                frame.time_base = frame.time_base or self._stream.time_base
                yield frame
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            return

    def _line(self) -> Iterator[tuple[int, np.ndarray]]:
        """(rate, float32 [samples]) at the stream's own rate, without gaps, from the origin on."""
        mixer, rate, position = MonoMixer(), 0, 0
        zero = float(self._zero) + self._origin
        for frame in self._frames():
            rate = rate or frame.sample_rate
            for seconds, samples in self._mixed(mixer, frame, rate):
                place = position
                if seconds is not None:
                    place = round((seconds - zero) * rate)
                    if abs(place - position) <= SEAM_SECONDS * rate and self._runs:
                        place = position
                # What was heard first stays: a frame that overlaps it gives only what comes after.
                # What lies before the origin was decoded for the decoder's sake only.
                self.overtaken_seconds += max(0, min(place + len(samples), position) - max(place, 0)) / rate
                samples = samples[max(0, position - place) :]
                place = max(place, position)
                if not len(samples):
                    continue
                for first in range(position, place, rate):
                    yield rate, np.zeros(min(rate, place - first), np.float32)
                position = place + len(samples)
                self._note_run(self._origin + place / rate, self._origin + position / rate)
                yield rate, samples
        self.end_seconds = self._runs[-1][1] if self._runs else 0.0

    def _mixed(self, mixer: "MonoMixer", frame: Any, rate: int) -> list[tuple[float | None, np.ndarray]]:
        try:
            return list(mixer.mix(frame, rate))
        except av.error.MemoryError:
            raise
        except av.FFmpegError:  # a damaged packet has made a frame that no mixer takes
            self.bad_packets.append(float(frame.time or 0.0) - float(self._zero))
            return []

    def _note_run(self, first: float, last: float) -> None:
        if self._runs and first - self._runs[-1][1] < 1e-6:
            first = self._runs.pop()[0]
        self._runs.append((first, last))


class MonoMixer:
    """Mixes frames of any layout and format down to mono at one rate; a change on the way is followed."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._kind: tuple[Any, ...] = ()

    def mix(self, frame: Any, rate: int) -> Iterator[tuple[float | None, np.ndarray]]:
        """(time stamp in seconds or None, float32 [samples]) of one frame, or of earlier ones that were due."""
        layout, kind = frame.layout.name, frame.format.name
        if kind == "fltp" and layout in ("mono", "stereo") and frame.sample_rate == rate:
            # What the mixer would give, for the commonest case, without its cost.
            planes = [np.frombuffer(plane, np.float32, frame.samples) for plane in frame.planes]
            mono = planes[0] if layout == "mono" else (planes[0] + planes[1]) * np.float32(0.5)
            yield (None if frame.pts is None else frame.pts * float(frame.time_base)), mono
            return
        key = (kind, layout, frame.sample_rate, frame.time_base)
        if key != self._kind:
            self._kind = ()
            # rematrix_maxval=1: the weights of the mixed channels add up to at most 1, so that it cannot clip.
            self._graph = _resample_graph(frame, f"osr={rate}:osf=flt:ochl=mono:rematrix_maxval=1")
            self._kind = key
        self._graph.push(frame)
        for mono in _pull(self._graph):
            yield (None if mono.pts is None else mono.pts * float(mono.time_base)), mono.to_ndarray()[0]


def _resample_graph(frame: Any, options: str) -> Any:
    graph = av.filter.Graph()
    graph.threads = 1  # a pool of threads would be set up for every file
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=frame.time_base
    )
    resampler, sink = graph.add("aresample", options), graph.add("abuffersink")
    source.link_to(resampler)
    resampler.link_to(sink)
    graph.configure()
    return graph


def _pull(graph: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _resampled(line: Iterator[tuple[int, np.ndarray]], rate: int) -> Iterator[np.ndarray]:
    """The line at another rate: sample k lies at k / rate seconds, without drift or delay."""
    graph, own_rate, pushed = None, rate, 0
    waiting: list[np.ndarray] = []
    count = 0

    def resample() -> Iterator[np.ndarray]:
        nonlocal graph, pushed, count
        frame = av.AudioFrame.from_ndarray(np.concatenate(waiting)[np.newaxis], format="flt", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = own_rate, Fraction(1, own_rate), pushed
        pushed, count = pushed + frame.samples, 0
        waiting.clear()
        graph = graph or _resample_graph(frame, f"osr={rate}")
        graph.push(frame)
        yield from (out.to_ndarray()[0] for out in _pull(graph))

    for own_rate, samples in line:
        if own_rate == rate:
            yield samples
            continue
        waiting.append(samples)
        count += len(samples)
        if count >= _BLOCK:
            yield from resample()
    if waiting:
        yield from resample()
    if graph:
        graph.push(None)
        yield from (out.to_ndarray()[0] for out in _pull(graph))
