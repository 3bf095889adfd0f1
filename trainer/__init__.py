"""Input pipeline, models, training schemes, evaluation and export."""

from typing import TYPE_CHECKING

from avinst.public_names import lazy_names

if TYPE_CHECKING:
    from trainer.audit.auditing import audit_run as audit_run
    from trainer.audit.report import audit_text as audit_text
    from trainer.audit.result import Audit as Audit
    from trainer.audit.words import audit_verdict as audit_verdict
    from trainer.config import TrainConfig as TrainConfig
    from trainer.evaluation.evaluating import RunEvaluation as RunEvaluation
    from trainer.evaluation.evaluating import evaluate_run as evaluate_run
    from trainer.evaluation.figures import confusion_figure as confusion_figure
    from trainer.evaluation.figures import reliability_figure as reliability_figure
    from trainer.evaluation.label_words import worst_sentences as worst_sentences
    from trainer.evaluation.predictions import Predictions as Predictions
    from trainer.evaluation.predictions import predict_split as predict_split
    from trainer.evaluation.split_evaluation import measure as measure
    from trainer.evaluation.tables import metrics_table as metrics_table
    from trainer.evaluation.tables import per_label_markdown as per_label_markdown
    from trainer.evaluation.tables import scores_markdown as scores_markdown
    from trainer.exported.exporting import export_run as export_run
    from trainer.fitting import fit as fit
    from trainer.inputs.pipeline import examples as examples
    from trainer.inputs.pipeline import keyed_examples as keyed_examples
    from trainer.inputs.pipeline import training_examples as training_examples
    from trainer.run import Run as Run
    from trainer.run import load_run as load_run
else:  # unseen by type checkers, to which a __getattr__ would mean that any name is there
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        light={"trainer.config": ["TrainConfig"]},
        with_tensorflow={
            "trainer.audit.auditing": ["audit_run"],
            "trainer.audit.report": ["audit_text"],
            "trainer.audit.result": ["Audit"],
            "trainer.audit.words": ["audit_verdict"],
            "trainer.evaluation.split_evaluation": ["measure"],
            "trainer.evaluation.figures": ["confusion_figure", "reliability_figure"],
            "trainer.evaluation.tables": ["metrics_table", "per_label_markdown", "scores_markdown"],
            "trainer.exported.exporting": ["export_run"],
            "trainer.fitting": ["fit"],
            "trainer.inputs.pipeline": ["examples", "keyed_examples", "training_examples"],
            "trainer.evaluation.label_words": ["worst_sentences"],
            "trainer.evaluation.predictions": ["Predictions", "predict_split"],
            "trainer.run": ["Run", "load_run"],
            "trainer.evaluation.evaluating": ["RunEvaluation", "evaluate_run"],
        },
    )
