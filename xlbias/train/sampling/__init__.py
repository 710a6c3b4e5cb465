"""Which pairs of texts a training step sees: batches over the languages of tasks."""
