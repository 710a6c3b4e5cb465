"""What must I not conclude? Queries whose answers a pool does not hold are in no mean."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.findings.context import Context
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.runs.schema import SETTING_SHORT

KINDS = ("excluded",)


def found(context: Context) -> Iterator[Finding]:
    """Yield for every task the share of rankings that are in no mean; they are the same for all encoders."""
    told: set[str] = set()
    settings = context.run.settings.partition_by(["model", "task"], as_dict=True)
    for model, task in context.ranked:
        if task.name in told or (model.name, task.name) not in settings:
            continue
        mine = settings[model.name, task.name].to_dicts()
        n, left_out = (sum(row[name] for row in mine) for name in ("n_rankings", "n_excluded"))
        if n + left_out == 0 or left_out / (n + left_out) < context.thresholds.excluded or not left_out:
            continue
        told.add(task.name)
        parts = [
            f"{SETTING_SHORT[row['setting']]} {row['n_excluded']:,} of {row['n_rankings'] + row['n_excluded']:,}"
            for row in mine
            if row["n_excluded"]
        ]
        share = left_out / (n + left_out)
        sentence = f"rankings without an answer in the pool are in no mean: {', '.join(parts)}."
        of_settings = [
            Number(
                "map", row["n_excluded"] / (row["n_rankings"] + row["n_excluded"]), n=row["n_excluded"], task=task.name,
                setting=row["setting"], role="excluded",
            )
            for row in mine
            if row["n_excluded"]
        ]  # fmt: skip
        number = Number("map", share, n=left_out, task=task.name, role="excluded")
        yield Finding(
            "excluded", "caveat", sentence, share, Destination("overview", "notes"), None, task.name,
            numbers=(number, *of_settings),
        )  # fmt: skip
