"""Input pipeline, models, training schemes, evaluation and export."""
