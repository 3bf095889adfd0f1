"""What stands in the place of what is taken away from a spectrogram or a frame."""

import numpy as np
from scipy.ndimage import gaussian_filter

# Of the frame's size: shapes are gone, colours and brightness stay.
BLUR = 0.1
# Of the input's standard deviation: an exactly smooth patch would tell where something was taken away.
IMPUTATION_NOISE = 0.01
# At each scale; the mean distance to the exact solution is then 2 % of the input's standard deviation where half
# is removed, 6 % where nine tenths are.
_STEPS = 12
# Direct neighbours weigh 1/6, diagonal ones 1/12.
_STRAIGHT, _DIAGONAL = 2.0, 1.0


def baseline(modality: str, inputs: np.ndarray, log_mel_mean_db: float) -> np.ndarray:
    """What deletion ends with and insertion begins with, of the inputs' shape, float32.

    A spectrogram's is the training split's mean level everywhere: the network's own normalisation makes 0 of it.
    A frame's is the frame itself, blurred (as in RISE): a grey frame would be like none that the network has seen,
    and the edges of a grey patch would be new evidence.

    Args:
        modality: `audio` or `visual`.
        inputs: [n, frames, mels] in dB or [n, size, size, 3] in 0..255.
        log_mel_mean_db: of the training split.
    """
    if modality == "audio":
        return np.full(inputs.shape, log_mel_mean_db, np.float32)
    sigma = BLUR * inputs.shape[1]
    return gaussian_filter(inputs.astype(np.float32), (0, sigma, sigma, 0), mode="nearest")


def imputed(inputs: np.ndarray, removed: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Noisy linear imputation (ROAD): each removed value is the weighted mean of its eight neighbours, plus noise.

    Rong et al., "A consistent and efficient evaluation strategy for attribution methods" (2022): a patch of one
    value tells by its outline what was there; this leaves no outline. The equations are solved from coarse to
    fine, by some steps of conjugate gradients at each scale.

    Args:
        inputs: float [n, height, width, channels].
        removed: bool [n, height, width]; of each input something stays.
        generator: of the noise.
    """
    known = np.broadcast_to(~removed[..., np.newaxis], inputs.shape).astype(np.float32)
    filled = _filled(inputs.astype(np.float32) * known, known)
    noise = generator.standard_normal(inputs.shape).astype(np.float32)
    noise *= IMPUTATION_NOISE * inputs.std(axis=(1, 2, 3), keepdims=True)
    return filled + noise * (1 - known)


def _filled(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Values at each place: total / count where something is known, elsewhere as their neighbours are."""
    known = count > 0
    height, width = total.shape[1:3]
    values = np.divide(total, count, out=np.zeros_like(total), where=known)
    if min(height, width) == 1:
        mean = total.sum(axis=(1, 2), keepdims=True) / np.maximum(count.sum(axis=(1, 2), keepdims=True), 1)
        return np.where(known, values, mean)
    coarse = _filled(_pooled(total), _pooled(count))
    guess = coarse.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]
    return _conjugate_gradients(np.where(known, values, guess), ~known)


def _conjugate_gradients(start: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Some steps towards the values at the free places that are the weighted mean of their neighbours."""
    weights = _neighbour_sum(np.ones((1, *start.shape[1:3], 1), np.float32))
    found = start
    residual = free * (_neighbour_sum(found) - weights * found)
    direction, square = residual, np.sum(residual**2, axis=(1, 2), keepdims=True)
    for _ in range(_STEPS):
        image = free * (weights * direction - _neighbour_sum(direction))
        curvature = np.sum(direction * image, axis=(1, 2), keepdims=True)
        step = np.divide(square, curvature, out=np.zeros_like(square), where=curvature > 0)
        found = found + step * direction
        residual = residual - step * image
        before, square = square, np.sum(residual**2, axis=(1, 2), keepdims=True)
        direction = residual + np.divide(square, before, out=np.zeros_like(square), where=before > 0) * direction
    return found


def _pooled(values: np.ndarray) -> np.ndarray:
    """Sums of 2 x 2 places; an odd row or column at the end stands alone."""
    odd = [(0, size % 2) for size in values.shape[1:3]]
    padded = np.pad(values, ((0, 0), *odd, (0, 0)))
    return padded[:, ::2, ::2] + padded[:, 1::2, ::2] + padded[:, ::2, 1::2] + padded[:, 1::2, 1::2]


def _neighbour_sum(values: np.ndarray) -> np.ndarray:
    """Of the eight neighbours, weighted; beyond the border there are none."""
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    # The product of (1, 2, 1) along both axes weighs the place itself with 4.
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:] - 4 * values
