"""Measures of an encoder's texts: what of them it reads. They are taken from its tokenizer, not from vectors."""
