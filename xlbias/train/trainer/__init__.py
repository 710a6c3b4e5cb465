"""Trains encoders on what is sampled: from a base and a recipe to a checkpoint with its card and its loss curve."""
