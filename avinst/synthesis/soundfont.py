"""A SoundFont as a bank of sampled instruments: renders single notes, in tune.

After the SoundFont 2.04 specification: presets are made of zones, each of an instrument, instruments of zones,
each of a sample; generators of both levels add up. Filters, modulators, low-frequency oscillators and effects are
left out: what identifies an instrument is in its samples.
"""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

DRUM_BANK = 128

# Generator numbers, section 8.1.2 of the specification.
_LOOP_START, _LOOP_END, _LOOP_START_COARSE, _LOOP_END_COARSE = 2, 3, 45, 50
_DELAY, _ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE = 33, 34, 35, 36, 37, 38
_INSTRUMENT, _KEY_RANGE, _VELOCITY_RANGE, _ATTENUATION = 41, 43, 44, 48
_COARSE_TUNE, _FINE_TUNE, _SAMPLE, _LOOP_MODE, _SCALE_TUNING, _ROOT_KEY = 51, 52, 53, 54, 56, 58
_SHORTEST_TIMECENTS = -12_000
_INSTRUMENT_DEFAULTS = {_SCALE_TUNING: 100, _ROOT_KEY: -1} | dict.fromkeys(
    (_DELAY, _ATTACK, _HOLD, _DECAY, _RELEASE), _SHORTEST_TIMECENTS
)
_ENVELOPE_FLOOR_DB = 100.0  # decay and release are times for this change

Generators = Mapping[int, int]


@dataclasses.dataclass(frozen=True)
class SoundFont:
    """The chunks of a SoundFont file, as NumPy arrays; make it with `soundfont_file.load_soundfont`."""

    samples: np.ndarray
    presets: np.ndarray
    preset_bags: np.ndarray
    preset_generators: np.ndarray
    instruments: np.ndarray
    instrument_bags: np.ndarray
    instrument_generators: np.ndarray
    sample_headers: np.ndarray

    def note(
        self, program: int, pitch: int, velocity: int, seconds: float, sample_rate_hz: int, bank: int = 0
    ) -> np.ndarray:
        """One note with its release.

        Args:
            program: General MIDI program, 0 to 127; with `bank=DRUM_BANK` the drum kit.
            pitch: MIDI note number, 69 is 440 Hz; in a drum kit the number of the drum.
            velocity: 1 to 127.
            seconds: from the key's going down to its going up.
            sample_rate_hz: of the result.
            bank: of the preset.

        Returns:
            float32 [samples], mono, about within [-1, 1].

        Raises:
            ValueError: no such preset.
        """
        zones = list(self._zones(bank, program, pitch, velocity))
        if not zones and bank != DRUM_BANK:
            # TimGM6mb's saxophone has no zone for one key: the next key's samples, tuned to this one.
            zones = list(self._zones(bank, program, pitch + 1, velocity))
        parts = [self._render(generators, pitch, velocity, seconds, sample_rate_hz) for generators in zones]
        length = max((len(part) for part in parts), default=0)
        mixed = np.zeros(length, np.float32)
        for part in parts:
            mixed[: len(part)] += part
        return mixed

    def _zones(self, bank: int, program: int, pitch: int, velocity: int) -> Iterator[Generators]:
        """The generators of every sample that this key sounds; those of the preset are added on."""
        found = np.flatnonzero((self.presets["bank"] == bank) & (self.presets["program"] == program))
        if not len(found):
            raise ValueError(f"the SoundFont has no preset of bank {bank}, program {program}")
        preset_zones = _zones_of(
            self.presets, self.preset_bags, self.preset_generators, int(found[0]), _INSTRUMENT
        )
        for preset in preset_zones:
            if not _sounds(preset, pitch, velocity):
                continue
            instrument_zones = _zones_of(
                self.instruments,
                self.instrument_bags,
                self.instrument_generators,
                preset[_INSTRUMENT],
                _SAMPLE,
            )
            for instrument in instrument_zones:
                if _sounds(instrument, pitch, velocity):
                    added = {
                        number: amount
                        for number, amount in preset.items()
                        if number not in (_INSTRUMENT, _KEY_RANGE, _VELOCITY_RANGE)
                    }
                    own = {**_INSTRUMENT_DEFAULTS, **instrument}
                    yield {number: own.get(number, 0) + added.get(number, 0) for number in {*own, *added}}

    def _render(
        self, generators: Generators, pitch: int, velocity: int, seconds: float, sample_rate_hz: int
    ) -> np.ndarray:
        header = self.sample_headers[generators[_SAMPLE]]
        root_key = generators[_ROOT_KEY] if generators[_ROOT_KEY] >= 0 else int(header["root_key"])
        cents = (pitch - root_key) * generators[_SCALE_TUNING] + int(header["cents"])
        cents += 100 * generators.get(_COARSE_TUNE, 0) + generators.get(_FINE_TUNE, 0)
        step = 2 ** (cents / 1200) * float(header["rate"]) / sample_rate_hz
        length = round((seconds + min(_seconds(generators[_RELEASE]), 0.5)) * sample_rate_hz)
        position = np.arange(length) * step
        start, end = int(header["start"]), int(header["end"])
        if generators.get(_LOOP_MODE, 0) & 1:
            loop_start = int(header["loop_start"]) - start + generators.get(_LOOP_START, 0)
            loop_end = int(header["loop_end"]) - start + generators.get(_LOOP_END, 0)
            loop_start += 32_768 * generators.get(_LOOP_START_COARSE, 0)
            loop_end += 32_768 * generators.get(_LOOP_END_COARSE, 0)
            wrapped = loop_start + np.mod(position - loop_start, max(loop_end - loop_start, 1))
            position = np.where(position < loop_end, position, wrapped)
        else:
            position = position[position < end - start - 1]
        left = position.astype(np.int64)
        fraction = (position - left).astype(np.float32)
        data = self.samples[start : min(end + 2, len(self.samples))].astype(np.float32) / 32_768
        left = np.minimum(left, len(data) - 2)
        wave = data[left] * (1 - fraction) + data[left + 1] * fraction
        level_db = -0.1 * generators.get(_ATTENUATION, 0) + 40 * np.log10(velocity / 127)
        envelope = _envelope(generators, len(wave), seconds, sample_rate_hz)
        return np.asarray(wave * envelope * np.float32(10 ** (level_db / 20)), np.float32)


