"""Whether a difference is significant."""
