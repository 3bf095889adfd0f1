"""Apache Beam jobs: videos to TFRecords, and inference over many videos."""
