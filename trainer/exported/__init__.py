"""A run as a SavedModel: signatures, checks, model card, warm-up requests."""
