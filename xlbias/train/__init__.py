"""Batch samplers and fine-tuning."""
