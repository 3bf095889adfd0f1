"""Where in the frame and in the spectrogram the evidence lies, and whether maps are to be trusted."""
