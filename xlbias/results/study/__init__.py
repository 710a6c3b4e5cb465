"""A study of samplers, sources and seeds: its design, its numbers, and what they say of samplers."""
