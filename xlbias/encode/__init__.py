"""Encoders: texts in, float32 vectors out."""
