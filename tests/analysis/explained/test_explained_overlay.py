"""Maps come to lie on the part of the picture that the model saw, whatever the way in which it became square."""

import numpy as np
import pytest
from PIL import Image

from analysis.explained.overlay import over_picture
from analysis.maps.receptive_field import cell_weights
from avinst.frames import scaled_size, to_square
from avinst.spec import DatasetSpec

SIZE = 64
CELLS = 8
CENTRES = (np.arange(CELLS) * 8 + 3.5, np.arange(CELLS) * 8 + 3.5)


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (200, 200)])
def test_the_evidence_for_a_spot_lies_on_the_spot(fit, width, height):
    """A white spot in the picture; a map that holds the frame's brightness must point back at it."""
    spec = DatasetSpec(frame_size=SIZE, frame_fit=fit)
    picture = np.zeros((height, width, 3), np.uint8)
    row, column = round(0.45 * height), round(0.56 * width)
    picture[row - 8 : row + 8, column - 8 : column + 8] = 255
    scaled = Image.fromarray(picture).resize(scaled_size(width, height, spec), Image.Resampling.BILINEAR)
    frame = to_square(np.asarray(scaled), spec)[..., 0].astype(np.float32)
    # Shared out among the neighbouring cells, which keeps the centre of gravity.
    shares = cell_weights(CENTRES[0], np.arange(SIZE))
    cells = shares.T @ frame @ shares
    evidence = over_picture(cells[np.newaxis], CENTRES, spec, width, height)[0]
    rows, columns = np.mgrid[:height, :width]
    found = (evidence * rows).sum() / evidence.sum(), (evidence * columns).sum() / evidence.sum()
    np.testing.assert_allclose(found, (row - 0.5, column - 0.5), atol=1.0)  # pixels; 0.6 measured


def test_what_was_cut_off_bears_no_evidence():
    spec = DatasetSpec(frame_size=SIZE, frame_fit="crop")
    evidence = over_picture(np.ones((1, CELLS, CELLS), np.float32), CENTRES, spec, 300, 100)[0]
    assert (evidence[:, 101:199] == 1).all()
    assert (evidence[:, :99] == 0).all()
    assert (evidence[:, 201:] == 0).all()


def test_stretched_and_padded_pictures_are_seen_whole():
    for fit in ("stretch", "pad"):
        spec = DatasetSpec(frame_size=SIZE, frame_fit=fit)
        assert (over_picture(np.ones((1, CELLS, CELLS), np.float32), CENTRES, spec, 300, 100) == 1).all()
