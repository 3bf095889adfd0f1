"""From a dataset's files to the batches that a network is fitted to."""
