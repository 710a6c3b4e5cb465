"""Zero-shot retrieval over all language pairs of all tasks with all encoders, and its audit, into a run file."""

from xlbias.data.describe import describe_task
from xlbias.evaluation.evaluator import DEFAULT_TOP_K, evaluate

__all__ = ["DEFAULT_TOP_K", "describe_task", "evaluate"]
