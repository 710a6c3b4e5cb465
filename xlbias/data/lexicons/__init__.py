"""Bilingual and multilingual lexicons: which words translate one another, and where they stand in a text."""

from xlbias.data.lexicons.lexicon import Lexicon, Match, Source
from xlbias.data.lexicons.load import load_lexicon

__all__ = ["Lexicon", "Match", "Source", "load_lexicon"]
