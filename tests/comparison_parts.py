"""Runs in memory to be compared: features with or without something shared, chosen by a plain importance."""

import dataclasses

import numpy as np

from analysis.comparison.result import ComparedPart, ComparedRun
from analysis.features import Features
from analysis.importance import Importance


def recordings_of(audio, visual, labels, names=None):
    """Recordings with these features and true labels, bool [recordings, labels]."""
    n = len(labels)
    return Features(
        names or tuple(f"label{number}" for number in range(labels.shape[1])),
        bool((labels.sum(axis=1) > 1).any()),
        np.array([f"video{row:04d}" for row in range(n)]),
        np.full(n, -1),
        labels,
        np.zeros(labels.shape, np.float32),
        np.zeros(labels.shape, np.float32),
        audio,
        visual,
    )


def run_of(audio, visual, labels, name="one", scheme="joint", names=None, count=None):
    """A run whose importance chooses its first features first."""
    recordings = recordings_of(audio, visual, labels, names)
    names = recordings.label_names
    values = {
        modality: np.tile(np.arange(table.shape[1], 0, -1.0), (len(names), 1))
        for modality, table in recordings.modalities().items()
    }
    chosen_by = Importance(names, count or dict.fromkeys(names, 9), values)
    return ComparedRun(name, scheme, (ComparedPart(recordings, chosen_by),))


def changed(run, **values):
    """The run with another recordings or chosen_by."""
    return dataclasses.replace(run, parts=(dataclasses.replace(run.parts[0], **values),))


def one_of(number, labels):
    """bool [number, labels]: one label each, in turn."""
    return np.eye(labels, dtype=bool)[np.arange(number) % labels]


def planted(generator, number, shared, audio=4, visual=5):
    """Audio and visual features, related within each; `shared`: correlation of what is behind them."""
    common = generator.normal(size=(number, 1))
    behind = [
        np.sqrt(shared) * common + np.sqrt(1 - shared) * generator.normal(size=(number, 1)) for _ in range(2)
    ]
    return [
        source + 0.7 * generator.normal(size=(number, count))
        for source, count in zip(behind, (audio, visual), strict=True)
    ]


def pair(shared, number=120, labels=3, seed=0):
    """A joint and an independent run over the same recordings of one label each, with `shared` as in `planted`."""
    generator = np.random.default_rng(seed)
    bears = one_of(number, labels)
    names = (("bound", "joint"), ("apart", "independent"))
    return [
        run_of(*planted(generator, number, value), bears, name, scheme)
        for value, (name, scheme) in zip(shared, names, strict=True)
    ]


def halved(run):
    """The run with its recordings in two halves."""
    rows = np.arange(len(run.parts[0].recordings))
    halves = [rows[rows % 6 < 3], rows[rows % 6 >= 3]]
    parts = [dataclasses.replace(run.parts[0], recordings=run.parts[0].recordings.rows(half)) for half in halves]
    return dataclasses.replace(run, parts=tuple(parts))
