"""Numbers by what they are: the cells of a summary, made when they are asked for."""

import polars as pl
import pytest

from xlbias.results.by_key import NUMBERS, ByKey, Numbers, cell_of, keys_of
from xlbias.results.per_query import Key
from xlbias.results.summary import SUMMARY_SCHEMA


def summary() -> pl.DataFrame:
    keys = [Key("map", "monolingual"), Key("map", "cross-lingual", "de", "en"), Key("tokens", None, "de")]
    rows = [{**dict.fromkeys(SUMMARY_SCHEMA), **key._asdict(), "value": i / 4, "n": i} for i, key in enumerate(keys)]
    schema = {"model": pl.String, "task": pl.String, **SUMMARY_SCHEMA}
    return pl.DataFrame([{"model": "one", "task": "t", **row} for row in rows], schema=schema)


def test_every_number_is_found_by_its_key_and_no_other():
    rows = summary()
    found = ByKey(rows)
    expected = {Key(*row[:4]): cell_of(row[4:]) for row in rows.select(*Key._fields, *NUMBERS).iter_rows()}
    assert dict(found) == expected
    assert all(isinstance(key, Key) for key in found)
    assert (len(found), bool(found)) == (3, True)
    assert found[Key("map", "monolingual")].value == 0
    assert Key("map", "cross-lingual", "en", "de") not in found
    assert found.get(Key("map", "multilingual")) is None
    with pytest.raises(KeyError):
        found[Key("map")]


def test_what_is_of_no_language_is_found_without_reading_the_cells(monkeypatch):
    found = ByKey(summary())
    monkeypatch.setattr(ByKey, "_whole", property(lambda _: pytest.fail("read all")))
    assert found[Key("map", "monolingual")].n == 0


def test_of_a_measure_only_its_own_numbers_are_read(monkeypatch):
    from xlbias.results import by_key

    read, places = [], by_key._places
    monkeypatch.setattr(by_key, "_AT_ONCE", 2)
    monkeypatch.setattr(by_key, "_places", lambda rows: read.append(rows.height) or places(rows))
    found = ByKey(summary())
    assert found[Key("map", "cross-lingual", "de", "en")].n == 1
    assert [key.measure for key in keys_of(found, "map")] == ["map", "map"]
    assert keys_of(found, "ndcg") == []
    assert read == [2]


@pytest.mark.parametrize("at_once", [0, 3])
def test_the_keys_of_a_measure_are_found_in_order_in_any_mapping(at_once, monkeypatch):
    monkeypatch.setattr("xlbias.results.by_key._AT_ONCE", at_once)
    found = ByKey(summary())
    for measure in ("map", "tokens", "ndcg"):
        expected = [key for key in found if key.measure == measure]
        assert [list(keys_of(one, measure)) for one in (found, dict(found))] == [expected, expected]


def test_a_pair_that_was_not_ranked_has_none():
    numbers = Numbers(summary())
    assert not numbers.of("other", "t")
    assert numbers.of("one", "t") is numbers.of("one", "t")
