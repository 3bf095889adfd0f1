"""Two runs side by side: whether one binds the modalities more."""
