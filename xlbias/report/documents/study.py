"""A study as a document: what did the sampler change, where, and is it confirmed?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from xlbias.cells import ALL, PAIRS, TRAINED, Over
from xlbias.errors import RunError
from xlbias.measures.measure import Measure
from xlbias.measures.registry import measure_of
from xlbias.report.document import Block, Document, MatrixBlock, Paragraph, Section, Table, Terms
from xlbias.report.documents.caveats import section
from xlbias.report.documents.findings import HEADS, about
from xlbias.report.documents.findings import TITLE as FINDINGS
from xlbias.report.formats.markdown import to_markdown
from xlbias.report.numbers import (
    EMPTY,
    MARK,
    NOT_TESTED,
    Entry,
    count,
    difference_entry,
    entry,
    number,
    numeric,
    probability,
)
from xlbias.results.caveats import caveats
from xlbias.results.cell import ABSENT, Cell
from xlbias.results.compare import ALPHA
from xlbias.results.findings import QUESTIONS as ASKED
from xlbias.results.findings import Question, of_study
from xlbias.results.matrix import Matrix, cells_of
from xlbias.results.run import Run
from xlbias.results.study.by_id import NumbersById
from xlbias.results.study.contrasts import contrasts
from xlbias.results.study.design import HEADLINES, REFERENCE, Arm, Primary, Study, compared_arms, read_study
from xlbias.results.study.drawn import UNEVEN, uneven_languages
from xlbias.results.study.numbers import numbers, over_seeds, reference_numbers
from xlbias.results.study.questions import QUESTIONS, answers, least_by_seeds
from xlbias.results.study.shift import SHIFTED, home_and_away, robustness
from xlbias.results.topics import by_topic, topics
from xlbias.results.written import named
from xlbias.samplers import HYBRID

_CONFIRMED = "confirmed: p < .05 with query ids and trainings as crossed random factors, after Holm's correction over "


_OF_TRAINED = " (trained languages)"
_WITHIN = " (within the margin)"
_FALLS = "For rank distance, alignment and the gap between own and other languages a fall is counted as better."
_NOTES = (
    "[a, b] is the 95% interval over query ids and trainings. *Can be found* is the difference that four of five such "
    "studies would confirm, were its p the least of its family. *Trained languages* are cells whose query and passage "
    "language the source trains in, where a target has others too.",
    _FALLS,
)
_OVER = {
    "home": "The mean over targets that are the held-out part of a source, of the encoders trained on that source.",
    "away": "The mean over all other pairs of source and target.",
    "lost": "What a sampler changed at home minus what it changed on the same target when trained on the other "
    "sources: above 0, its gain is lost away from home.",
}

_LOST = {"better": "lost", "worse": "more away", "equal": "kept"}
"""What a verdict on the difference of a gain at home and away says."""

_LEAST_IDS = 10  # a document of one query is no domain


def study_document(run: Run, *, full: bool = False, tell: Callable[[str], None] = lambda _: None) -> Document:
    """Return the report of a study, what it says of samplers first.

    Raises RunError where the run holds none, or no encoder of it yet.

    Where no source has two samplers there is nothing to compare: the report says so, and has all other numbers.
    `full` lists every caveat; `tell` is called with a line before each comparison: they take a second or two each.
    """
    study = read_study(run)
    values = numbers(run, study)
    if not study.members:
        raise RunError(f"{run.path}: the study has no encoder yet")
    doubts = section(caveats(run), full=full)
    numbers_by_id = NumbersById(run, study)
    compared = list(_compared(run, study, numbers_by_id, tell))
    said = [one for one in compared if one.title == FINDINGS]
    sections = (
        *said,
        Section("What was done", (Paragraph(_design(run, study)), Paragraph(_drawn(numbers_by_id)))),
        *([doubts] if doubts is not None else []),
        *(one for one in compared if one not in said),
        *_trained(run, values, study),
        Section("By sampler, from monolingual to cross-lingual batches", _by_arm(values, study)),
        Section("What a change of domain costs", _shift(values, study)),
        Section("Topics inside a task", tuple(_topics(run, study, tell))),
    )
    return Document(study.title, f"{len(study.members):,} encoders on {len(study.targets)} targets", sections)


def _compared(run: Run, study: Study, numbers_by_id: NumbersById, tell: Callable[[str], None]) -> Iterable[Section]:
    """Yield what the sampler changed, and where; or why there is nothing to compare."""
    title = "What the sampler changed"
    if not any(compared_arms(study, source) for source in study.sources):
        yield Section(title, (Paragraph("No source has encoders of two samplers: there is nothing to compare."),))
        return
    found = contrasts(run, study, numbers=numbers_by_id, tell=tell)
    asked = answers(run, study, numbers=numbers_by_id, tell=tell) if study.in_domain else None
    if terms := tuple(_findings(run, found, asked)):
        yield Section(FINDINGS, terms)
    if asked is not None:
        yield Section("At home and away", tuple(_questions(asked, study)))
    yield Section(title, tuple(_answers(found, study)))
    yield Section("Where", tuple(_where(found, study)))


def _findings(run: Run, found: pl.DataFrame, asked: pl.DataFrame | None) -> Iterable[Terms]:
    """Yield what the study says of its samplers: at home, away, what is lost; in how many pairs it is so.

    Said is what the plan asks; where it names no primary contrasts, the findings choose, and all pairs are counted.
    """
    said: dict[Question, list[tuple[str, str]]] = {question: [] for question in ASKED}
    for one in of_study(run, asked) if asked is not None else ():
        said[one.question].append((about(one), one.sentence))
    for (base, new, measure, setting, cells), part in _tested(found).group_by(
        "base", "new", "measure", "setting", "cells", maintain_order=True
    ):
        counts = Counter(part["verdict"].to_list())
        what = f"{named(str(measure), setting)}{_OF_TRAINED if cells == TRAINED else ''}"
        verdicts = ", ".join(f"{verdict} in {counts[verdict]}" for verdict in _IN_PAIRS if counts[verdict])
        sentence = f"{what}: {verdicts} of {part.height} pairs of a source and a target."
        said["real"].append((f"{new} against {base}", sentence))
    yield from (Terms(HEADS[question], tuple(entries), beside=True) for question, entries in said.items() if entries)


_IN_PAIRS = ("better", "worse", "equal", "unclear", "untested")


def _tested(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that have a verdict."""
    return frame.filter(pl.col("verdict") != "untested")


