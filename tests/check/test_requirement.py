"""Requirements of `xlbias check`: what they mean on a small run worked by hand, and the sentences that come back."""

import pytest

from xlbias.check.requirement import parse, parse_file
from xlbias.errors import UsageError

NAN = float("nan")


class Numbers:
    """Fields from a plain dictionary: name → languages → value."""

    def __init__(self, numbers):
        self.numbers = {name: value if isinstance(value, dict) else {(): value} for name, value in numbers.items()}

    def names(self):
        return list(self.numbers)

    def lookup(self, name, languages):
        return {key: value for key, value in self.numbers[name].items() if len(key) == languages}

    def counted(self, name, key):
        return ()


RUN = Numbers({
    "map": {
        ("de", "de"): 0.5, ("de", "th"): 0.25, ("de", "multilingual"): 0.4,
        ("th", "de"): 0.081, ("th", "th"): 0.125, ("th", "multilingual"): 0.0625,
    },
    "map.n": {
        ("de", "de"): 1190, ("de", "th"): 1190, ("de", "multilingual"): 1190,
        ("th", "de"): 1190, ("th", "th"): 900, ("th", "multilingual"): 1190,
    },
    "map.monolingual": 0.3125, "map.cross_lingual": 0.1655, "map.multilingual": 0.23125,
    "map.multilingual.n": 2380, "map.multilingual.low": 0.2, "map.multilingual.high": 0.25,
    "rank_distance": {(): 1234.5, ("de",): 1000.0, ("th",): 1469.0},
    "rank_distance.normalised": 0.034,
    "recall@10.multilingual": 0.75,
    "max@r": 61.5,
    "single_gold.gap": None,
    "kendall_w": NAN,
    "by_tag": {("pt-BR",): 1.0, ("zh-Hant",): 2.0},
    "partial": {("de",): 1.0, ("th",): None},
    "zero": 0.0,
    "empty": {},
})  # fmt: skip
BASELINE = Numbers({
    "map.multilingual": 0.25,
    "map.multilingual.n": 2380,
    "rank_distance": {(): 1200.0, ("de",): 990.0, ("th",): 1300.0},
    "other": {("de",): 1.0, ("en",): 1.0},
})  # fmt: skip


def check(text):
    return parse(text).check(RUN, BASELINE)


def passes(text):
    return check(text).passed


def failures(text):
    outcome = check(text)
    assert not outcome.passed
    return list(outcome.failures)


def refused(text, fields=RUN, baseline=BASELINE):
    with pytest.raises(UsageError) as error:
        parse(text).check(fields, baseline)
    return str(error.value)


# -- what a requirement means ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "map.multilingual >= 0.2", "map.multilingual > .23124", "zero == 0", "zero != 1", "zero <= 0", "zero < 1e-9",
        "0.2 <= map.multilingual <= 1", "0 < map.multilingual < map.monolingual < 1",
        "recall@10.multilingual == 75%", "max@r == 61.5", "map[th,de] < map[de,th]", "map[de,multilingual]==.4",
        "map.cross-lingual == map.cross_lingual", "map.cross-lingual-0.1655 == 0", "map.multilingual-.23125 == 0",
        "map [ th , de ] == 0.081", "by_tag[pt-BR] == 1", "by_tag[zh-hant] == 2", "by_tag[*]>0",
        "map.multilingual.low < map.multilingual < map.multilingual.high", "map.multilingual.n == 2380",
        "not zero > 0", "not not zero == 0", "not (zero > 0 or max@r < 3)", "zero > 0 or max@r > 0 and zero == 0",
        "min(map[*,*]) == 0.081", "max(map[*,*], 2, zero) == 2", "mean(rank_distance[*]) == 1234.5",
        "count(map[*,*]) == 4", "count(map[*,multilingual]) == 2", "count(zero, map[th,*]) == 3", "abs(-2) == 2",
        "max(abs(map[*,de] - map[de,*])) == abs(0.081 - 0.25)", "mean(1, 2, 6) == 3",
        "(1 + 2) * 3 == 9\n  and\t1 + 2 * 3 == 7", "-2 * -3 == 6", "8 / 4 / 2 == 1", "2 - 1 - 1 == 0", "--1 == 1",
    ],
)  # fmt: skip
def test_true_of_the_run(text):
    assert passes(text), check(text).failures


