"""One small study for all tests that look at what is made of it."""

import pytest


@pytest.fixture(scope="session")
def toy_study():
    from toy_models import toy_model
    from toy_study_parts import SETTINGS, toy_batches, toy_dataset

    from analysis.study import study_model

    return study_model(toy_model(), toy_dataset(), SETTINGS, toy_batches)


@pytest.fixture(scope="session")
def toy_pictures(toy_study):
    from analysis.pictures import draw_pictures

    return draw_pictures(toy_study)


@pytest.fixture(scope="session")
def toy_sounds(toy_study):
    from analysis.sounds import find_sounds

    return find_sounds(toy_study.exhibits, toy_study.dataset.spec, None)
