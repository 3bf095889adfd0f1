"""The sound of an explained video: the packets of the source, unchanged, at their own times."""

import math
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from avinst.media.sound import SEAM_SECONDS

# What every player expects in an MP4. Other codecs are decoded and stored as FLAC, without loss.
COPIED = ("aac", "mp3", "ac3", "eac3", "opus", "alac", "flac")
_NAMES = {"mp3float": "mp3", "libopus": "opus", "ac3_fixed": "ac3", "aac_fixed": "aac"}
# A decoder needs what came before to find its feet; the edit list of the file tells players to skip it.
_LEAD_SECONDS = 0.1


def sound_track(
    packets: Iterator[Any], stream: Any, output: Any, zero: Fraction, start_seconds: Fraction, end_seconds: float
) -> "CopiedSound | StoredSound":
    """The way in which a sound stream goes into an MP4 file.

    Args:
        packets: of the sound.
        stream: the stream that they are of.
        output: av.OutputContainer, MP4.
        zero: the file's start on the clock of its time stamps, seconds.
        start_seconds: media time that becomes 0.
        end_seconds: media time from which on no packet begins.
    """
    name = stream.codec_context.name
    kind = CopiedSound if _NAMES.get(name, name) in COPIED else StoredSound
    return kind(packets, stream, output, zero + start_seconds, end_seconds - float(start_seconds))


class _Track:
    """What both ways share.

    Attributes:
        seconds: time of the output up to which it is written; inf at the end.
        end_seconds: where the last sound written so far ends.
        how: what became of the sound, in words.
    """

    how = ""

    def __init__(self, packets: Iterator[Any], stream: Any, origin: Fraction, length_seconds: float) -> None:
        self._packets, self._stream = packets, stream
        self._origin, self._length = origin, length_seconds
        self.seconds = self.end_seconds = 0.0


class CopiedSound(_Track):
    """Copies packets as they are; their time stamps are counted in samples, so that none is rounded off."""

    def __init__(
        self, packets: Iterator[Any], stream: Any, output: Any, origin: Fraction, length_seconds: float
    ) -> None:
        super().__init__(packets, stream, origin, length_seconds)
        self._rate = stream.codec_context.sample_rate
        self._output, self._track = output, output.add_stream_from_template(stream)
        self._next: int | None = None  # sample at which the next packet follows without a seam
        self.how = f"copied ({_NAMES.get(stream.codec_context.name, stream.codec_context.name)})"

    def step(self) -> bool:
        """Writes a packet; False at the end."""
        for packet in self._packets:
            begin = self._place(packet)
            self._next = begin + self._samples(packet)
            self.seconds = begin / self._rate
            if self.seconds >= self._length:
                break
            if self._next / self._rate <= -_LEAD_SECONDS:
                continue
            packet.time_base = Fraction(1, self._rate)
            packet.pts = packet.dts = begin
            packet.duration = self._next - begin
            packet.stream = self._track
            self._output.mux(packet)
            self.end_seconds = self._next / self._rate
            return True
        self.seconds = math.inf
        return False

    def _place(self, packet: Any) -> int:
        """The packet's first sample on the output's clock: containers that round to milliseconds are mended."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return self._next or 0
        seconds = stamp * packet.time_base - self._origin
        place = round(seconds * self._rate)
        if self._next is not None:
            return self._next if abs(place - self._next) <= SEAM_SECONDS * self._rate else place
        skipped = _skipped_samples(packet)
        # What the decoder drops lies before the first sample that is heard.
        return -skipped if abs(place + skipped) <= packet.time_base * self._rate else place

    def _samples(self, packet: Any) -> int:
        samples = round((packet.duration or 0) * packet.time_base * self._rate)
        usual = self._stream.codec_context.frame_size
        return usual if usual and (not samples or abs(samples - usual) <= self._rate / 1000) else samples


class StoredSound(_Track):
    """Decodes what an MP4 cannot hold and stores it as FLAC: 16 bits where the source has no more, else 24."""

    def __init__(
        self, packets: Iterator[Any], stream: Any, output: Any, origin: Fraction, length_seconds: float
    ) -> None:
        super().__init__(packets, stream, origin, length_seconds)
        codec = stream.codec_context
        kind = "s16" if codec.format and codec.format.name in ("u8", "u8p", "s16", "s16p") else "s32"
        self._output = output
        self._track = output.add_stream("flac", rate=codec.sample_rate, layout=codec.layout.name)
        self._track.codec_context.format = kind
        self._track.codec_context.open()
        self._resampler = av.AudioResampler(
            format=kind,
            layout=codec.layout.name,
            rate=codec.sample_rate,
            frame_size=self._track.codec_context.frame_size,
        )
        self._frames = self._shifted_frames()
        self.how = f"stored as FLAC without loss (MP4 cannot hold {codec.name})"

    def step(self) -> bool:
        """Writes what comes of a frame; False at the end."""
        if self.seconds == math.inf:
            return False  # the encoder takes nothing after its end
        frame = next(self._frames, None)
        for ready in self._resampler.resample(frame):
            self._output.mux(self._track.encode(ready))
        if frame is None:
            self._output.mux(self._track.encode(None))
            self.seconds = math.inf
            return False
        self.seconds = float(frame.pts * frame.time_base)
        self.end_seconds = self.seconds + frame.samples / frame.sample_rate
        return True

    def _shifted_frames(self) -> Iterator[Any]:
        codec = self._stream.codec_context
        for packet in self._packets:
            try:
                frames = codec.decode(packet)
            except av.error.MemoryError:
                raise
            except av.FFmpegError:
                continue  # a damaged packet stays a gap
            for frame in frames:
                if frame.pts is None:
                    continue
                begin = round((frame.pts * frame.time_base - self._origin) * frame.sample_rate)
                if begin >= self._length * frame.sample_rate:
                    return
                if begin + frame.samples <= 0:
                    continue
                # What begins before the origin keeps its negative time: the file's edit list cuts it there.
                frame.time_base, frame.pts = Fraction(1, frame.sample_rate), begin
                yield frame


def _skipped_samples(packet: Any) -> int:
    """Samples that the decoder is told to drop at the beginning of what it makes of a packet."""
    for side_data in packet.iter_sidedata():
        if "SKIP_SAMPLES" in str(side_data.data_type).upper().replace(" ", "_"):
            return int(struct.unpack_from("<I", bytes(side_data))[0])
    return 0