def _design(run: Run, study: Study) -> str:
    n_done = len(study.members)
    done = f"{n_done} of {study.n_planned}" if n_done < study.n_planned else f"{n_done}"
    reference = " and the untrained one that they began as" if study.reference is not None else ""
    return (
        f"{done} encoders{reference}: samplers {', '.join(arm.label for arm in study.arms)}; sources "
        f"{', '.join(study.sources)}; {_seeds(study)}; targets {', '.join(study.targets)}. α is the share of "
        "monolingual batches. "
        "Texts, steps, batch size, learning rate and tokenizer are the same for all samplers of a source. "
        f"{_languages(run, study)} Differences are paired by query id and averaged over seeds; {_confirmed(study)}."
    )


def _drawn(numbers_by_id: NumbersById) -> str:
    """Return what is drawn on each target: documents where it names some, else query ids."""
    units = {target: numbers_by_id.units(target) for target in numbers_by_id.study.targets}
    named_ones = [f"{target} {len(set(of.values())):,} for {len(of):,} ids" for target, of in units.items() if of]
    if not named_ones:
        return "What is drawn are query ids."
    rest = [target for target, of in units.items() if not of]
    elsewhere = f"; query ids on {', '.join(rest)}" if rest else ""
    return (
        "What is drawn are documents where a target names them, as questions of one document are not independent: "
        f"{', '.join(named_ones)}{elsewhere}. The report says ids for both."
    )


def _seeds(study: Study) -> str:
    """Return how many seeds the arms have so far."""
    counts = {arm.label: min(len(study.of(source, arm)) for source in study.sources) for arm in study.arms}
    if len(set(counts.values())) == 1:
        return f"{len(study.seeds)} seeds each"
    return "seeds of each source: " + ", ".join(f"{label} {n}" for label, n in counts.items())


