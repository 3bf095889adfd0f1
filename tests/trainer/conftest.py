import dataclasses

import pytest
from dataset_factory import write_dataset

from trainer.config import TrainConfig

SMALL = TrainConfig(
    scheme="independent",
    audio_backbone="small_cnn",
    visual_backbone="small_cnn",
    epochs=4,
    fusion_epochs=5,
    batch_size=8,
)


@pytest.fixture(scope="session")
def small_config():
    return SMALL


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="session")
def independent_run_dir(dataset, tmp_path_factory):
    from trainer.schemes import train

    run_dir = str(tmp_path_factory.mktemp("runs") / "independent")
    train(run_dir, dataset.data_dir, SMALL)
    return run_dir


@pytest.fixture(scope="session")
def independent_run(independent_run_dir):
    from trainer.run import load_run

    return load_run(independent_run_dir)


@pytest.fixture
def untrained_run(dataset, tmp_path):
    """Makes a finished run of a scheme whose weights are as they were drawn."""
    import keras

    from trainer.models import build_model
    from trainer.run import MODEL_FILE, load_run, open_run

    def make(scheme, dataset=dataset, **settings):
        run_dir = tmp_path / f"untrained-{scheme}"
        config = dataclasses.replace(SMALL, scheme=scheme, **settings)
        open_run(str(run_dir), config, dataset)
        # Of some seeds the network is so sure of a label that nothing changes its probabilities.
        keras.utils.set_random_seed(1)
        build_model(scheme, config, dataset).save(run_dir / MODEL_FILE)
        return load_run(str(run_dir))

    return make
