"""Recordings with made features, for the tests of correlations."""

import numpy as np

from analysis.features import Features


def features_of(audio, visual, labels=None, names=("flute",), multi_label=False):
    """Recordings named video0000 and so on, all of the first label if nothing else is said."""
    n = len(audio if audio is not None else visual)
    labels = np.ones((n, len(names)), dtype=bool) if labels is None else labels
    return Features(
        label_names=names,
        multi_label=multi_label,
        video_id=np.array([f"video{row:04d}" for row in range(n)]),
        segment_index=np.full(n, -1),
        labels=labels,
        logits=np.zeros((n, len(names)), np.float32),
        probabilities=np.full((n, len(names)), 1 / len(names), np.float32),
        audio=audio,
        visual=visual,
    )


def everything(features):
    """All features as the chosen ones."""
    return {name: np.arange(values.shape[1]) for name, values in features.modalities().items()}
