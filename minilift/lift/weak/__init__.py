"""Training from 2D alone: geometry with gradients."""