def _zones_of(
    headers: np.ndarray, bags: np.ndarray, generators: np.ndarray, index: int, needed: int
) -> Iterator[dict[int, int]]:
    """The zones of a preset or an instrument; a first zone without `needed` is global: defaults for the others."""
    shared: dict[int, int] = {}
    for bag in range(int(headers[index]["bag"]), int(headers[index + 1]["bag"])):
        rows = generators[int(bags[bag]["generator"]) : int(bags[bag + 1]["generator"])]
        zone = dict(zip(rows["operator"].tolist(), rows["amount"].tolist(), strict=True))
        if needed in zone:
            yield {**shared, **zone}
        elif not shared:
            shared = zone


def _sounds(zone: Generators, pitch: int, velocity: int) -> bool:
    for number, value in ((_KEY_RANGE, pitch), (_VELOCITY_RANGE, velocity)):
        packed = zone.get(number, 0x7F00) & 0xFFFF  # low byte: lowest, high byte: highest
        if not (packed & 0xFF) <= value <= (packed >> 8):
            return False
    return True


def _seconds(timecents: int) -> float:
    return float(2 ** (timecents / 1200))


def _envelope(generators: Generators, length: int, seconds: float, sample_rate_hz: int) -> np.ndarray:
    """The volume envelope: linear attack, then decay to the sustain level and release, both linear in dB."""
    time = np.arange(length, dtype=np.float32) / np.float32(sample_rate_hz)
    attack_end = _seconds(generators[_DELAY]) + _seconds(generators[_ATTACK])
    decay_start = attack_end + _seconds(generators[_HOLD])
    sustain_db = min(max(0.1 * generators.get(_SUSTAIN, 0), 0.0), _ENVELOPE_FLOOR_DB)
    fall = _ENVELOPE_FLOOR_DB / _seconds(generators[_DECAY])
    down_db = np.clip((time - decay_start) * fall, 0, sustain_db)
    # The shortest release would click; 20 ms for the whole fall does not.
    release = max(_seconds(generators[_RELEASE]), 0.02)
    down_db = down_db + np.maximum(time - seconds, 0) * _ENVELOPE_FLOOR_DB / release
    rise = np.clip((time - _seconds(generators[_DELAY])) / _seconds(generators[_ATTACK]), 0, 1)
    return np.asarray(rise * np.exp(-down_db * (np.log(10.0) / 20)), np.float32)
