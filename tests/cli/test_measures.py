"""`xlbias measures`: all of them, aligned and narrow, and as JSON."""

import json

import pytest

from xlbias.cli import run
from xlbias.measures.registry import all_measures
from xlbias.text import width


def shown(capsys, *arguments):
    assert run(["measures", *arguments]) == 0
    return capsys.readouterr().out


def test_every_measure_is_listed_with_its_range_and_direction(capsys):
    rows = {line.split()[0]: line for line in shown(capsys).splitlines() if line and line[0] != " "}
    for name, measure in all_measures().items():
        assert measure.label in rows[name]
        assert f" {measure.better} " in rows[name]
        assert measure.range in rows[name]


def test_a_definition_stands_beneath_its_measure(capsys):
    text = shown(capsys)
    for measure in all_measures().values():
        assert " ".join(measure.definition.split()) in " ".join(text.split())


@pytest.mark.parametrize("arguments", [[], ["--long"], ["peer"], ["passages.cka"]])
def test_no_line_is_wider_than_80_columns(capsys, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    assert [line for line in shown(capsys, *arguments).splitlines() if width(line) > 80] == []


def test_columns_are_aligned(capsys):
    head, *rows = [line for line in shown(capsys).splitlines() if line.split()[:1] in (["measure"], *_names())]
    for line, measure in zip((line for line in rows if line != head), all_measures().values(), strict=True):
        assert line.index(f"  {measure.label} ") + 2 == head.index("label")
        assert line.rindex(measure.range) == head.index("range")


def _names():
    return [[name] for name in all_measures()]


def test_one_measure_with_everything_about_it(capsys):
    text = " ".join(shown(capsys, "peer").split())
    measure = all_measures()["peer"]
    for part in (measure.label, measure.definition, measure.range, measure.undefined, measure.source):
        assert part in text
    assert "rank_distance" not in text
    assert shown(capsys, "queries.cka") == shown(capsys, "cka")


def test_long_tells_every_source(capsys):
    text = " ".join(shown(capsys, "--long").split())
    for measure in all_measures().values():
        assert measure.source in text
        assert measure.undefined in text


def test_json_is_stable_and_has_no_infinity(capsys):
    document = json.loads(shown(capsys, "--format", "json"), parse_constant=pytest.fail)
    assert document["schema"] == 1
    found = {measure["name"]: measure for measure in document["measures"]}
    assert list(found) == list(all_measures())
    assert found["rank_distance"].items() >= {"family": "bias", "low": 1.0, "high": None, "better": "low"}.items()
    keys = {
        "name",
        "label",
        "family",
        "definition",
        "better",
        "unit",
        "undefined",
        "statistic",
        "source",
        "low",
        "high",
    }
    assert all(set(measure) == keys for measure in found.values())
    (one,) = json.loads(shown(capsys, "cka", "--format", "json"))["measures"]
    assert one == found["cka"]


def test_an_unknown_measure_is_wrong_usage(capsys):
    assert run(["measures", "rank_distanc"]) == 2
    assert "no measure 'rank_distanc' (did you mean rank_distance" in capsys.readouterr().err
    assert run(["measures", "\x1b[31m"]) == 2
    assert "\x1b" not in capsys.readouterr().err
