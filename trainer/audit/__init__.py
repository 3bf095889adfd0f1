"""The modality audit: which of sound and picture does the work."""
