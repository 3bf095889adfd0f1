"""Shows why a run decides: feature importance, rank correlations, Grad-CAM, as files, in TensorBoard, as a report.

avinst analyze --run_dir=RUN --split=test

--json prints `run_dir`, `split`, `output_dir`, `report` (the HTML file), `log_dir` and `findings`: the sentences
that are printed without it, the main one first. The numbers are in the files of `output_dir` (docs/report.md).
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from absl import flags

from analysis.maps.region_boxes import read_regions
from analysis.recordings import Recordings
from avinst import command, command_flags
from avinst.errors import UsageError
from avinst.quiet import import_tensorflow_quietly
from trainer.run import dataset_for, read_config

if TYPE_CHECKING:
    from analysis.maps.gradcam import Method

SPLITS = ["train", "validation", "test"]
FLAGS = command_flags.new_flags()
RUN_DIR = flags.DEFINE_string("run_dir", "", "the run, made by avinst train", flag_values=FLAGS)
DATA_DIR = flags.DEFINE_string("data_dir", "", "the dataset; empty: the run's own", flag_values=FLAGS)
OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    "",
    "where to write files and the report; empty: RUN/analysis (what TensorBoard shows goes to RUN/logs)",
    flag_values=FLAGS,
)
SPLIT = flags.DEFINE_enum("split", "test", SPLITS, "what to analyze", flag_values=FLAGS)
SELECTION_SPLIT = flags.DEFINE_enum(
    "selection_split",
    "validation",
    [*SPLITS, "cross_fit"],
    "where to choose the features that are correlated; cross_fit: on each half of --split for the other half, as "
    "is done where the named split is empty or --split itself",
    flag_values=FLAGS,
)
# The time grows with the pairs, which the report holds one by one, and no figure can show more.
MOST_FEATURES = 200
TOP_AUDIO = flags.DEFINE_integer(
    "top_audio",
    10,
    "audio features of a label to correlate",
    lower_bound=1,
    upper_bound=MOST_FEATURES,
    flag_values=FLAGS,
)
TOP_VISUAL = flags.DEFINE_integer(
    "top_visual",
    20,
    "visual features of a label to correlate",
    lower_bound=1,
    upper_bound=MOST_FEATURES,
    flag_values=FLAGS,
)
PERMUTATIONS = flags.DEFINE_integer(
    "permutations",
    10_000,
    "permutations that show what chance gives: at least 20 for each pair of a matrix, 40 for each label and 120 "
    "in all, or some relations cannot be found, however strong",
    lower_bound=1,
    flag_values=FLAGS,
)
RESAMPLES = flags.DEFINE_integer(
    "resamples", 1000, "bootstrap resamples of the recordings, for intervals", lower_bound=1, flag_values=FLAGS
)
FDR_LEVEL = flags.DEFINE_float(
    "fdr_level",
    0.05,
    "share of false pairs that is accepted among those called significant",
    lower_bound=1e-6,
    upper_bound=1.0,
    flag_values=FLAGS,
)
GRADCAM_PER_LABEL = flags.DEFINE_integer(
    "gradcam_per_label",
    3,
    "correct, wrong and least certain recordings of a label to show with their maps, so many of each",
    lower_bound=0,
    flag_values=FLAGS,
)
GRADCAM_METHOD = flags.DEFINE_enum(
    "gradcam_method",
    "gradcam",
    ["gradcam", "gradcam++", "scorecam"],
    "how maps are made; scorecam runs the model some hundred times for a segment",
    flag_values=FLAGS,
)
GRADCAM_LABEL = flags.DEFINE_string(
    "gradcam_label",
    "",
    "the label whose maps the galleries show; empty: the true one and, where they differ, the predicted one",
    flag_values=FLAGS,
)
TRUST_RECORDINGS = flags.DEFINE_integer(
    "trust_recordings",
    32,
    "recordings on which the maps are checked against random maps and shuffled weights; 0: no checks",
    lower_bound=0,
    flag_values=FLAGS,
)
REGIONS = flags.DEFINE_string(
    "regions",
    "",
    "CSV of boxes that the frame maps should lie on: video_id,left,top,right,bottom, shares of the frame, and "
    "perhaps seconds in the file, as start_seconds counts; the report says how much of the evidence does",
    flag_values=FLAGS,
)
SEGMENT_FEATURES = flags.DEFINE_boolean(
    "segment_features",
    False,
    "write segment_features.npz too: features.npz with a row for each segment, some 10 kB a segment",
    flag_values=FLAGS,
)
SEED = flags.DEFINE_integer("seed", 0, "of permutations and resamples", lower_bound=0, flag_values=FLAGS)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "segments that are computed together", lower_bound=1, flag_values=FLAGS
)
MEDIA_ROOT = flags.DEFINE_string(
    "media_root",
    "",
    "the folder of the recordings, to play their sound in the report; empty: it is made from the log-mel",
    flag_values=FLAGS,
)
MANIFEST = flags.DEFINE_string(
    "manifest",
    "",
    "the manifest of the recordings, where their ids are not the files' paths without extensions; cross-fitting "
    "keeps its groups in one half",
    flag_values=FLAGS,
)
COMPARE_TO = flags.DEFINE_string(
    "compare_to",
    "",
    "another run of the same dataset, such as one of the other scheme: does either bind the modalities more?",
    flag_values=FLAGS,
)

JSON = flags.DEFINE_bool("json", False, "print JSON instead of text", flag_values=FLAGS)

FLAG_GROUPS = {
    "where from, where to": ("run_dir", "data_dir", "output_dir", "split", "json"),
    "correlations": (
        "selection_split",
        "top_audio",
        "top_visual",
        "permutations",
        "resamples",
        "fdr_level",
        "seed",
    ),
    "maps of the evidence": (
        "gradcam_per_label",
        "gradcam_method",
        "gradcam_label",
        "trust_recordings",
        "regions",
    ),
    "more in the report": ("media_root", "manifest", "compare_to", "segment_features"),
    "the work": ("batch_size",),
}


def analyze() -> None:
    """Runs the command."""
    run_dir = command_flags.required(RUN_DIR)
    if MANIFEST.value and not MEDIA_ROOT.value:
        raise UsageError("--manifest names files below --media_root; give that too")
    # What is missing is told before TensorFlow is imported.
    dataset_for(run_dir, DATA_DIR.value, SPLIT.value)
    if COMPARE_TO.value:
        read_config(COMPARE_TO.value)
    if MEDIA_ROOT.value:
        Recordings(MEDIA_ROOT.value, MANIFEST.value)
    if REGIONS.value:
        read_regions(REGIONS.value)
    import_tensorflow_quietly()
    from analysis import analyzing
    from analysis.correlations.correlation import CorrelationSettings
    from analysis.maps.evidence import EvidenceSettings
    from analysis.study import StudySettings
    from analysis.words import summary_sentences

    settings = StudySettings(
        split=SPLIT.value,
        selection_split=SELECTION_SPLIT.value,
        gradcam_per_label=GRADCAM_PER_LABEL.value,
        gradcam_method=cast("Method", GRADCAM_METHOD.value),
        gradcam_label=GRADCAM_LABEL.value,
        batch_size=BATCH_SIZE.value,
        segment_features=SEGMENT_FEATURES.value,
        correlation=CorrelationSettings(
            top_audio=TOP_AUDIO.value,
            top_visual=TOP_VISUAL.value,
            permutations=PERMUTATIONS.value,
            resamples=RESAMPLES.value,
            fdr_level=FDR_LEVEL.value,
            seed=SEED.value,
        ),
        evidence=EvidenceSettings(trust_recordings=TRUST_RECORDINGS.value, regions=REGIONS.value),
    )
    done = analyzing.analyze(
        run_dir,
        DATA_DIR.value,
        OUTPUT_DIR.value,
        settings,
        say=_say,
        media_root=MEDIA_ROOT.value,
        manifest=MANIFEST.value,
        compare_to=COMPARE_TO.value,
    )
    findings = summary_sentences(done.study)
    if JSON.value:
        where = {"output_dir": done.output_dir, "report": done.report, "log_dir": done.log_dir}
        command.print_json({"run_dir": run_dir, "split": SPLIT.value, **where, "findings": findings})
        return
    for sentence in findings:
        print(sentence)  # noqa: T201
    print(f"\nreport:      {done.report}")  # noqa: T201
    print(f"files:       {done.output_dir}")  # noqa: T201
    print(f"TensorBoard: tensorboard --logdir {run_dir}")  # noqa: T201


def _say(line: str) -> None:
    print(f"analyze: {line}", file=sys.stderr, flush=True)  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return command.run(analyze, FLAGS, argv)


if __name__ == "__main__":
    sys.exit(main())
