"""Media files to segments of sound and frames, decoded in a child process with limits."""