def test_precedence_of_not_and_or():
    # `and` binds tighter than `or`, and `not` takes the whole comparison.
    assert passes("1 == 1 or 1 == 1 and 1 == 2")
    assert not passes("(1 == 1 or 1 == 1) and 1 == 2")
    assert passes("not 1 == 2 and 1 == 1")
    assert passes("not 1 + 1 == 1")


def test_a_chain_is_each_of_its_comparisons():
    assert failures("0.2 <= map.multilingual <= 0.21 < 1") == ["map.multilingual = 0.2313 (n = 2,380) is not <= 0.21"]
    assert failures("0.3 <= map.multilingual <= 1") == ["map.multilingual = 0.2313 (n = 2,380) is not >= 0.3"]


# -- many values -------------------------------------------------------------------------------------------------------


def test_a_comparison_of_many_must_hold_for_each_and_lists_those_where_it_does_not():
    assert passes("map[*,*] >= 0.08")
    assert failures("map[*,*] >= 0.2") == [
        "map[th,de] = 0.081 (n = 1,190) is not >= 0.2",
        "map[th,th] = 0.125 (n = 900) is not >= 0.2",
    ]
    assert failures("map[*,de] > 10%") == ["map[th,de] = 0.081 (n = 1,190) is not > 10%"]
    assert failures("map[th,*] > .1") == ["map[th,de] = 0.081 (n = 1,190) is not > .1"]


def test_a_star_is_any_language_but_not_the_union_of_all():
    assert passes("map[th,*] > 0.08")  # map[th,multilingual] is less
    assert not passes("map[*,multilingual] > 0.08")


def test_at_most_ten_failures_are_listed():
    many = Numbers({"rank_distance": {(f"q{i:03d}",): i for i in range(1, 1031)}})
    lines = parse("rank_distance[*] <= 18").check(many).failures
    assert len(lines) == 11
    assert lines[0] == "rank_distance[q019] = 19 is not <= 18"
    assert lines[-1] == "and 1,002 more"


def test_two_sides_with_many_values_match_language_by_language():
    assert passes("rank_distance[*] <= baseline.rank_distance[*] * 1.2")
    assert failures("rank_distance[*] <= baseline.rank_distance[*] * 1.05") == [
        "rank_distance[th] = 1,469 is not <= baseline.rank_distance[th] * 1.05 = 1,365,"
        " where baseline.rank_distance[th] = 1,300"
    ]
    # What a star stands for is what counts: to and from the same language.
    assert failures("map[*,de] >= map[*,multilingual] + 0.05") == [
        "map[th,de] = 0.081 (n = 1,190) is not >= map[th,multilingual] + 0.05 = 0.1125,"
        " where map[th,multilingual] = 0.0625 (n = 1,190)"
    ]


def test_two_sides_with_different_languages_are_refused():
    assert refused("rank_distance[*] <= baseline.other[*] * 2").endswith(
        "column 21: 'rank_distance[*]' and 'baseline.other[*] * 2' have different languages:"
        " th only in 'rank_distance[*]'; en only in 'baseline.other[*] * 2'"
    )
    assert "column 12: 'map[*,*]' and 'rank_distance[*]' vary over one and over two" in refused(
        "map[*,*] < rank_distance[*]"
    )


def test_not_before_many_values_is_refused_because_it_could_mean_two_things():
    assert "column 1: 'not' before a comparison of many values" in refused("not map[*,*] < 0.1")
    assert "could mean none or not all" in refused("not (zero == 0 and rank_distance[*] > 1)")
    assert passes("not max(map[*,*]) < 0.1")


# -- what is undefined never passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("field", ["single_gold.gap", "kendall_w"])
def test_an_undefined_value_fails_whatever_the_operator(field, operator):
    assert failures(f"{field} {operator} 0") == [f"{field} is undefined"]
    assert failures(f"not {field} {operator} 0") == [f"{field} is undefined"]
    assert failures(f"{field} {operator} {field}") == [f"{field} is undefined and {field} is undefined"]


