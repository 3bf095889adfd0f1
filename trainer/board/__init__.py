"""What a training and an evaluation show in TensorBoard."""
