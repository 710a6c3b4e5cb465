"""What the charts of a training show: a panel for each of its curves, and its figures in words; pure functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xlbias.dashboard.terminal.numbers import duration
from xlbias.dashboard.terminal.plot import SEVERAL, Drawn, Series, legend, mark_of, plot, short_number
from xlbias.dashboard.workers.pace import Pace
from xlbias.dashboard.workers.snapshot import Snapshot
from xlbias.report.numbers import number
from xlbias.results.training import MAPS, Curves, Points, in_progress, shares, steps_in_all
from xlbias.text import clean, one_line

_BATCHES = " batches"
_SHORT = {"monolingual": f"mono{_BATCHES}", "cross-lingual": f"cross{_BATCHES}", "mixed": f"mixed{_BATCHES}"}
_MOST_TASKS = 6  # in one chart
_GB = 1e9


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        name: a word or two for the list of panels.
        title: what it shows, own words.
        series: the curves.
        y_text: how values are written in the legend.
        about: text from data that says more of it: the task, or the tasks of the series.
        nothing: said where there is no point.
        short: the title where there is no room for it beside the legend.
    """

    name: str
    title: str
    series: tuple[Series, ...]
    y_text: Callable[[float], str] = short_number
    about: str = ""
    nothing: str = "nothing logged yet"
    short: str = ""

    def drawn(self, width: int, height: int) -> Drawn:
        """Return the chart."""
        return plot(self.series, width, height, nothing=self.nothing)

    def legend(self, drawn: Drawn, *, short: bool = False) -> list[tuple[str, int]]:
        """Return what the marks mean, with the last values; `short` in fewer words."""
        found = [*legend(self.series, self.y_text)] if not self.about.startswith(mark_of(0)) else []
        if any(SEVERAL in text for line in drawn for text, _ in line):
            found.append((f"{SEVERAL} several", -1))
        return [(text.replace(_BATCHES, ""), number_) for text, number_ in found] if short else found


def panels(training: Curves, *, finished: bool) -> tuple[Panel, ...]:
    """Return the charts of a training, the most telling first."""
    nothing = "it was not validated" if finished else "not validated yet"
    tasks = training.tasks
    one_task = tasks[0] if len(tasks) == 1 else None
    about = f"on {clean(one_task)}" if one_task is not None else ""
    mean = f"validation mAP, mean of {len(tasks)} tasks" if len(tasks) > 1 else "validation mAP"
    short = mean.replace("validation mAP, ", "mAP, ")
    found = [
        Panel("loss", "loss", _losses(training), lambda v: number(v, digits=3)),
        Panel("mAP", mean, _maps(training, one_task), number, about, nothing, short),
        Panel("learning rate", "learning rate", _alone(training.logged("learning_rate")), lambda v: f"{v:.3g}"),
        _distances(training, tasks, about, nothing),
        Panel("speed", "pairs a second", _alone(training.logged("pairs_per_second")), lambda v: f"{v:,.0f}"),
        Panel("memory", f"{memory_kind(training)} in GB", _alone(_scaled(training.logged("memory_bytes"))),
              lambda v: f"{v:.2f}"),
    ]  # fmt: skip
    if len(tasks) > 1:
        found += [
            Panel(f"mAP {i}", f"validation mAP {i}/{len(tasks)}", _maps(training, task), number, f"on {clean(task)}",
                  nothing)
            for i, task in enumerate(tasks, 1)
        ]  # fmt: skip
    return tuple(found)


def _losses(training: Curves) -> tuple[Series, ...]:
    """The loss of each kind of batches where several are drawn, else that of all; and of the validations."""
    kinds = training.loss_by_kind
    drawn = {_SHORT.get(kind, kind): points for kind, points in kinds.items()} if len(kinds) > 1 else {}
    found = [Series(name, points, marked=bool(drawn)) for name, points in drawn.items()]
    found = found or [Series("training", training.logged("loss"), marked=False)]
    validated = Series("validation", training.validated("loss"))
    return tuple(one for one in (*found, validated) if one.points) or (found[0],)


def _maps(training: Curves, task: str | None) -> tuple[Series, ...]:
    return tuple(Series(name, training.validated(column, task)) for name, column in MAPS.items())


def _alone(points: Points) -> tuple[Series, ...]:
    return (Series("last", points, marked=False),)


def _scaled(points: Points) -> Points:
    return tuple((step, value / _GB) for step, value in points)


def _distances(training: Curves, tasks: list[str], about: str, nothing: str) -> Panel:
    title = "validation rank distance"
    if len(tasks) < 2:
        series = (Series("last", training.validated("rank_distance"), marked=len(tasks) > 0),)
        return Panel("rank distance", title, series, _ranks, about, nothing)
    shown = tasks[:_MOST_TASKS]
    each = [Series("", training.validated("rank_distance", task)) for task in shown]
    names = []
    for i, (task, one) in enumerate(zip(shown, each, strict=True)):
        last = _ranks(one.points[-1][1]) if one.points else "·"
        names.append(f"{mark_of(i)} {last} {one_line(task, 16)}")
    if len(tasks) > len(shown):
        names.append(f"{len(tasks) - len(shown)} more tasks are in what y copies")
    return Panel("rank distance", title, tuple(each), _ranks, "  ".join(names), nothing)


def _ranks(value: float) -> str:
    return number(value, unit_range=False)


def memory_kind(training: Curves) -> str:
    """Return what was measured as memory: peak on the GPU, or the size of the process."""
    return "peak GPU memory" if (training.card.device or "").startswith("cuda") else "resident memory"


def figures(training: Curves, snapshot: Snapshot, pace: Pace) -> list[str]:
    """Return where a training stands, most important first: steps, time, throughput, memory."""
    progress = snapshot.state.progress if not snapshot.finished else None
    running = in_progress(training, progress)
    total, step = steps_in_all(training, progress), training.step
    at = progress.done if running and progress else step
    found = []
    if at is not None:
        found.append(f"step {at:,} of {total:,}" if total else f"step {at:,}")
    elif total:
        found.append(f"{total:,} steps to come" if not snapshot.finished else "no step was logged")
    if running and progress and snapshot.state.status == "running":
        left = pace.seconds_left(progress)
        found.append(f"ETA {duration(left)}" if left is not None else "ETA ·")
    elif training.seconds is not None:
        found.append(f"took {duration(training.seconds)}")
    if training.pairs_per_second is not None:
        found.append(f"{training.pairs_per_second:,.0f} pairs/s")
    memory = training.last("memory_bytes")
    if memory is not None:
        found.append(f"{memory / _GB:.2f} GB {memory_kind(training)}")
    if training.best_step is not None:
        found.append(f"saved: step {training.best_step:,}")
    return found


def batches(training: Curves) -> str:
    """Return how many batches of each kind were drawn so far, with their shares."""
    counts = {kind: n for kind, n in training.batches.items() if n} or dict(list(training.batches.items())[:1])
    parts = shares(counts)
    words = [f"{n:,} {kind}" + (f" ({parts[kind]:.1%})" if kind in parts else "") for kind, n in counts.items()]
    return f"batches {' · '.join(words)}" if words else ""