def _languages(run: Run, study: Study) -> str:
    """Return whether the samplers of a source drew the same languages: where not, a difference may be theirs."""
    uneven = uneven_languages(run, study)
    if not uneven:
        return (
            "What each sampler drew is told by the encoders' cards."
            if not study.taught
            else (f"Samplers of a source drew their languages within {UNEVEN:.0%} of each other.")
        )
    parts = (
        f"{one.source}: {one.arm} drew {one.share:.0%} of its {one.side} in {one.language}, {one.other_arm} "
        f"{one.other_share:.0%}"
        for one in uneven
    )
    return (
        "Samplers of a source did not draw the same languages, so that a difference between them may be one of "
        f"languages ({'; '.join(parts)})."
    )


def _confirmed(study: Study, *, pairs: bool = True) -> str:
    """Return what is called confirmed, and in which family: of pairs of source and target, or of questions."""
    if not study.primary:
        return f"{_CONFIRMED}all rows of a measure (the plan names no primary contrasts)"
    chosen = [one for one in study.primary if (one.over == PAIRS) == pairs]
    if not chosen:
        return "nothing is tested here: the plan names no primary contrast of this kind"
    where = ", in all pairs of source and target" if pairs else ""
    named_ones = "; ".join(
        f"{named(one.measure, one.setting)}, {one.new} against {one.base}{_part(one)}" for one in chosen
    )
    return f"{_CONFIRMED}the primary contrasts of the plan{where} ({named_ones})"


def _part(one: Primary) -> str:
    """Return which mean and which cells a primary contrast is about."""
    return (f" {QUESTIONS[one.over]}" if one.over != PAIRS else "") + (_OF_TRAINED if one.cells == TRAINED else "")


def _questions(found: pl.DataFrame, study: Study) -> Iterable[Block]:
    """Yield a table per question: what a sampler changed, as a mean over pairs of source and target."""
    for over, words in QUESTIONS.items():
        rows = []
        for row in found.filter(pl.col("over") == over).iter_rows(named=True):
            about = measure_of(row["measure"])
            tested = row["verdict"] != "untested"
            rows.append(
                (
                    Entry(f"{row['new']} against {row['base']}"),
                    Entry(named(row["measure"], row["setting"]) + (_OF_TRAINED if row["cells"] == TRAINED else "")),
                    difference_entry(Cell(row["difference"], row["low"], row["high"]), about),
                    Entry(_said(over, row["verdict"], within=row["within"])),
                    probability(row["p_corrected"]),
                    difference_entry(Cell(row["least"]), about) if tested else EMPTY,
                    count(row["n_pairs"]),
                )
            )
        if rows:
            heads = ("contrast", "measure", "difference", "verdict", "p corrected", "can be found", "pairs")
            yield Table(
                f"Difference {words}",
                heads,
                tuple(rows),
                (_OVER[over], *_NOTES, f"Verdicts: {_confirmed(study, pairs=False)}."),
                labels=2,
            )


def _said(over: Over, verdict: str, *, within: bool) -> str:
    """Return a verdict in words: of what is lost, a difference that is better means that the gain is lost."""
    words = {"untested": NOT_TESTED, **(_LOST if over == "lost" else {})}
    return words.get(verdict, verdict) + (_WITHIN if within and verdict in ("better", "worse") else "")


def _answers(found: pl.DataFrame, study: Study) -> Iterable[Block]:
    """A row per contrast and measure: in how many of all pairs of source and target it is better, worse, unclear."""
    verdicts = ["better", "worse", "unclear"]
    verdicts[2:2] = ["equal"] if any(one.margin is not None and one.over == PAIRS for one in study.primary) else []
    verdicts += ["untested"] if study.primary else []
    rows = []
    for (base, new, cells), part in found.group_by("base", "new", "cells", maintain_order=True):
        for measure, setting in HEADLINES:
            chosen = part.filter((pl.col("measure") == measure) & pl.col("setting").eq_missing(pl.lit(setting)))
            if chosen.is_empty():
                continue
            counts = Counter(chosen["verdict"].to_list())
            about = measure_of(measure)
            middle: list[Any] = [chosen["difference"].median(), chosen["difference"].min(), chosen["difference"].max()]
            rows.append(
                (
                    Entry(f"{new} against {base}"),
                    Entry(named(measure, setting) + (_OF_TRAINED if cells == TRAINED else "")),
                    *(count(counts[verdict]) for verdict in verdicts),
                    *(difference_entry(Cell(value), about) for value in middle),
                )
            )
    columns = (NOT_TESTED if verdict == "untested" else verdict for verdict in verdicts)
    heads = ("contrast", "measure", *columns, "median diff.", "least", "greatest")
    n = found.select("source", "target").unique().height
    notes = (
        f"Counts are of {n} pairs of a source and a target; a row{_OF_TRAINED} counts those whose target has other "
        "languages too.",
        f"Better and worse are {_confirmed(study)}.",
        "Unclear is not equal: these ids and trainings cannot tell whether there is a difference, nor which way.",
        _FALLS,
    )
    return (Table("In how many pairs of source and target", heads, tuple(rows), notes, labels=2),)


