"""Synthetic performances: drawn instruments with sampled sound, for the demo and for tests."""
