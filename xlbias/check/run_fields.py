"""The numbers of one encoder on one task, as requirements name them.

Every number of `xlbias.results.by_key` has a name and the languages of its brackets; to each name belong ``.low`` and
``.high`` (its 95% interval), ``.n`` (values it is over), ``.n_excluded`` (undefined values left out), and where ranks
are censored ``.least`` and ``.most`` (its bounds; it has no value then)::

    map.monolingual                 macro average of a setting: monolingual, cross_lingual, multilingual
    map[th,de]  map[th,multilingual]   a cell: query language and pool
    map.monolingual[th]             the same cells, of one setting only: [th] where the setting says the pool,
    map.cross_lingual[th,de]        [th,de] in the cross-lingual setting; map.multilingual[th]
    rank_distance                   a measure of bias is about the multilingual pool: with or without .multilingual
    rank_distance[th]               by query language
    exposure@10.ratio[th,de]        by query and answer language
    exposure@10.ratio.by_answer[de]    by answer language, over all queries
    exposure@10.ratio.own_language  answers in the query's language; .other_language in other languages
    passages.cka  passages.cka[de,en]  alignment of passages, or of queries: overall, of a pair (a symmetric measure
    passages.uniformity[de]         in both orders), of a language

    caveats  caveats[seen]  caveats[*] caveats of the encoder on the task: all, of one kind, of each kind
    findings  findings[shift]  findings[*]  findings: those that are a concern, all of one kind, all of each kind

A name with several settings means none of them: bare ``map`` is refused, and the error tells the three.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from xlbias.check.lookup import LEAST, MOST, Key
from xlbias.errors import RunError, UsageError
from xlbias.results import per_query
from xlbias.results.caveats import KINDS, caveats
from xlbias.results.cell import Cell
from xlbias.results.findings import DEFAULTS, Finding, Thresholds, findings, kinds
from xlbias.results.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL, OTHER, OWN, SETTINGS

BY_ANSWER = "by_answer"
CAVEATS, FINDINGS = "caveats", "findings"
_COLUMNS = {  # of a cell
    "": "value", ".low": "low", ".high": "high", ".n": "n", ".n_excluded": "n_excluded", LEAST: "least", MOST: "most",
}  # fmt: skip


class AmbiguousFieldError(UsageError):
    """A measure is asked for one number and has several: the message tells their names."""


class RunFields:
    """The `Fields` of one model and task of a run; raises RunError if it has no numbers of them.

    `thresholds` are those of findings.
    """

    def __init__(self, run: Run, model: str, task: str, thresholds: Thresholds = DEFAULTS) -> None:
        cells = run.numbers.of(model, task)
        if not cells:
            raise RunError(f"{run.path}: has no numbers of {model} on {task}")
        self._run, self._model, self._task, self._thresholds = run, model, task, thresholds
        self._caveats = [one for one in caveats(run) if one.concerns(model, task)]
        self._tables: dict[str, dict[int, dict[Key, float | None]]] = {}
        single: dict[str, list[str]] = {}  # measure → names of its numbers without languages
        for number, cell in cells.items():
            for name, key in _written(number):
                self._add(name, key, cell)
                if not key:
                    single.setdefault(number.measure, []).append(name)
        for number, cell in cells.items():
            query, passage = number.query_language, number.passage_language
            if query is not None and passage is not None:
                if number.setting is None and (passage, query) not in self._tables[number.measure][2]:
                    self._add(number.measure, (passage, query), cell)
            elif query is None and passage is None and len(single[number.measure]) == 1:
                self._add(number.measure, (), cell)

    def names(self) -> Sequence[str]:
        """Return every name that `lookup` knows."""
        return [*self._tables, CAVEATS, FINDINGS]

    def lookup(self, name: str, languages: int) -> Mapping[Key, float | None]:
        """Return all values of a name by so many languages, see `Fields`.

        Raises AmbiguousFieldError for a measure of several settings without one and without languages.
        """
        if name == CAVEATS:
            return _counts([one.kind for one in self._caveats], KINDS, len(self._caveats), languages)
        if name == FINDINGS:
            found = self._findings
            return _counts([one.kind for one in found], kinds(), sum(one.concern for one in found), languages)
        tables = self._tables.get(name, {})
        if languages == 0 and 0 not in tables and tables:
            self._refuse_ambiguous(name)
        return tables.get(languages, {})

    def counted(self, name: str, key: Key) -> Sequence[str]:
        """Return the caveats that ``caveats`` counts, and what ``findings`` counts; nothing for other names."""
        if name == FINDINGS:
            return [one.sentence for one in self._findings if key == (one.kind,) or (key == () and one.concern)]
        return [one.whole for one in self._caveats if name == CAVEATS and key in ((), (one.kind,))]

    @cached_property
    def _findings(self) -> list[Finding]:
        found = findings(self._run, thresholds=self._thresholds)
        return [one for one in found if one.concerns(self._model, self._task)]

    def _add(self, name: str, key: Key, cell: Cell) -> None:
        for end, column in _COLUMNS.items():
            self._tables.setdefault(name + end, {}).setdefault(len(key), {})[key] = getattr(cell, column)

    def _refuse_ambiguous(self, name: str) -> None:
        base, end = next((name.removesuffix(end), end) for end in reversed(_COLUMNS) if name.endswith(end))
        parts = [setting.replace("-", "_") for setting in (*SETTINGS, OWN, OTHER)]
        named = [full for part in parts if 0 in self._tables.get(full := f"{base}.{part}{end}", {})]
        if named:
            named += [f"{name}[{','.join('*' * count)}]" for count in sorted(self._tables[name])]
            answers = f"{base}.{BY_ANSWER}{end}"
            named += [f"{answers}[*]"] if answers in self._tables else []
            raise AmbiguousFieldError(f"{name} is several numbers: write {', '.join(named[:-1])} or {named[-1]}")


def _counts(found: Sequence[str], known: Sequence[str], total: int, brackets: int) -> dict[Key, float | None]:
    """Return the total under ``()``, or how many there are by kind, with 0 for kinds that were not found."""
    if brackets == 0:
        return {(): float(total)}
    return {(kind,): float(found.count(kind)) for kind in known} if brackets == 1 else {}


def _written(of: per_query.Key) -> Iterator[tuple[str, Key]]:
    """Yield the names of a number, each with the languages of its brackets."""
    measure, query, passage = of.measure, of.query_language, of.passage_language
    setting = of.setting and of.setting.replace("-", "_")
    if query is None and passage is not None:
        yield f"{measure}.{BY_ANSWER}", (passage,)
    elif query is None:
        yield (f"{measure}.{setting}" if setting else measure), ()
    else:
        key: Key = (query,) if passage is None else (query, passage)
        yield measure, key
        if setting:
            determined = passage in (None, MULTILINGUAL_POOL) or setting == "monolingual"
            yield f"{measure}.{setting}", (query,) if determined else key