def _where(found: pl.DataFrame, study: Study) -> Iterable[Block]:
    """Yield a matrix of differences, source by target, for the hybrid in the middle and the last arm."""
    hybrids = [arm for arm in study.arms if arm.sampler == HYBRID]
    middle = min(hybrids, key=lambda arm: abs((arm.alpha or 0.0) - 0.5)).label if hybrids else None
    pairs = list(found.select("base", "new").unique(maintain_order=True).iter_rows())
    for base, new in pairs:
        if middle is not None and new != middle:
            continue
        for measure, setting in HEADLINES[:4]:
            part = found.filter(
                (pl.col("base") == base) & (pl.col("new") == new)
                & (pl.col("measure") == measure) & (pl.col("setting") == setting) & (pl.col("cells") == ALL)
            )  # fmt: skip
            yield _matrix(part, study, f"{named(measure, setting)}: {new} minus {base}", measure_of(measure))


def _matrix(part: pl.DataFrame, study: Study, title: str, about: Measure) -> MatrixBlock:
    found = {
        (row["source"], row["target"]): Cell(
            row["difference"], row["low"], row["high"], row["n_seeds"],
            p=row["p_corrected"], significant=row["verdict"] in ("better", "worse"),
        )
        for row in part.iter_rows(named=True)
    }  # fmt: skip
    note = f"Source down, target across; {MARK}: {_confirmed(study)}. Intervals are over ids and trainings; n is seeds."
    return MatrixBlock(title, _of_study(found, study, about, differs=True), (note,))


def _of_study(found: Mapping[tuple[str, str], Cell], study: Study, about: Measure, *, differs: bool = False) -> Matrix:
    cells = cells_of(found, study.sources, study.targets)
    return Matrix(about, study.sources, study.targets, cells, axes=("source", "target"), differs=differs)


def _trained(run: Run, values: pl.DataFrame, study: Study) -> Iterable[Section]:
    """Yield what training made of retrieval and alignment, beside what the untrained encoder has."""
    if study.reference is None or not study.in_domain:
        return
    found = home_and_away(values, reference_numbers(run, study), study)
    arms = [arm for arm in (REFERENCE, *study.arms) if arm.label in found["arm"]]
    blocks = []
    for over in ("home", "away"):
        rows = []
        for measure, setting in SHIFTED:
            part = found.filter(
                (pl.col("over") == over) & (pl.col("measure") == measure)
                & pl.col("setting").eq_missing(pl.lit(setting))
            )  # fmt: skip
            about = measure_of(measure)
            cells = [entry(_mean(part.filter(pl.col("arm") == arm.label)), about) for arm in arms]
            rows.append((Entry(named(measure, setting)), *cells))
        notes = (
            "Means over pairs of source and target; [a, b] is the 95% t-interval over seeds. The untrained encoder's "
            "are over the same pairs. Differences from it, with their tests, stand above; CKA has no values by id and "
            "is not tested.",
        )
        heads = ("measure", *(arm.label for arm in arms))
        blocks.append(Table(f"Before and after training, {QUESTIONS[over]}", heads, tuple(rows), notes))
    yield Section("What training makes of it", tuple(blocks))


