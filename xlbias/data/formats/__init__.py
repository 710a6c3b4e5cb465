"""Readers: one module per format, each from files to a RetrievalTask."""

FORMAT_NAMES = (
    "lareqa", "squad", "parallel", "bitext", "sib200", "beir", "trec", "miracl", "mrtydi", "mmarco", "pairs", "tmx",
    "hf", "mteb", "ir_datasets",
)  # fmt: skip
"""In the order in which they are listed."""
