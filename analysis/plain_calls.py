"""`avinst analyze` and `avinst explain` as plain calls, their flags as keyword arguments."""

import math
import os
from typing import Any

from analysis.analyzing import Analysis, analyze
from analysis.correlations.correlation import CorrelationSettings
from analysis.correlations.cross_fitting import CROSS_FIT
from analysis.explained.explaining import Wanted, explain_file
from analysis.explained.outputs import check_outputs
from analysis.maps.evidence import EvidenceSettings
from analysis.maps.gradcam import METHOD_NAMES
from analysis.study import StudySettings
from avinst.errors import UserError
from avinst.keyword_settings import by_kind, check_choice
from avinst.manifests.rows import SPLITS
from avinst.paths import StrPath
from avinst.progress import tell
from trainer.run import Run, directory_of


def analyze_run(
    run: Run | StrPath,
    *,
    data_dir: StrPath = "",
    output_dir: StrPath = "",
    media_root: StrPath = "",
    manifest: StrPath = "",
    compare_to: StrPath = "",
    **settings: Any,
) -> Analysis:
    """Importance, correlations, Grad-CAM, TensorBoard and the report, as `avinst analyze` makes them.

    Args:
        run: a finished run, or its directory.
        data_dir: the dataset; empty: the one that the run was trained on.
        output_dir: where to write; empty: RUN/analysis.
        media_root: the folder of the recordings, whose sound the report plays; empty: it is made from the log-mel.
        manifest: of the recordings, where ids are not the files' paths without their extensions.
        compare_to: the directory of another run of the same dataset, to set its correlations beside this one's.
        settings: fields of `analysis.StudySettings`, `analysis.CorrelationSettings` and
            `analysis.EvidenceSettings`: `split="test"`, `permutations=1000`, ...

    Returns:
        What was found, and where the report and the files are.

    Raises:
        UserError: no such setting, no finished run, no dataset or one unlike the run's, a split without segments,
            or files that cannot be read or written.
    """
    check_choice("gradcam_method", settings.get("gradcam_method", "gradcam"), list(METHOD_NAMES))
    study, correlation, evidence = by_kind(
        settings, [StudySettings, CorrelationSettings, EvidenceSettings], apart=["correlation", "evidence"]
    )
    check_choice("selection_split", study.get("selection_split", "validation"), [*SPLITS, CROSS_FIT])
    return analyze(
        directory_of(run),
        os.fspath(data_dir),
        os.fspath(output_dir),
        StudySettings(
            **study, correlation=CorrelationSettings(**correlation), evidence=EvidenceSettings(**evidence)
        ),
        lambda line: tell(f"analyze: {line}"),
        media_root=os.fspath(media_root),
        manifest=os.fspath(manifest),
        compare_to=os.fspath(compare_to),
    )


def write_explained_video(
    run: Run | StrPath,
    video: StrPath,
    output: StrPath,
    *,
    label: str = "",
    listen: StrPath = "",
    start_seconds: float = 0.0,
    end_seconds: float = math.inf,
    batch_size: int = 32,
    overwrite: bool = False,
) -> list[str]:
    """Writes a video once more with the evidence for a label drawn over it, as `avinst explain` does.

    Args:
        run: a finished run, or its directory.
        video: a media file.
        output: the MP4 file to write.
        label: the label to explain; empty: the recording's most probable one.
        listen: WAV file to write, the sound that the spectrogram's map keeps; empty: none.
        start_seconds: where to begin in the video.
        end_seconds: where to end.
        batch_size: segments that are computed together.
        overwrite: replace files that are there.

    Returns:
        What was made, in lines to read.

    Raises:
        UserError: no finished run, no such label, a video in which nothing can be used or drawn, or a file that
            cannot be written.
    """
    video, output, listen = os.fspath(video), os.fspath(output), os.fspath(listen)
    if end_seconds <= start_seconds:
        raise UserError(f"end_seconds={end_seconds:g}: expected more than start_seconds")
    check_outputs(video, output, listen, overwrite=overwrite)
    wanted = Wanted(output, listen, label, start_seconds, end_seconds, batch_size)
    return explain_file(directory_of(run), video, wanted)
