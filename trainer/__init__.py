"""Input pipeline, models, training schemes, evaluation and export."""

from typing import TYPE_CHECKING

from avinst.public_names import lazy_names

if TYPE_CHECKING:
    from trainer.audit import audit_run as audit_run
    from trainer.audit_report import audit_text as audit_text
    from trainer.audit_result import Audit as Audit
    from trainer.audit_words import audit_verdict as audit_verdict
    from trainer.config import TrainConfig as TrainConfig
    from trainer.evaluation import measure as measure
    from trainer.evaluation_figures import confusion_figure as confusion_figure
    from trainer.evaluation_figures import reliability_figure as reliability_figure
    from trainer.evaluation_tables import metrics_table as metrics_table
    from trainer.evaluation_tables import per_label_markdown as per_label_markdown
    from trainer.evaluation_tables import scores_markdown as scores_markdown
    from trainer.exporting import export_run as export_run
    from trainer.fitting import fit as fit
    from trainer.input_pipeline import examples as examples
    from trainer.input_pipeline import keyed_examples as keyed_examples
    from trainer.input_pipeline import training_examples as training_examples
    from trainer.label_words import worst_sentences as worst_sentences
    from trainer.predictions import Predictions as Predictions
    from trainer.predictions import predict_split as predict_split
    from trainer.run import Run as Run
    from trainer.run import load_run as load_run
    from trainer.run_evaluation import RunEvaluation as RunEvaluation
    from trainer.run_evaluation import evaluate_run as evaluate_run
else:  # unseen by type checkers, to which a __getattr__ would mean that any name is there
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        light={"trainer.config": ["TrainConfig"]},
        with_tensorflow={
            "trainer.audit": ["audit_run"],
            "trainer.audit_report": ["audit_text"],
            "trainer.audit_result": ["Audit"],
            "trainer.audit_words": ["audit_verdict"],
            "trainer.evaluation": ["measure"],
            "trainer.evaluation_figures": ["confusion_figure", "reliability_figure"],
            "trainer.evaluation_tables": ["metrics_table", "per_label_markdown", "scores_markdown"],
            "trainer.exporting": ["export_run"],
            "trainer.fitting": ["fit"],
            "trainer.input_pipeline": ["examples", "keyed_examples", "training_examples"],
            "trainer.label_words": ["worst_sentences"],
            "trainer.predictions": ["Predictions", "predict_split"],
            "trainer.run": ["Run", "load_run"],
            "trainer.run_evaluation": ["RunEvaluation", "evaluate_run"],
        },
    )
