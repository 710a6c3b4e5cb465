"""The report of a study on one screen: what each sampler changed, then a row per sampler and target or source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from xlbias.measures.registry import measure_of
from xlbias.report.documents.caveats import entries
from xlbias.report.documents.findings import HEADS, MARGIN, how_to_see_more, sentence
from xlbias.report.documents.wording import about_run
from xlbias.report.formats.columns import cut_all, names_left, wrapped_behind
from xlbias.report.numbers import NOTHING, number
from xlbias.results.caveats import caveats
from xlbias.results.findings import Finding, of_samplers
from xlbias.results.findings.finding import ONE_TRAINING
from xlbias.results.run import Run
from xlbias.results.study.design import REFERENCE, Arm, Study
from xlbias.results.study.drawn import uneven_languages
from xlbias.results.study.numbers import numbers, reference_numbers
from xlbias.results.written import named, signed_text
from xlbias.runs.schema import SETTING_SHORT
from xlbias.text import clean, cut

_SHOWN = (*(("map", setting) for setting in SETTING_SHORT), ("rank_distance.normalised", "multilingual"))
_CROSS = "cross-lingual"
_AROUND = 4  # lines: two empty ones, and two on how to see more
_OVER = ("at home", "away")
_SAID = (("map", "cross-lingual"), ("map", "monolingual"), ("rank_distance.normalised", "multilingual"))


def study_brief(run: Run, study: Study, width: int = 80, *, height: int) -> str | None:
    """Return the report of a study in at most `height` lines, where it has no more samplers than fit.

    None where there is nothing yet that all samplers were evaluated on.

    What is tested is said where that takes little; else the differences of means, and where the tests are.
    """
    means = _means(run, study)
    if means.is_empty():
        return None
    head = [cut(about_run(run), width)]
    tables = list(_tables(means, study, width))
    room = height - len(head) - _AROUND
    tested = of_samplers(run)
    said = list(_tested(tested, width) if tested else _described(means, study, width))
    doubts = list(_doubts(run, study, width))
    least = sum(len(some[0]) for some in (said, doubts) if some)
    table = next((one for one in tables if len(one) + least <= room), tables[-1])
    left = max(room - len(table), least)
    shown = _fitting(said, left - sum(map(len, doubts[:1])))
    shown += _fitting(doubts, left - len(shown))
    first = "more findings: xlbias findings {path}" if tested else "tests: report.md, which xlbias study writes"
    text = [*head, *shown, "", *table, "", *how_to_see_more(run.path, width, first)]
    return "\n".join(line.rstrip() for line in text) + "\n"


def _fitting(entries: Sequence[list[str]], room: int) -> list[str]:
    """Return the first of these that fit, in lines."""
    shown: list[str] = []
    for one in entries:
        if len(shown) + len(one) > room:
            break
        shown += one
    return shown


def _means(run: Run, study: Study) -> pl.DataFrame:
    """Return ``source, arm, target, measure, setting, value``: means over seeds, of pairs that all samplers have."""
    began = reference_numbers(run, study).drop("source").join(_sources(study), how="cross")  # the same for all sources
    mine = numbers(run, study)
    found = pl.concat([mine, began.select(mine.columns)]).drop_nulls("value")
    keys = ["source", "target", "measure", "setting"]
    shown = pl.DataFrame(_SHOWN, schema=["measure", "setting"], orient="row")
    found = found.join(shown, on=["measure", "setting"], how="semi", maintain_order="left")
    found = found.group_by(*keys, "arm", maintain_order=True).agg(pl.col("value").mean())
    n_arms = found["arm"].n_unique()
    home = pl.DataFrame(
        {"source": list(study.in_domain.values()), "target": list(study.in_domain), "home": True},
        schema={"source": pl.String, "target": pl.String, "home": pl.Boolean},
    )
    return (
        found.filter(pl.col("arm").n_unique().over(keys) == n_arms)
        .join(home, on=["source", "target"], how="left", maintain_order="left")
        .with_columns(over=pl.when(pl.col("home")).then(pl.lit("at home")).otherwise(pl.lit("away")))
    )


def _sources(study: Study) -> pl.DataFrame:
    return pl.DataFrame({"source": list(study.sources)}, schema={"source": pl.String})


def _arms(study: Study) -> list[Arm]:
    """Return the samplers, after the encoder that all began as where there is one."""
    return [*([REFERENCE] if study.reference is not None else []), *study.arms]


def _tables(means: pl.DataFrame, study: Study, width: int) -> Iterator[list[str]]:
    """Yield the means by target, by source, at home and away, as lines: the largest table first."""
    parts = {"target": study.targets, "source": study.sources, "over": _OVER if study.in_domain else ()}
    made = []
    for by, names in parts.items():
        values = {
            (name, arm, measure, setting): value
            for name, arm, measure, setting, value in means.group_by(by, "arm", "measure", "setting")
            .agg(pl.col("value").mean())
            .iter_rows()
        }
        body = [_row(values, name, arm.label, study.baseline.label) for name in names for arm in _arms(study)]
        rows = [row for row in body if any(cell not in (NOTHING, "") for cell in row[2:])]
        heads = ["sampler", "where" if by == "over" else by, "mono", "cross", "multi", "norm. dist.", "Δ cross"]
        if rows:
            made.append(cut_all(names_left(heads, rows, 2, width), width))
    yield from sorted(made, key=lambda one: -len(one))


def _row(values: dict[tuple[Any, ...], float], name: str, arm: str, baseline: str) -> list[str]:
    mine, base = (values.get((name, one, "map", _CROSS)) for one in (arm, baseline))
    known = mine is not None and base is not None and arm != baseline
    difference = signed_text(mine - base, measure_of("map")) if known and mine and base else ""
    return [arm, name, *(number(values.get((name, arm, *one))) for one in _SHOWN), difference]


def _tested(found: Sequence[Finding], width: int) -> Iterator[list[str]]:
    """Yield what the study found of its samplers, as lines by question."""
    head = ""
    for one in found:
        own = HEADS[one.question]
        yield wrapped_behind(own if own != head else "", sentence(one), MARGIN, width)
        head = own


def _described(means: pl.DataFrame, study: Study, width: int) -> Iterator[list[str]]:
    """Yield how far the means of each sampler are from those of the baseline, as lines: a sentence per measure."""
    head = HEADS["real"]
    base = study.baseline.label
    for measure, setting in _SAID:
        chosen = means.filter((pl.col("measure") == measure) & (pl.col("setting") == setting))
        both = chosen.filter(pl.col("arm") != base).join(
            chosen.filter(pl.col("arm") == base), on=["source", "target", "over"], suffix="_base"
        )
        both = both.with_columns(difference=pl.col("value") - pl.col("value_base"))
        parts: list[str] = []
        for arm in study.arms:
            mine = both.filter(pl.col("arm") == arm.label)
            of_over = [(over, mine.filter(pl.col("over") == over)["difference"].to_numpy()) for over in _OVER]
            where = [
                signed_text(float(np.mean(values)), measure_of(measure)) + (f" {over}" if study.in_domain else "")
                for over, values in of_over
                if len(values)
            ]
            if where:
                n = mine.filter(pl.col("difference") > 0).height
                up = f"{n} of {mine.height}" if parts else f"up in {n} of {mine.height} pairs"
                parts.append(f"{arm.label} {', '.join(where)} ({up})")
        if parts:
            text = f"{named(measure, setting)} against {base}: {'; '.join(parts)}."
            yield wrapped_behind(head, clean(text), MARGIN, width)
            head = ""


def _doubts(run: Run, study: Study, width: int) -> Iterator[list[str]]:
    """Yield what must not be concluded, as lines, the gravest first."""
    head = HEADS["caveat"]
    texts = [f"{ONE_TRAINING}, another seed may differ."] if len(study.seeds) == 1 else []
    texts += [
        f"{one.source}: {one.arm} drew {100 * one.share:.0f} % of its {one.side} in {one.language}, {one.other_arm} "
        f"{100 * one.other_share:.0f} %: a difference may be one of languages."
        for one in uneven_languages(run, study)
    ]
    for text in [
        *texts,
        *(f"{about}: {said.partition(': ')[0].removesuffix('.')}." for about, said in entries(caveats(run))),
    ]:
        yield wrapped_behind(head, clean(text), MARGIN, width)
        head = ""
