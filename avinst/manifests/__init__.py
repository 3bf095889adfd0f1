"""Manifests: read, checked, written, and made from folders or from known data sets' annotations."""
