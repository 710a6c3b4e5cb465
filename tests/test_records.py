"""Records from files: strict types, the keys that were meant, and one sentence for whatever is wrong."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from xlbias.errors import RunError, UsageError, XlbiasError
from xlbias.records import check_record, decode, decode_fields, quoted, read_json, read_toml

Task = Annotated[str, Meta(description="a task")]


class Source(Struct, frozen=True):
    """One that may have more keys than are known."""

    name: str
    ids: Annotated[int, Meta(ge=0)] = 0


class Thing(Struct, frozen=True, forbid_unknown_fields=True):
    base: Annotated[str, Meta(description="a folder or a hub name")]
    steps: Annotated[int, Meta(ge=0, le=2**32, description="at least 1, or 0 for whole epochs")] = 0
    rate: Annotated[float, Meta(gt=0, le=1e300, description="more than 0")] = 1.0
    schedule: Literal["linear", "cosine"] = "linear"
    prefix: str | None = None
    tasks: dict[str, Annotated[Task | tuple[Task, ...], Meta(description="a task, or a list of tasks")]] = {}
    sources: tuple[Source, ...] = ()
    pair: tuple[int, str] = (0, "")
    few: Annotated[int | Annotated[tuple[int, ...], Meta(min_length=1)], Meta(description="one, or a list")] = 1
    of: Source | None = None
    on: bool = False
    rest: dict[str, Any] = {}


def test_a_mapping_becomes_a_record_and_a_whole_number_a_number() -> None:
    thing = decode({"base": "x", "rate": 2, "tasks": {"a": ["b"], "c": "d"}, "prefix": None}, Thing, UsageError)
    assert thing == Thing("x", rate=2.0, tasks={"a": ("b",), "c": "d"})
    assert isinstance(thing.rate, float)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "has no key 'base': expected a folder or a hub name"),
        ({"base": 3}, "base is 3: expected a string: a folder or a hub name"),
        ({"bse": "x"}, "unknown key 'bse' (did you mean base?)"),
        ({"base": "x", "zzz": 1}, "unknown key 'zzz': expected base, steps"),
        ({"base": "x", 3: 1}, "unknown key 3: expected base, steps"),
        ({"base": "x", "steps": True}, "steps is True: expected a whole number: at least 1, or 0 for whole epochs"),
        ({"base": "x", "steps": 1.0}, "steps is 1.0: expected a whole number"),
        ({"base": "x", "steps": -1}, "steps is -1: expected at least 1, or 0 for whole epochs"),
        ({"base": "x", "steps": 10**400}, "…: expected at least 1, or 0 for whole epochs"),
        ({"base": "x", "steps": 10**5000}, "steps is too large a int: expected at least 1"),
        ({"base": "x", "rate": "low"}, "rate is 'low': expected a number: more than 0"),
        ({"base": "x", "rate": True}, "rate is True: expected a number"),
        ({"base": "x", "rate": float("nan")}, "rate is nan: expected more than 0"),
        ({"base": "x", "rate": float("inf")}, "rate is inf: expected more than 0"),
        ({"base": "x", "schedule": "linar"}, "schedule is 'linar' (did you mean linear?): expected linear, cosine"),
        ({"base": "x", "schedule": 2}, "schedule is 2: expected linear, cosine"),
        ({"base": "x", "prefix": 2}, "prefix is 2: expected a string"),
        ({"base": "x", "on": 1}, "on is 1: expected true or false"),
        ({"base": "x", "tasks": "t"}, "tasks is 't': expected a table of named values"),
        ({"base": "x", "tasks": {"a": "b", "c": 3}}, "tasks.c is 3: expected a task, or a list of tasks"),
        ({"base": "x", "tasks": {"c": ["b", 3]}}, "tasks.c[1] is 3: expected a string: a task"),
        ({"base": "x", "sources": 3}, "sources is 3: expected a list"),
        ({"base": "x", "sources": [{"name": "a"}, {}]}, "sources[1]: has no key 'name': expected a string"),
        ({"base": "x", "sources": [{"name": "a", "ids": -1}]}, "sources[0].ids is -1: expected a whole number"),
        ({"base": "x", "pair": [1, 2]}, "pair[1] is 2: expected a string"),
        ({"base": "x", "pair": [1]}, "pair is [1]: expected a list"),
        ({"base": "x", "few": []}, "few is []: expected one, or a list"),
        ({"base": "x", "few": [1, "a"]}, "few[1] is 'a': expected a whole number"),
        ({"base": "x", "few": "a"}, "few is 'a': expected one, or a list"),
        ({"base": "x", "of": {"name": 1}}, "of.name is 1: expected a string"),
        ({"base": "x", "of": [1]}, "of is [1]: expected a table of named values"),
        ([1], "it is [1]: expected a table of named values"),
        ({"base": "\x1b[2J" * 40, "on": "\x1b[2J"}, r"on is '\x1b[2J': expected true or false"),
    ],
)
def test_what_is_wrong_is_named_with_file_field_value_and_expectation(content: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode(content, Thing, UsageError, file=Path("p.toml"))
    assert str(caught.value).startswith("p.toml: ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_record_that_may_have_more_keys_passes_over_them() -> None:
    assert decode({"name": "a", "licence": "none"}, Source, RunError) == Source("a")


@pytest.mark.parametrize("kind", [Thing, Source])
@pytest.mark.parametrize("content", [{"base": "x", "\ud800": 1}, {"base": "x", "schedule": "\ud800"}])
def test_half_a_character_is_a_value_or_a_key_that_does_not_fit(content: dict[str, Any], kind: type[Struct]) -> None:
    content = content if kind is Thing else {"name": "a", "\ud800": 1}
    with pytest.raises(UsageError, match=r"(unknown key|schedule is) '\\ud800': expected"):
        decode(content, kind, UsageError)
    assert decode({"name": "\udcff"}, Source, UsageError).name == "\udcff"  # a path that is not UTF-8


def test_where_and_what_to_do_stand_in_the_sentence() -> None:
    with pytest.raises(RunError) as caught:
        decode({"name": 1}, Source, RunError, file="r.parquet", at="tasks[0]", remedy="evaluate again")
    assert str(caught.value) == "r.parquet: tasks[0].name is 1: expected a string; evaluate again"


def test_some_fields_of_a_record() -> None:
    assert decode_fields({"rate": 1, "steps": 3}, Thing, UsageError) == {"rate": 1.0, "steps": 3}
    with pytest.raises(UsageError, match=r"settings: unknown key 'step' \(did you mean steps\?\)"):
        decode_fields({"step": 1}, Thing, UsageError, at="settings")
    with pytest.raises(UsageError, match=r"settings\.steps is 'two': expected a whole number"):
        decode_fields({"steps": "two"}, Thing, UsageError, at="settings")


class Even(Struct, frozen=True):
    number: Annotated[int, Meta(ge=0, description="0 or more")]

    def __post_init__(self) -> None:
        check_record(self, RunError)
        if self.number % 2:
            raise RunError(f"number is {self.number}: expected an even one")


def test_a_record_checks_itself_where_it_is_made_and_where_it_is_read() -> None:
    assert Even(2).number == 2
    with pytest.raises(RunError, match="number is -2: expected 0 or more"):
        Even(-2)
    with pytest.raises(UsageError, match=r"^f: number is 3: expected an even one$"):
        decode({"number": 3}, Even, UsageError, file="f")


@pytest.mark.parametrize(("read", "language"), [(read_toml, "TOML"), (read_json, "JSON")])
def test_a_file_that_cannot_be_read_is_named(read: Any, language: str, tmp_path: Path) -> None:
    for content in (b"\xff", b"[" * 5000, b"a = 1\nb =", b'{"a": 1,\n"b"}'):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(XlbiasError, match=f"f: is not {language}: "):
            read(tmp_path / "f", RunError)
    with pytest.raises(RunError, match="none: there is no such file"):
        read(tmp_path / "none", RunError)
    with pytest.raises(RunError, match=r"there is no such file; start again$"):
        read(tmp_path / "none", RunError, remedy="start again")


def test_a_long_value_is_shown_by_its_beginning() -> None:
    assert quoted("x" * 1000) == "'" + "x" * 59 + "…"
    assert quoted(10**9) == "1000000000"


MANY_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import msgspec
from xlbias.errors import RunError
from xlbias.records import decode

sys.setswitchinterval(1e-6)
start = Barrier(4)
content = {f"f{i}": {f"g{j}": j for j in range(12)} for i in range(4)}

def read(kind):
    start.wait()
    return decode(content, kind, RunError)

with ThreadPoolExecutor(4) as threads:
    for _ in range(60):
        inner = msgspec.defstruct("Inner", [(f"g{j}", "int") for j in range(12)])
        kind = msgspec.defstruct("Outer", [(f"f{i}", inner) for i in range(4)])
        first, *others = threads.map(read, [kind] * 4)
        assert all(one == first for one in others) and first.f3.g11 == 11
print("all read")
"""


def test_threads_that_meet_a_record_for_the_first_time_at_once_all_read_it():
    done = subprocess.run([sys.executable, "-P", "-c", MANY_THREADS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all read\n", "")