def test_undefined_under_and_or():
    assert failures("kendall_w > 0 and zero == 0") == ["kendall_w is undefined"]
    assert failures("kendall_w > 0 or zero == 1") == ["kendall_w is undefined", "zero = 0 is not == 1"]
    assert failures("not (kendall_w > 0 and zero == 0)") == ["kendall_w is undefined", "zero = 0 is not != 0"]
    # True whatever the undefined value were; it is told nevertheless.
    assert check("kendall_w > 0 or zero == 0").values == ("kendall_w is undefined", "zero = 0 == 0")


def test_one_undefined_value_among_many():
    assert failures("partial[*] > 0") == ["partial[th] is undefined"]
    assert failures("partial[*] > 1") == ["partial[de] = 1 is not > 1", "partial[th] is undefined"]
    for function in ("min", "max", "mean", "count"):
        assert failures(f"{function}(partial[*]) < 9") == [
            f"{function}(partial[*]) is undefined, where partial[th] is undefined"
        ]
    assert failures("abs(partial[*]) > 0") == ["abs(partial[th]) is undefined, where partial[th] is undefined"]


def test_division_by_zero_and_overflow_are_undefined():
    assert failures("max@r / zero > 0") == ["max@r / zero is undefined, where max@r = 61.5, zero = 0"]
    assert failures("1 / 0 == 1 / 0") == ["1 / 0 is undefined and 1 / 0 is undefined"]
    assert failures("1e308 * 10 > 0") == ["1e308 * 10 is undefined"]
    assert failures("mean(1e308, 1e308) > 0") == ["mean(1e308, 1e308) is undefined"]
    assert not parse("x > 0").check(Numbers({"x": float("inf")})).passed


# -- baseline ----------------------------------------------------------------------------------------------------------


def test_baseline():
    assert passes("map.multilingual - baseline.map.multilingual >= -0.02")
    assert failures("map.multilingual - baseline.map.multilingual >= -1%") == [
        "map.multilingual - baseline.map.multilingual = -0.01875 is not >= -1%,"
        " where map.multilingual = 0.2313 (n = 2,380), baseline.map.multilingual = 0.25 (n = 2,380)"
    ]


def test_a_baseline_that_is_not_given():
    message = refused("zero >= baseline.map.multilingual", baseline=None)
    assert message.endswith("column 9: 'baseline.map.multilingual' needs a run given by --baseline")
    assert "expected a field after 'baseline'" in refused("baseline > 1")


# -- what is told ------------------------------------------------------------------------------------------------------


def test_what_holds_is_told_with_its_numbers():
    outcome = check("rank_distance.normalised<=0.05")
    assert (outcome.passed, outcome.failures) == (True, ())
    assert outcome.expression == "rank_distance.normalised<=0.05"
    assert outcome.values == ("rank_distance.normalised = 0.034 <= 0.05",)
    assert check("map[*,*] > 0.05").values == ("map[*,*] = 0.081 to 0.5 (4 values) > 0.05",)
    assert check("rank_distance > 1000").values == ("rank_distance = 1,234.5 > 1000",)
    assert check("2 * 3 == 6").values == ("2 * 3 = 6 == 6",)


def test_the_value_that_decides_a_minimum_is_told():
    assert failures("min(map[*,*]) >= 0.1") == [
        "min(map[*,*]) = 0.081 is not >= 0.1, where map[th,de] = 0.081 (n = 1,190)"
    ]
    assert failures("min(map[*,de] - map[*,th]) > 0") == [
        "min(map[*,de] - map[*,th]) = -0.044 is not > 0, where map[th,de] = 0.081 (n = 1,190),"
        " map[th,th] = 0.125 (n = 900)"
    ]


def test_an_interval_end_is_told_with_the_n_of_its_mean():
    assert failures("map.multilingual.low > 0.3") == ["map.multilingual.low = 0.2 (n = 2,380) is not > 0.3"]


def test_numbers_are_told_with_as_many_digits_as_it_takes():
    assert parse("x >= 0.1").check(Numbers({"x": 0.0999999})).failures == ("x = 0.0999999 is not >= 0.1",)
    assert parse("x == 0.3").check(Numbers({"x": 0.1 + 0.2})).failures == ("x = 0.30000000000000004 is not == 0.3",)
    assert parse("x <= 2000").check(Numbers({"x": 2000.01})).failures == ("x = 2,000.0 is not <= 2000",)


