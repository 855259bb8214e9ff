"""What a training run leaves for its charts: what was recorded, its log read back, TensorBoard's files."""
