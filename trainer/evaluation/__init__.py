"""Predictions of a split, the metrics of them with their intervals, and their tables and figures."""
