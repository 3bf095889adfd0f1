"""How far a training on two replicas is from the same one on one, against what rounding alone does.

    python benchmarks/replicas.py --data_dir=DATASET

The same batches, steps and seed on one virtual CPU, on two, and on one again with weights that begin 1e-7 of
themselves elsewhere, as far as float32 rounds. Writes its section of docs/benchmarks.md.
"""

import argparse

from measuring import machine_line, table, write_section

from avinst.quiet import import_tensorflow_quietly

import_tensorflow_quietly()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from avinst.dataset import Dataset, load_dataset  # noqa: E402
from trainer.config import TrainConfig  # noqa: E402
from trainer.devices import synchronize_batch_norm, use_virtual_cpus  # noqa: E402
from trainer.inputs.pipeline import training_examples  # noqa: E402
from trainer.models import build_model  # noqa: E402
from trainer.optimization import compile_for_training  # noqa: E402
from trainer.remedies import fitted_network  # noqa: E402

CONFIG = TrainConfig(
    scheme="joint",
    audio_backbone="small_cnn",
    visual_backbone="small_cnn",
    augment=False,
    dropout=0.0,
    clip_norm=1.0,
)
STEPS = (1, 2, 4, 8, 16, 32, 64, 128)
ROUNDING = 1e-7


def trained(dataset: Dataset, replicas: int, perturbation: float = 0.0) -> dict[int, tuple[np.ndarray, float]]:
    """After so many steps: all trained weights in one row, and the loss so far.

    Args:
        dataset: what is trained on.
        replicas: how many of the virtual CPUs.
        perturbation: standard deviation of what the first weights are moved by, as a share of themselves.
    """
    keras.utils.set_random_seed(CONFIG.seed)
    devices = [device.name for device in tf.config.list_logical_devices("CPU")[:replicas]]
    strategy = tf.distribute.MirroredStrategy(devices, cross_device_ops=tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        network = build_model(CONFIG.scheme, CONFIG, dataset)
        synchronize_batch_norm(network, replicas)
        model = fitted_network(network, CONFIG, CONFIG.scheme)
        compile_for_training(model, CONFIG, max(STEPS), multi_label=dataset.multi_label)
    generator = np.random.default_rng(1)
    for weight in model.trainable_variables:
        factors = 1 + perturbation * generator.standard_normal(weight.shape)
        weight.assign((weight.numpy() * factors).astype(np.float32))
    model.make_train_function()
    batches = iter(strategy.experimental_distribute_dataset(training_examples(dataset, CONFIG)))
    found = {}
    for step in range(1, max(STEPS) + 1):
        loss = float(model.train_function(batches)["loss"])
        if step in STEPS:
            found[step] = np.concatenate([np.ravel(weight) for weight in model.trainable_variables]), loss
    return found


def main() -> None:
    """Trains four times, compares, writes the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True)
    arguments = parser.parse_args()
    use_virtual_cpus(2)
    dataset = load_dataset(arguments.data_dir)
    one = trained(dataset, 1)
    others = {
        "one again": trained(dataset, 1),
        "two replicas": trained(dataset, 2),
        "one, moved by 1e-7": trained(dataset, 1, ROUNDING),
    }
    rows = []
    for step, (weights, loss) in one.items():
        apart = [np.linalg.norm(other[step][0] - weights) / np.linalg.norm(weights) for other in others.values()]
        rows.append(
            [str(step), *(f"{value:.1e}" for value in apart), f"{others['two replicas'][step][1] - loss:+.1e}"]
        )
    text = (
        "## Two replicas and one\n\n"
        "`python benchmarks/replicas.py --data_dir=DATASET`: joint training of two small CNNs in batches of "
        f"{CONFIG.batch_size}, no augmentation, no dropout, `--clip_norm=1`, on virtual CPUs. The distance of all "
        "trained weights from those on one replica, as a share of their norm. Two replicas add up in another "
        "order, so they round otherwise; what many steps make of that is shown by one replica whose first weights "
        "are moved by as little.\n\n"
        + table(["steps", *others, "two replicas: difference of the loss"], rows)
        + f"\n{machine_line()}\n"
    )
    write_section("replicas", text)
    print(text)


if __name__ == "__main__":
    main()
