"""Whether the features of both modalities move together, and what chance gives."""