def _by_arm(values: pl.DataFrame, study: Study) -> tuple[Block, ...]:
    """A row per arm: the mean over sources and targets, with its interval over seeds."""
    rows = []
    for arm in study.arms:
        cells = []
        for measure, setting in HEADLINES:
            part = values.filter(
                (pl.col("arm") == arm.label) & (pl.col("measure") == measure)
                & pl.col("setting").eq_missing(pl.lit(setting))
            )  # fmt: skip
            means = part.group_by("seed").agg(pl.col("value").mean(), pl.col("value").count().alias("n")).sort("seed")
            frame = means.with_columns(
                *(pl.lit("").alias(name) for name in ("source", "arm", "target", "measure", "setting"))
            )
            about = measure_of(measure)
            cells.append(entry(_mean(over_seeds(frame)), about))
        rows.append((Entry(arm.label), *cells))
    heads = ("sampler", *(named(*headline) for headline in HEADLINES))
    note = (
        "Means over all pairs of source and target; [a, b] is the 95% t-interval over seeds, which knows nothing of "
        "how sources and targets were chosen."
    )
    return (Table("Means over sources and targets", heads, tuple(rows), (note,)),)


def _shift(values: pl.DataFrame, study: Study) -> tuple[Block, ...]:
    if not study.in_domain:
        return (Paragraph("The plan names no target that is the held-out part of a source: nothing is in-domain."),)
    drops = robustness(values, study)
    rows = []
    for arm in study.arms:
        part = drops.filter(pl.col("arm") == arm.label)
        rows.append((Entry(arm.label), *(_share(row) for row in part.iter_rows(named=True))))
    shown = drops.filter(pl.col("arm") == study.arms[0].label)
    heads = ("sampler", *(named(m, s) for m, s in shown.select("measure", "setting").iter_rows()))
    n_pairs = int(drops["n_pairs"][0])
    notes = (
        f"Mean relative drop (M[T,T] − M[S,T]) / M[T,T] over {n_pairs} pairs S ≠ T, with its 95% t-interval over "
        "seeds. 0: nothing is lost away from home; positive: worse. Where low is good the sign is turned, so that "
        "50% of a rank distance means that it grew by half.",
        "A large drop may come from a strong value at home: read it beside the differences.",
    )
    table = Table("Relative drop away from the source's own domain", heads, tuple(rows), notes)
    home = [t for t in study.targets if t in study.in_domain]
    blocks: list[Block] = [_lost(drops, study), table]
    for measure, setting in (("map", "multilingual"), ("rank_distance.normalised", "multilingual")):
        for arm in (study.arms[0], *(a for a in study.arms if a.alpha == 0.5)):
            blocks.append(_domains(values, study, arm.label, measure, setting, home))
    return tuple(blocks)


def _lost(drops: pl.DataFrame, study: Study) -> Table:
    """Return the losses as differences, a row per arm."""
    rows = []
    for arm in study.arms:
        cells = [
            difference_entry(Cell(row["lost"], row["lost_low"], row["lost_high"]), measure_of(row["measure"]))
            for row in drops.filter(pl.col("arm") == arm.label).iter_rows(named=True)
        ]
        rows.append((Entry(arm.label), *cells))
    shown = drops.filter(pl.col("arm") == study.arms[0].label)
    heads = ("sampler", *(named(m, s) for m, s in shown.select("measure", "setting").iter_rows()))
    notes = (
        "M[T,T] − M[S,T], the other way round where low is good: positive is lost. Means over the pairs of the table "
        "below, with 95% t-intervals over seeds.",
    )
    return Table("What is lost away from the source's own domain", heads, tuple(rows), notes)


def _domains(values: pl.DataFrame, study: Study, arm: str, measure: str, setting: str, home: list[str]) -> MatrixBlock:
    about = measure_of(measure)
    part = over_seeds(
        values.filter((pl.col("arm") == arm) & (pl.col("measure") == measure) & (pl.col("setting") == setting))
    )
    found = {(s, t): _mean(one) for (s, t), one in part.group_by("source", "target", maintain_order=True)}
    title = f"{named(measure, setting)} of {arm}: source down, target across"
    own = ", ".join(f"{study.in_domain[t]} → {t}" for t in home)
    return MatrixBlock(title, _of_study(found, study, about), (f"Means over seeds. At home: {own}.",))


