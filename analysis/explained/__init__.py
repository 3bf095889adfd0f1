"""Explained videos: the evidence drawn over a video, and made audible."""
