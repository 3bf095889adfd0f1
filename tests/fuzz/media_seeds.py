"""Good media files to begin from: every container that avinst opens and PyAV can write, a few kB each."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from media_factory import Recipe, tone, write_media

SMALL = Recipe(seconds=2.2, fps=Fraction(5), size=(32, 24), rate=16_000)
GOP = {"g": "4", "threads": "1"}
COUNTED = {"time_base": Fraction(1, 5)}  # codecs that know no finer times
MPEG2 = {"video_codec": "mpeg2video", "audio_codec": "mp2", "fps": Fraction(25), "time_base": Fraction(1, 25)}
SEEDS: dict[str, dict[str, object]] = {
    "plain.mp4": {"video_options": GOP, "container_options": {"movflags": "faststart"}},
    "index_last.mov": {"video_options": GOP, "video_codec": "mpeg4", **COUNTED},
    "fragments.mp4": {"video_options": GOP, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "late_sound.mp4": {"video_options": GOP, "audio_start": 0.4},
    "plain.mkv": {"video_options": GOP},
    "uneven.mkv": {"frame_times": [0.0, 0.1, 0.5, 0.55, 1.2, 1.25, 1.9, 2.1], "video_options": GOP},
    "vp8.webm": {"video_codec": "libvpx", "audio_codec": "libopus", "rate": 48_000},
    "plain.ts": {"video_options": GOP},
    "mpeg2.ts": MPEG2,
    "mpeg2.mpg": {**MPEG2, "rate": 44_100},
    "plain.avi": {"video_codec": "mpeg4", "audio_codec": "libmp3lame", **COUNTED},
    "mjpeg.avi": {"video_codec": "mjpeg", "audio_codec": "pcm_s16le", "pixel_format": "yuvj420p", **COUNTED},
    "plain.flv": {"video_codec": "flv1", "audio_codec": "libmp3lame", "rate": 44_100},
    "plain.asf": {"video_codec": "mpeg4", "audio_codec": "libmp3lame", "rate": 44_100, **COUNTED},
    "vp8.ogg": {"video_codec": "libvpx", "audio_codec": "libopus", "rate": 48_000, "format": "ogg"},
    "png.mov": {"video_codec": "png", "audio_codec": "pcm_s16le", "pixel_format": "rgb24"},
    "sound_only.mp4": {"no_picture": True},
    "picture_only.mkv": {"no_sound": True, "video_options": GOP},
    "six_channels.mkv": {"layout": "5.1", "audio_codec": "ac3", "rate": 48_000, "video_options": GOP},
}


def write_seeds(folder: Path) -> dict[str, bytes]:
    """Writes what this build of FFmpeg can; name to content. Two more are no containers of avinst: WAV and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = {}
    for name, changes in SEEDS.items():
        sound = {"sound": tone(440.0, SMALL.seconds, int(changes.get("rate", SMALL.rate)), 6)}  # type: ignore[call-overload]
        try:
            path = write_media(folder / name, SMALL, **changes, **(sound if "layout" in changes else {}))
        except (ValueError, OSError):  # the encoder is not there; what av raises is one of these
            continue
        seeds[name] = Path(path).read_bytes()
    seeds["sound.wav"] = (
        b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\x08\0\0" + bytes(2048)
    )
    seeds["noise.bin"] = np.random.default_rng(0).bytes(2048)
    return seeds
