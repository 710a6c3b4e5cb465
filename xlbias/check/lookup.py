"""The numbers that requirements are about: what a caller gives, and how a field is found among them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from xlbias.check.source import Source, short
from xlbias.check.tree import ANY, Field
from xlbias.choices import listed, suggestion
from xlbias.runs.schema import MULTILINGUAL_POOL

Key = tuple[str, ...]

LEAST, MOST = ".least", ".most"
"""Ends of names: the bounds of a number that is not known exactly."""


class Fields(Protocol):
    """The numbers of one run, by name and languages."""

    def names(self) -> Sequence[str]:
        """Return every name that `lookup` knows, such as ``map``, ``map.multilingual``, ``map.multilingual.low``.

        ``NAME.n`` is how many queries NAME was taken over (for NAME, ``NAME.low`` and ``NAME.high``).
        """
        ...

    def lookup(self, name: str, languages: int) -> Mapping[Key, float | None]:
        """Return all values of one of `names` by languages, as many in each key as asked for; empty if there are none.

        0 languages: the one number, under ``()``. 1: by ``(language,)``. 2: by ``(query language, passage language)``,
        where the passage language may be ``multilingual``, the union of all. None or NaN is undefined.
        May be asked for the same name more than once.
        """
        ...

    def counted(self, name: str, key: Key) -> Sequence[str]:
        """Return what the value of a name at `key` is a count of, a sentence each, such as caveats; else nothing."""
        ...


class FoundField:
    """The values of a field: `values` by the languages that its stars stand for, `full` the languages of each in full.

    Raises UsageError if there is no such field or language.
    """

    def __init__(self, field: Field, fields: Fields, source: Source) -> None:
        self._fields, self._name = fields, field.name
        names = fields.names()
        if field.name not in names:
            there = suggestion(field.name, names) or f": choose from {listed(names)}"
            whose = "the baseline" if field.baseline else "the run"
            raise source.error(field.start, f"{whose} has no field {short(field.name)!r}{there}")
        table = fields.lookup(field.name, len(field.languages))
        if not table:
            raise source.error(field.start, _no_values(field, fields))
        wanted = [_known(language, i, field, table, source) for i, language in enumerate(field.languages)]
        self.full: dict[Key, Key] = {}
        for key in table:
            if all(
                got == want or (want == ANY and got != MULTILINGUAL_POOL) for got, want in zip(key, wanted, strict=True)
            ):
                self.full[tuple(got for got, want in zip(key, wanted, strict=True) if want == ANY)] = key
        if not self.full:
            raise source.error(field.start, f"there is no {short(field.full_name)}[{','.join(wanted)}]")
        self.values: dict[Key, float | None] = {stars: table[key] for stars, key in self.full.items()}

    def counted(self, key: Key) -> Sequence[str]:
        """Return what the value at `key` (of `values`) is a count of, a sentence each; nothing where it is none."""
        return self._fields.counted(self._name, self.full[key])

    def bounds(self, key: Key) -> tuple[float, float] | None:
        """Return the least and the greatest value there can be at `key` (of `values`): the value itself where known.

        None where it is undefined.
        """
        value = self.values[key]
        if value is not None and math.isfinite(value):
            return value, value
        full, names = self.full[key], self._fields.names()
        wanted = [self._name + end for end in (LEAST, MOST)]
        ends = [self._fields.lookup(name, len(full)).get(full) for name in wanted if name in names]
        known = [end for end in ends if end is not None and math.isfinite(end)]
        return (known[0], known[1]) if len(known) == 2 else None

    def n(self, key: Key) -> int | None:
        """Return how many queries the value at `key` (of `values`) was taken over, where the fields tell."""
        base, _, end = self._name.rpartition(".")
        if end in ("n", "n_excluded"):
            return None
        name = f"{base if f'.{end}' in ('.low', '.high', LEAST, MOST) else self._name}.n"
        if name not in self._fields.names():
            return None
        full = self.full[key]
        n = self._fields.lookup(name, len(full)).get(full)
        return int(n) if n is not None and math.isfinite(n) else None


def _known(wanted: str, position: int, field: Field, table: Mapping[Key, float | None], source: Source) -> str:
    """Return a language as the run writes it; BCP 47 tags are the same whatever their case."""
    there = {key[position].lower(): key[position] for key in table}
    if wanted == ANY or wanted.lower() in there:
        return there.get(wanted.lower(), ANY)
    known = list(there.values())
    kind = "kind" if field.name in ("caveats", "findings") else "language"
    what = f"{short(field.full_name)} has no {kind} {short(wanted)!r} at place {position + 1} of its brackets"
    raise source.error(field.start, f"{what}{suggestion(wanted, known)}: choose from {listed(known)}")


def _no_values(field: Field, fields: Fields) -> str:
    """Say with how many languages the field has values instead."""
    name = short(field.full_name)
    forms = [name, f"{name}[*]", f"{name}[*,*]"]
    others = [form for count, form in enumerate(forms) if fields.lookup(field.name, count)]
    asked = forms[len(field.languages)]
    return f"there is no {asked}: write {' or '.join(others)}" if others else f"{name} has no values in this run"
