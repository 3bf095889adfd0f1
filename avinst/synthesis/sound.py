"""What a synthetic performance sounds like: a random phrase, an accompaniment and noise at a given SNR."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from avinst.synthesis.soundfont import DRUM_BANK, SoundFont

SAMPLE_RATE_HZ = 44_100
_MAJOR = (0, 2, 4, 5, 7, 9, 11)


@dataclasses.dataclass(frozen=True)
class Voice:
    """A sampled instrument and what it can play.

    Attributes:
        program: General MIDI program, 0 to 127.
        lowest: MIDI note number of the lowest note played.
        highest: of the highest.
        shortest_seconds: shortest time between two notes.
        longest_seconds: longest.
        drums: notes are drums of the kit (`_DRUM_KEYS`), not pitches.
    """

    program: int
    lowest: int
    highest: int
    shortest_seconds: float = 0.18
    longest_seconds: float = 0.5
    drums: bool = False


# What is labelled. The order decides which are taken when fewer are wanted.
VOICES = {
    "violin": Voice(40, 57, 93),
    "flute": Voice(73, 60, 93),
    "trumpet": Voice(56, 55, 84),
    "piano": Voice(0, 43, 88, 0.14, 0.45),
    "guitar": Voice(24, 43, 79, 0.14, 0.4),
    "drum_kit": Voice(0, 0, 0, 0.1, 0.3, drums=True),
    "accordion": Voice(21, 48, 72),  # higher up the SoundFont has it out of tune
    "harp": Voice(46, 45, 88, 0.12, 0.35),
    "saxophone": Voice(65, 49, 80),
    "xylophone": Voice(13, 65, 96, 0.1, 0.35),
}

# What accompanies: never an instrument that is labelled, so that a label is the whole truth.
ACCOMPANIMENTS = {
    "electric piano": Voice(4, 45, 79),
    "vibraphone": Voice(11, 53, 84),
    "church organ": Voice(19, 48, 76),
    "electric bass": Voice(33, 31, 52),
    "cello": Voice(42, 38, 67),
    "string ensemble": Voice(48, 48, 79),
    "choir": Voice(52, 50, 76),
    "French horn": Voice(60, 43, 70),
    "oboe": Voice(68, 60, 86),
    "clarinet": Voice(71, 52, 86),
    "pan flute": Voice(75, 60, 88),
    "banjo": Voice(105, 50, 79, 0.12, 0.4),
}

_DRUM_KEYS = (36, 38, 40, 41, 42, 42, 45, 46, 48, 49, 51)  # bass drum, snares, toms, hi-hats, cymbals


@dataclasses.dataclass(frozen=True)
class Note:
    """One note of a phrase: start and length in seconds, MIDI note number, velocity 1 to 127."""

    start_seconds: float
    seconds: float
    pitch: int
    velocity: int


def random_phrase(voice: Voice, seconds: float, rng: np.random.Generator) -> list[Note]:
    """A phrase that wanders through a major scale of the voice's range; it begins within the first 0.1 s.

    Args:
        voice: who plays.
        seconds: length of the performance; the last note ends there.
        rng: decides tempo, scale, notes and velocities.
    """
    beat = rng.uniform(voice.shortest_seconds, voice.longest_seconds)
    tonic = int(rng.integers(12))
    scale = [p for p in range(voice.lowest, voice.highest + 1) if (p - tonic) % 12 in _MAJOR]
    position = int(rng.integers(len(scale))) if scale else 0
    notes = []
    start = rng.uniform(0.0, 0.1)
    while start < seconds - 0.05:
        length = beat * rng.choice([1, 1, 1, 2])
        if voice.drums:
            pitch = int(rng.choice(_DRUM_KEYS))
        else:
            pitch = scale[position]
            position += int(rng.choice([-3, -2, -1, -1, 1, 1, 2, 3]))
            position = abs(position) if position < len(scale) else 2 * (len(scale) - 1) - position
        sounding = min(length * rng.uniform(0.75, 0.95), seconds - start)
        notes.append(Note(float(start), float(sounding), pitch, int(rng.integers(70, 121))))
        start += length
    return notes


def render_phrase(notes: Sequence[Note], voice: Voice, seconds: float, soundfont: SoundFont) -> np.ndarray:
    """The phrase played: float32 [samples] at `SAMPLE_RATE_HZ`, mono, as long as `seconds`, not normalised."""
    sound = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
    for note in notes:
        played = soundfont.note(
            voice.program,
            note.pitch,
            note.velocity,
            note.seconds,
            SAMPLE_RATE_HZ,
            bank=DRUM_BANK if voice.drums else 0,
        )
        first = round(note.start_seconds * SAMPLE_RATE_HZ)
        played = played[: len(sound) - first]
        sound[first : first + len(played)] += played
    return sound


def colored_noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise between white (0 dB an octave) and brown (-6 dB an octave): float32 [samples], of no set power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.arange(len(spectrum), dtype=np.float64)
    frequency[0] = 1.0
    # Level below 1/200 of the band, else brown noise is all rumble below what instruments play.
    shape = np.maximum(frequency, len(spectrum) / 200) ** -rng.uniform(0.0, 1.0)
    return np.fft.irfft(spectrum * shape, samples).astype(np.float32)


def power_db(sound: np.ndarray) -> float:
    """Mean power, dB; digital silence gives -200."""
    return float(10 * np.log10(max(np.mean(np.square(sound, dtype=np.float64)), 1e-20)))


def mix_at_snr(melody: np.ndarray, background: np.ndarray, snr_db: float) -> np.ndarray:
    """Melody plus background, scaled so that the melody's power exceeds the background's by `snr_db`.

    Args:
        melody: float32 [samples].
        background: float32 [samples]; one of digital silence stays silent.
        snr_db: 10 log10 of the ratio of the mean powers, dB.

    Returns:
        float32 [samples], not normalised.
    """
    gain_db = power_db(melody) - power_db(background) - snr_db
    return np.asarray(melody + background * np.float32(10 ** (gain_db / 20)), np.float32)


@dataclasses.dataclass(frozen=True)
class Performance:
    """A performance to be played.

    Attributes:
        instrument: key of `VOICES`.
        notes: the melody.
        accompaniment: key of `ACCOMPANIMENTS`.
        accompaniment_notes: what it plays.
        snr_db: the melody's power over that of accompaniment and noise, dB.
        accompaniment_over_noise_db: the accompaniment's power over the noise's, dB.
        peak: largest absolute value of the sound, at most 1.
        noise_seed: decides the noise.
        seconds: length.
    """

    instrument: str
    notes: tuple[Note, ...]
    accompaniment: str
    accompaniment_notes: tuple[Note, ...]
    snr_db: float
    accompaniment_over_noise_db: float
    peak: float
    noise_seed: int
    seconds: float


def random_performance(instrument: str, seconds: float, rng: np.random.Generator) -> Performance:
    """A performance of `instrument`, a key of `VOICES`; all else is decided by `rng`."""
    accompaniment = str(rng.choice(list(ACCOMPANIMENTS)))
    return Performance(
        instrument=instrument,
        notes=tuple(random_phrase(VOICES[instrument], seconds, rng)),
        accompaniment=accompaniment,
        accompaniment_notes=tuple(random_phrase(ACCOMPANIMENTS[accompaniment], seconds, rng)),
        # Measured, 8 instruments, 42 training videos each: a small Xception has 0.71 of the test segments right;
        # with -6 to 12 dB it has 0.56.
        snr_db=float(rng.uniform(-3.0, 15.0)),
        accompaniment_over_noise_db=float(rng.uniform(3.0, 15.0)),
        peak=float(rng.uniform(0.3, 0.9)),
        noise_seed=int(rng.integers(2**32)),
        seconds=seconds,
    )


def play(performance: Performance, soundfont: SoundFont) -> np.ndarray:
    """The performance's sound: float32 [samples] in [-1, 1], mono at `SAMPLE_RATE_HZ`."""
    seconds = performance.seconds
    melody = render_phrase(performance.notes, VOICES[performance.instrument], seconds, soundfont)
    accompaniment = render_phrase(
        performance.accompaniment_notes, ACCOMPANIMENTS[performance.accompaniment], seconds, soundfont
    )
    noise = colored_noise(len(melody), np.random.default_rng(performance.noise_seed))
    background = mix_at_snr(accompaniment, noise, performance.accompaniment_over_noise_db)
    mixed = mix_at_snr(melody, background, performance.snr_db)
    loudest = max(float(np.max(np.abs(mixed))), 1e-9)
    return np.asarray(mixed * np.float32(performance.peak / loudest), np.float32)
