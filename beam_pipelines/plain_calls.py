"""`avinst prepare` and `avinst predict --output_dir` as plain calls, their flags as keyword arguments."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from avinst.dataset import Dataset
from avinst.errors import UserError
from avinst.keyword_settings import by_kind
from avinst.manifests.rows import SPLITS
from avinst.media.types import DecodeLimits
from avinst.paths import StrPath
from avinst.quiet import import_tensorflow_quietly
from avinst.spec import DatasetSpec
from beam_pipelines.prediction_set import PredictionSet
from beam_pipelines.preparing import PrepareConfig, prepare_dataset
from beam_pipelines.rows_to_predict import rows_of_manifest, rows_of_videos


def prepare_videos(
    manifest: StrPath,
    data_dir: StrPath,
    *,
    media_root: StrPath = "",
    beam_flags: Sequence[str] = (),
    **settings: Any,
) -> Dataset:
    """Turns the videos of a manifest into a dataset; called again it goes on where it was.

    Args:
        manifest: a CSV or JSONL file.
        data_dir: the dataset directory to be made.
        media_root: the folder that the manifest's paths are relative to; empty: the manifest's own.
        beam_flags: flags for Beam, such as `--runner=DataflowRunner`; none: threads of this process.
        settings: fields of `beam_pipelines.PrepareConfig`, of `avinst.DatasetSpec` (`frame_size=96`, ...) and of
            `avinst.DecodeLimits`. `shares` may be three numbers, as those of the flag.

    Returns:
        The finished dataset.

    Raises:
        UserError: no such setting, bad manifest, folders or flags, another process at work in the directory, a
            finished dataset of other settings there, or too many rejects.
    """
    manifest, data_dir, media_root = os.fspath(manifest), os.fspath(data_dir), os.fspath(media_root)
    if "shares" in settings:
        settings["shares"] = _shares(settings["shares"])
    config, spec, limits = by_kind(
        settings,
        [PrepareConfig, DatasetSpec, DecodeLimits],
        apart=["manifest", "data_dir", "media_root", "limits"],
    )
    return prepare_dataset(
        PrepareConfig(manifest, data_dir, media_root, **config, limits=DecodeLimits(**limits)),
        DatasetSpec(**spec),
        beam_flags,
    )


def _shares(given: Any) -> Mapping[str, float]:
    """The share of each split; three numbers are of the splits in their order."""
    if isinstance(given, Mapping):
        return given
    try:
        return dict(zip(SPLITS, map(float, given), strict=True))
    except (TypeError, ValueError):
        raise UserError(f"shares={given!r}; expected three numbers such as (0.7, 0.15, 0.15)") from None


def predict_videos(
    model_dir: StrPath,
    videos: StrPath | Sequence[StrPath],
    output_dir: StrPath,
    *,
    media_root: StrPath = "",
    beam_flags: Sequence[str] = (),
    **settings: Any,
) -> PredictionSet:
    """Asks a detector about many videos and writes what it says; called again it goes on where it was.

    Args:
        model_dir: an exported version directory, as `trainer.export_run` returns it.
        videos: a manifest (its name ends in .csv, .json or .jsonl), a folder, or a list of files.
        output_dir: the directory of the predictions to be made.
        media_root: the folder that a manifest's paths are relative to; empty: the manifest's own.
        beam_flags: as of `prepare_videos`.
        settings: fields of `beam_pipelines.PredictConfig` and of `avinst.DecodeLimits`.

    Returns:
        What was predicted, and the names of its files.

    Raises:
        UserError: no such setting, bad model, folders or flags, another process at work in the directory, or no
            recording that could be used.
    """
    model_dir, output_dir, media_root = os.fspath(model_dir), os.fspath(output_dir), os.fspath(media_root)
    import_tensorflow_quietly()
    from beam_pipelines.predicting import PredictConfig, predict_rows

    config, limits = by_kind(
        settings, [PredictConfig, DecodeLimits], apart=["model_dir", "media_root", "output_dir", "limits"]
    )
    files = [os.fspath(file) for file in ([videos] if isinstance(videos, str | os.PathLike) else videos)]
    if isinstance(videos, str | os.PathLike) and files[0].endswith((".csv", ".json", ".jsonl")):
        rows, root = rows_of_manifest(files[0], media_root)
    else:
        rows, root = rows_of_videos(files)
    return predict_rows(
        PredictConfig(model_dir, root, output_dir, **config, limits=DecodeLimits(**limits)), rows, beam_flags
    )