def _topics(run: Run, study: Study, tell: Callable[[str], None]) -> Iterable[Block]:
    """Yield, for each target with topics, the least and greatest mAP between languages of its topics, by arm."""
    first_seed = study.seeds[0]
    for target in study.targets:
        try:
            of_ids = topics(run, target)
        except RunError:
            continue
        n_topics = of_ids["topic"].n_unique()
        if n_topics < 2 or of_ids.height < n_topics * _LEAST_IDS:
            continue
        rows = []
        for source in study.sources:
            for arm in _ends_and_middle(study):
                name = study.members.get((source, arm, first_seed))
                if name is None:
                    continue
                tell(f"topics of {target}: {name}")
                found = by_topic(run, name, target, ("map",), of_ids=of_ids, intervals=False).filter(
                    (pl.col("setting") == "cross-lingual") & pl.col("value").is_not_null()
                )
                if found.is_empty():
                    continue
                ordered = found.sort("value", "topic")
                spread = float(np.std(found["value"].to_numpy()))
                rows.append(
                    (
                        Entry(source), Entry(arm.label),
                        _number(ordered["value"][0]), Entry(str(ordered["topic"][0]), kind="name"),
                        _number(ordered["value"][-1]), Entry(str(ordered["topic"][-1]), kind="name"),
                        _number(spread),
                    )
                )  # fmt: skip
        heads = ("source", "sampler", "least", "topic", "greatest", "topic", "sd")
        note = (
            f"mAP between languages of the queries of each of {n_topics} topics, in the pools of the whole task; "
            f"seed {first_seed}."
        )
        yield Table(f"Topics of {target}", heads, tuple(rows), (note,), labels=2)


def _ends_and_middle(study: Study) -> list[Arm]:
    hybrids = sorted(
        (arm for arm in study.arms if arm.alpha is not None), key=lambda arm: abs((arm.alpha or 0.0) - 0.5)
    )
    return [arm for arm in study.arms if arm.alpha is None or arm in hybrids[:1]]


def _number(value: float) -> Entry:
    return numeric(number(value), value)


def _mean(part: pl.DataFrame) -> Cell:
    """Return a mean over seeds, n of them, with its interval."""
    if part.is_empty():
        return ABSENT
    row = part.row(0, named=True)
    return Cell(row["mean"], row["low"], row["high"], row["n_seeds"])


def _share(row: dict[str, Any]) -> Entry:
    """Return a relative drop in percent, with its interval over seeds."""
    value, low, high = (row[name] for name in ("drop", "low", "high"))
    if value is None:
        return EMPTY
    ends = f"[{low:.0%}, {high:.0%}]" if low is not None and high is not None else ""
    return Entry(f"{value:.0%}", Cell(value, low, high), ends, kind="number")


def power_document(
    run: Run, seeds: Sequence[int], family: int, *, tell: Callable[[str], None] = lambda _: None
) -> Document:
    """Return how large a difference a study like this one finds with so many seeds, see `least_by_seeds`.

    Raises RunError where the run holds no study, or one without two seeds and targets at home.
    """
    study = read_study(run)
    found = least_by_seeds(run, study, seeds, family, tell=tell)
    if found.is_empty():
        raise RunError(
            f"{run.path}: expected a study with targets in [in_domain] and at least two seeds of each sampler"
        )
    rows = []
    for (over, base, new, measure, setting, cells), part in found.group_by(
        "over", "base", "new", "measure", "setting", "cells", maintain_order=True
    ):
        about = measure_of(measure)
        rows.append(
            (
                Entry(f"{new} against {base}"),
                Entry(f"{named(measure, setting)} {QUESTIONS[over]}{_OF_TRAINED if cells == TRAINED else ''}"),
                *(entry(Cell(value), about) for value in part["least"]),
            )
        )
    notes = (
        f"The difference that four of five studies with the variances of {study.title} find as the strictest of "
        f"{family} primary contrasts (p < {ALPHA / family:.2g}), by seeds of each sampler and source.",
        "Query ids are as they are there: where more seeds hardly help, the ids are the limit.",
    )
    heads = ("contrast", "measure", *(f"{n} seeds" for n in seeds))
    table = Table("Least difference that is found", heads, tuple(rows), notes, labels=2)
    return Document(study.title, "what more seeds would find", (Section("Power", (table,)),))


def study_report(run: Run, *, full: bool = False, tell: Callable[[str], None] = lambda _: None) -> str:
    """Return the report of a study as Markdown; see `study_document`."""
    return to_markdown(study_document(run, full=full, tell=tell))
