import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from analysis.maps.removal import IMPUTATION_NOISE, baseline, imputed


def exactly_imputed(picture, removed):
    """Each removed value is the mean of its neighbours, direct ones weighing twice as much as diagonal ones."""
    height, width = removed.shape
    places = np.argwhere(removed)
    number = {tuple(place): row for row, place in enumerate(places)}
    entries, right = [], np.zeros((len(places), picture.shape[-1]))
    for row, (y, x) in enumerate(places):
        around = [
            (y + dy, x + dx, 1.0 if dy and dx else 2.0)
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if (dy or dx) and 0 <= y + dy < height and 0 <= x + dx < width
        ]
        entries.append((row, row, sum(weight for *_, weight in around)))
        for other_y, other_x, weight in around:
            if (other_y, other_x) in number:
                entries.append((row, number[other_y, other_x], -weight))
            else:
                right[row] += weight * picture[other_y, other_x]
    rows, columns, values = (np.array(part) for part in zip(*entries, strict=True))
    found = picture.astype(float).copy()
    solved = spsolve(coo_array((values, (rows.astype(int), columns.astype(int)))).tocsr(), right)
    found[removed] = solved.reshape(right.shape)
    return found


@pytest.mark.parametrize(("share", "bound"), [(0.1, 0.03), (0.5, 0.05), (0.9, 0.12)])
def test_imputation_solves_the_equations_of_road(share, bound):
    generator = np.random.default_rng(1)
    picture = 100 * gaussian_filter(generator.normal(size=(1, 33, 40, 2)), (0, 3, 3, 0)).astype(np.float32)
    field = gaussian_filter(generator.normal(size=(1, 33, 40)), (0, 4, 4))
    removed = field > np.quantile(field, 1 - share)
    found = imputed(picture, removed, generator)
    expected = exactly_imputed(picture[0], removed[0])
    difference = np.abs(found[0] - expected)[removed[0]].mean() / picture.std()
    assert difference < bound  # of the standard deviation; the noise alone is 0.008, measured 0.01 to 0.07
    mean_filled = np.abs(picture[0][~removed[0]].mean(axis=0) - expected)[removed[0]].mean() / picture.std()
    assert difference < mean_filled / 3
    np.testing.assert_array_equal(found[~removed], picture[~removed])


def test_imputation_adds_noise_of_a_hundredth_to_what_is_removed():
    generator = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0, 200, 64, dtype=np.float32)[:, np.newaxis, np.newaxis], (1, 1, 64, 1))
    removed = np.zeros((1, 64, 64), bool)
    removed[:, 20:44, 20:44] = True
    residual = (imputed(ramp, removed, generator) - ramp)[removed]
    # A ramp is its own imputation; 576 values: the deviation is known to 3 %.
    assert residual.std() == pytest.approx(IMPUTATION_NOISE * ramp.std(), rel=0.2)


def test_baselines():
    log_mel = np.zeros((2, 6, 4), np.float32)
    assert (baseline("audio", log_mel, -41.5) == -41.5).all()
    frame = np.random.default_rng(0).integers(0, 256, (1, 40, 40, 3)).astype(np.uint8)
    frame[..., 0] //= 2
    blurred = baseline("visual", frame, -41.5)
    np.testing.assert_allclose(blurred.mean(axis=(1, 2)), frame.mean(axis=(1, 2)), rtol=0.05)  # colours stay
    assert (blurred.std(axis=(1, 2)) < 0.15 * frame.std(axis=(1, 2))).all()  # noise of single pixels does not
