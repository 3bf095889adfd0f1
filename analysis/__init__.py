"""Why a model decides: features, importance, correlation, Grad-CAM and the report."""

from typing import TYPE_CHECKING

from avinst.public_names import lazy_names

if TYPE_CHECKING:
    from analysis.analyzing import Analysis as Analysis
    from analysis.correlations.chosen import FeatureCorrelations as FeatureCorrelations
    from analysis.correlations.chosen import correlate_features as correlate_features
    from analysis.correlations.correlation import CorrelationSettings as CorrelationSettings
    from analysis.correlations.figures import matrix_figure as matrix_figure
    from analysis.correlations.figures import overview_figure as overview_figure
    from analysis.correlations.label_correlation import LabelCorrelation as LabelCorrelation
    from analysis.correlations.tables import pairs_csv as pairs_csv
    from analysis.extraction import extract_features as extract_features
    from analysis.features import Features as Features
    from analysis.importance import Importance as Importance
    from analysis.importance import feature_importance as feature_importance
    from analysis.importance import importance_csv as importance_csv
    from analysis.importance_figures import importance_figure as importance_figure
    from analysis.importance_figures import share_figure as share_figure
    from analysis.maps.evidence import EvidenceSettings as EvidenceSettings
    from analysis.maps.gradcam_figures import frame_figure as frame_figure
    from analysis.maps.gradcam_figures import spectrogram_figure as spectrogram_figure
    from analysis.maps.recording_maps import GradCam as GradCam
    from analysis.maps.recording_maps import grad_cam as grad_cam
    from analysis.maps.recording_maps import grad_cam_figures as grad_cam_figures
    from analysis.plain_calls import analyze_run as analyze_run
    from analysis.plain_calls import write_explained_video as write_explained_video
    from analysis.study import Study as Study
    from analysis.study import StudySettings as StudySettings
    from analysis.words import correlation_sentences as correlation_sentences
    from analysis.words import summary_sentences as summary_sentences
else:  # unseen by type checkers, to which a __getattr__ would mean that any name is there
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        light={},
        with_tensorflow={
            "analysis.correlations.chosen": ["FeatureCorrelations", "correlate_features"],
            "analysis.correlations.correlation": ["CorrelationSettings"],
            "analysis.correlations.label_correlation": ["LabelCorrelation"],
            "analysis.correlations.figures": ["matrix_figure", "overview_figure"],
            "analysis.correlations.tables": ["pairs_csv"],
            "analysis.maps.evidence": ["EvidenceSettings"],
            "analysis.extraction": ["extract_features"],
            "analysis.features": ["Features"],
            "analysis.maps.gradcam_figures": ["frame_figure", "spectrogram_figure"],
            "analysis.importance": ["Importance", "feature_importance", "importance_csv"],
            "analysis.importance_figures": ["importance_figure", "share_figure"],
            "analysis.plain_calls": ["analyze_run", "write_explained_video"],
            "analysis.maps.recording_maps": ["GradCam", "grad_cam", "grad_cam_figures"],
            "analysis.study": ["Study", "StudySettings"],
            "analysis.words": ["correlation_sentences", "summary_sentences"],
            "analysis.analyzing": ["Analysis"],
        },
    )