def test_both_sides_of_or_are_told_and_only_the_failing_side_of_and():
    assert failures("zero == 1 or zero == 2") == ["zero = 0 is not == 1", "zero = 0 is not == 2"]
    assert failures("zero == 0 and zero == 2") == ["zero = 0 is not == 2"]
    assert check("zero == 0 and zero == 2").values == ("zero = 0 == 0", "zero = 0 is not == 2")


def test_names_from_a_run_are_told_safely():
    run = Numbers({"map": {("\x1b[31mx",): 0.0}, "\x1b]0;y": 1.0})
    assert parse("map[*] > 1").check(run).failures == ("map[␛[31mx] = 0 is not > 1",)
    assert "\x1b" not in refused("nothing > 1", run)
    assert "\x1b" not in refused("map[y] > 1", run)


# -- names that are not there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "zero == 0 and mapp.monolingual > 1",
            "column 15: the run has no field 'mapp.monolingual' (did you mean map.monolingual",
        ),
        ("MAP.multilingual > 1", "column 1: the run has no field 'MAP.multilingual' (did you mean map.multilingual"),
        ("nothing > 1", "no field 'nothing': choose from map, map.n, map.monolingual"),
        ("zero == 0 or nothing > 1", "column 14: the run has no field 'nothing'"),
        (
            "map[th,dee] > 0",
            "map has no language 'dee' at place 2 of its brackets (did you mean de?): choose from de, th, mu",
        ),
        (
            "baseline.other[th] > 0",
            "baseline.other has no language 'th' at place 1 of its brackets: choose from de, en",
        ),
        ("map[xx,de] > 0", "map has no language 'xx' at place 1 of its brackets: choose from de, th"),
        ("by_tag[zh-Hans] > 0", "'zh-Hans' at place 1 of its brackets (did you mean zh-Hant?): choose from pt-BR"),
        ("map > 0", "column 1: there is no map: write map[*,*]"),
        ("map[th] > 0", "there is no map[*]: write map[*,*]"),
        ("rank_distance[th,de] > 0", "there is no rank_distance[*,*]: write rank_distance or rank_distance[*]"),
        ("empty[*] > 0", "empty has no values in this run"),
        ("baseline.zero > 0", "column 1: the baseline has no field 'zero'"),
    ],
)
def test_what_is_not_there_is_refused_and_never_passes(text, message):
    assert message in refused(text)


def test_a_pair_that_is_not_there():
    partial = Numbers({"map": {("de", "de"): 1.0, ("th", "th"): 1.0, ("th", "multilingual"): 1.0}})
    assert refused("map[th,de] > 0", partial).endswith("column 1: there is no map[th,de]")
    assert refused("map[de,multilingual] > 0", partial).endswith("there is no map[de,multilingual]")


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_holds_one_requirement_a_line(tmp_path):
    path = tmp_path / "gate.txt"
    path.write_bytes(b"\xef\xbb\xbf# quality\r\n\r\nmap.multilingual >= 0.2  # as last year\r\n  zero == 1\r\n")
    first, second = parse_file(path)
    assert (first.expression, first.place) == ("map.multilingual >= 0.2", f"{path}:3")
    assert second.check(RUN).place == f"{path}:4"
    assert second.check(RUN).failures == ("zero = 0 is not == 1",)
    with pytest.raises(UsageError, match=r"gate\.txt:3: 'map.multilingual >= 0.2', column 1: the run has no"):
        first.check(Numbers({"zero": 0.0}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"zero == 0\n\nzero = 0\n", "gate.txt:3: 'zero = 0', column 6: unexpected '='"),
        (b"# nothing\n", "gate.txt: holds no requirement"),
        (b"", "gate.txt: holds no requirement"),
        (b"\xff\xfe", "gate.txt: expected UTF-8 text"),
        (b"zero == 0 \x1b[31m\n", "gate.txt:1: 'zero == 0 ␛[31m', column 11: a control character"),
        (b"#" * 1_000_001, "at most 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "gate.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        parse_file(path)
    assert message in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"gate\.txt: there is no such file"):
        parse_file(tmp_path / "gate.txt")
    with pytest.raises(UsageError, match="is a folder; expected a file"):
        parse_file(tmp_path)
