"""Apache Beam jobs: videos to TFRecords, and inference over many videos."""

from typing import TYPE_CHECKING

from avinst.public_names import lazy_names

if TYPE_CHECKING:
    from beam_pipelines.detector import Detector as Detector
    from beam_pipelines.detector import load_detector as load_detector
    from beam_pipelines.exports import newest_export as newest_export
    from beam_pipelines.plain_calls import predict_videos as predict_videos
    from beam_pipelines.plain_calls import prepare_videos as prepare_videos
    from beam_pipelines.predicting import PredictConfig as PredictConfig
    from beam_pipelines.prediction import Prediction as Prediction
    from beam_pipelines.prediction import predict_video as predict_video
    from beam_pipelines.prediction_figure import Thumbnails as Thumbnails
    from beam_pipelines.prediction_figure import probabilities_figure as probabilities_figure
    from beam_pipelines.prediction_set import PredictionSet as PredictionSet
    from beam_pipelines.prediction_set import load_predictions as load_predictions
    from beam_pipelines.prediction_set import recording_probabilities as recording_probabilities
    from beam_pipelines.preparing import PrepareConfig as PrepareConfig
else:  # unseen by type checkers, to which a __getattr__ would mean that any name is there
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        light={
            "beam_pipelines.plain_calls": ["predict_videos", "prepare_videos"],
            "beam_pipelines.prediction_figure": ["Thumbnails", "probabilities_figure"],
            "beam_pipelines.preparing": ["PrepareConfig"],
            "beam_pipelines.prediction_set": ["PredictionSet", "load_predictions", "recording_probabilities"],
        },
        with_tensorflow={
            "beam_pipelines.detector": ["Detector", "load_detector"],
            "beam_pipelines.exports": ["newest_export"],
            "beam_pipelines.predicting": ["PredictConfig"],
            "beam_pipelines.prediction": ["Prediction", "predict_video"],
        },
    )
