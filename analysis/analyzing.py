"""An analysis from a run directory to its files, its summaries and its report."""

import dataclasses
from collections.abc import Callable, Mapping

from analysis.artifacts import REPORT_FILE, write_files, write_report
from analysis.comparison.other_run import compare_with, load_compared
from analysis.embeddings import write_embeddings
from analysis.extraction import Batches
from analysis.feature_parts import PARTS_FOLDER, remove_parts
from analysis.maps.region_boxes import read_regions
from analysis.pictures import draw_pictures
from analysis.recordings import Recordings
from analysis.report.page import render_report
from analysis.run_record import command_line, read_record
from analysis.sounds import find_sounds
from analysis.study import Study, StudySettings, study_model
from analysis.summaries import write_summaries
from avinst import paths
from avinst.directory_lock import only_writer
from avinst.errors import UserError
from avinst.versions import package_versions
from trainer.evaluation.split_evaluation import check_same_dataset, tell_of_other_recordings
from trainer.inputs.damaged_files import damaged_files_named
from trainer.inputs.pipeline import keyed_examples
from trainer.run import LOGS_FOLDER, dataset_for, load_run

OUTPUT_FOLDER = "analysis"
_PACKAGES = ("tensorflow", "keras", "tf-keras-vis", "scipy", "numpy", "matplotlib")


@dataclasses.dataclass(frozen=True)
class Analysis:
    """A finished analysis: what was found and where it lies."""

    study: Study
    output_dir: str
    report: str
    log_dir: str


def analyze(
    run_dir: str,
    data_dir: str = "",
    output_dir: str = "",
    settings: StudySettings | None = None,
    say: Callable[[str], None] = lambda line: None,
    *,
    media_root: str = "",
    manifest: str = "",
    compare_to: str = "",
) -> Analysis:
    """Analyzes a run and writes files, TensorBoard summaries and the report.

    Args:
        run_dir: made by `avinst train`.
        data_dir: the dataset; empty: the one that the run was trained on.
        output_dir: where to write; empty: `analysis` in the run.
        settings: what to compute.
        say: is told what is being done.
        media_root: the folder of the recordings, whose sound the report plays; empty: it is made from the log-mel.
        manifest: of the recordings, where ids are not the files' paths without their extensions.
        compare_to: another run of the same dataset, whose correlations are set beside this run's; empty: none.

    Raises:
        UserError: no finished run, no dataset, a dataset unlike the run's, a split without segments, a damaged
            metrics.json, no such media root, manifest or regions, a manifest without a media root, regions for a
            run without vision, a run that cannot be compared, no directory can be made there, or another
            `avinst analyze` writes to it.
    """
    settings = settings or StudySettings()
    if manifest and not media_root:
        raise UserError(f"manifest={manifest!r} names files below media_root; give that too")
    dataset = dataset_for(run_dir, data_dir, settings.split)  # what is missing is told before the model is loaded
    run = load_run(run_dir)
    check_same_dataset(run, dataset)
    tell_of_other_recordings(run, dataset)
    output_dir = output_dir or paths.join(run_dir, OUTPUT_FOLDER)
    log_dir = paths.join(run_dir, LOGS_FOLDER, OUTPUT_FOLDER)
    # What cannot be read or written is told before the minutes of computing.
    with only_writer(output_dir, "analyze", "output_dir"), only_writer(log_dir, "analyze", ""):
        if settings.evidence.regions and run.config.scheme == "audio":
            raise UserError(
                f"--regions={settings.evidence.regions}: the run {run_dir!r} sees nothing; leave it away"
            )
        if settings.evidence.regions:
            read_regions(settings.evidence.regions)
        recordings = Recordings(media_root, manifest) if media_root else None
        other = load_compared(compare_to, run_dir, dataset) if compare_to else None
        record = read_record(
            run_dir,
            dataset,
            settings.split,
            analyze_command=_command(
                run_dir,
                dataset.data_dir,
                output_dir,
                settings,
                {"media_root": media_root, "manifest": manifest, "compare_to": compare_to},
            ),
            versions=package_versions(_PACKAGES),
        )

        def batches(split: str, skip: int = 0) -> Batches:
            return keyed_examples(dataset, split, settings.batch_size, skip=skip)

        parts_dir = paths.join(output_dir, PARTS_FOLDER)
        with damaged_files_named(dataset, [settings.split, settings.selection_split]):
            groups = recordings.groups if recordings else None
            study = study_model(run.model, dataset, settings, batches, say, parts_dir, groups)
            if other:
                found = compare_with(study, run, other, batches, say, parts_dir)
                study = dataclasses.replace(study, comparison=found)
        sounds = find_sounds(study.exhibits, dataset.spec, recordings, say)
        pictures = draw_pictures(study)
        say("files, TensorBoard summaries, report")
        write_files(study, pictures, output_dir)
        write_summaries(study, pictures, log_dir, sounds)
        write_embeddings(study, run.model, batches(settings.split), log_dir)
        report = paths.join(output_dir, REPORT_FILE)
        title = f"Why the {run.config.scheme} model decides: {run_dir.rstrip('/').rpartition('/')[2]}"
        text = render_report(study, pictures, sounds, record, title=title)
        write_report(text, output_dir)
        remove_parts(parts_dir)
        return Analysis(study, output_dir, report, log_dir)


def _command(
    run_dir: str, data_dir: str, output_dir: str, settings: StudySettings, optional: Mapping[str, str]
) -> str:
    named = {**optional, "regions": settings.evidence.regions}
    return command_line(
        "analyze",
        run_dir=run_dir,
        data_dir=data_dir,
        output_dir=output_dir,
        split=settings.split,
        selection_split=settings.selection_split,
        top_audio=settings.correlation.top_audio,
        top_visual=settings.correlation.top_visual,
        permutations=settings.correlation.permutations,
        resamples=settings.correlation.resamples,
        fdr_level=settings.correlation.fdr_level,
        gradcam_per_label=settings.gradcam_per_label,
        gradcam_method=settings.gradcam_method,
        gradcam_label=settings.gradcam_label,
        trust_recordings=settings.evidence.trust_recordings,
        segment_features=settings.segment_features,
        seed=settings.correlation.seed,
        batch_size=settings.batch_size,
        **{name: value for name, value in named.items() if value},
    )
