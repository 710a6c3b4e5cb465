"""The filter language: any line is a filter or one clear sentence, and a filter leaves what brute force leaves."""

import random
import unicodedata
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlbias.errors import UsageError
from xlbias.folding import folded, folded_texts
from xlbias.results.queries.filter import Filter, Term, parse_filter
from xlbias.results.queries.query_rows import Texts, check_filter, ordered, query_rows, selected, with_differences
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.runs.schema import setting_of

LANGUAGES = ("ar", "hi", "pt-BR", "ru")
POOLS = (*LANGUAGES[:3], "multilingual")
WORDS = ("Война", "мир", "peace", "Straße", "युद्ध", "كِتَاب", "a:b", "-x", "lumière")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("q:hi d:en ap<0.1 Δ<0 p<.05 text~война", "q:hi d:en ap<0.1 Δ<0 p<.05 война"),
        ("  Q:HI,th   D:multi ", "q:hi,th d:multi"),
        ("delta>=-.5 diff≤1 ∆=0", "Δ>=-.5 Δ<=1 Δ=0"),
        ("first>10 rank:3 n=1 last<1e3 rr≥.5", "rank>10 rank=3 n=1 last<1e3 rr>=.5"),
        ('-"two words" "-minus" -minus covid-19 12:30', '-"two words" "-minus" -minus covid-19 "12:30"'),
        ('text~"a  b" id:"x y" -id:q1', '"a  b" id:"x y" -id:q1'),
        ("task:builtin:language[split=test] set:mono,cross", "task:builtin:language[split=test] set:mono,cross"),
        ("", ""),
    ],
)
def test_a_line_is_read_and_written_again(line, said):
    assert str(parse_filter(line)) == said
    assert parse_filter(said) == parse_filter(line)


def test_what_a_term_says():
    assert parse_filter("-rank<=10").terms == (Term("rank", "<=", ("10",), negated=True),)
    assert parse_filter("q:hi,th").terms == (Term("q", "=", ("hi", "th")),)
    assert parse_filter("Δ<−0.25").terms[0].number == -0.25


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ap<", "ap is compared with a number, such as ap<0.1"),
        ("ap<low", "ap is compared with a number, such as ap<0.1"),
        ("ap<nan", "ap is compared with a number, such as ap<0.1"),
        ("n>1_0", "n is compared with a number, such as n<2"),
        ("rank<1e999", "rank is compared with a number, such as rank<10"),
        ("Δ<", "Δ is compared with a number, such as Δ<0"),
        ("q:", "q takes codes: write q:hi or q:hi,th"),
        ("d<3", "d takes codes: write d:en, d:en,de or d:multi"),
        ("set:all", "there is no setting 'all': write set:mono, set:cross or set:multi"),
        ('war "open', 'a quote is open: texts with blanks are written "like this"'),
        ("-", "something is missing: write -word"),
        ("war or peace", 'or joins no terms: all must hold; the word itself is "or"'),
        ("q:hi AND d:en", 'AND joins no terms: all must hold; the word itself is "AND"'),
        ('""', 'something is missing: write "a word"'),
        ("text~", "something is missing: write text:TEXT"),
        ("id>3", "id is not a number: write id:TEXT"),
        ("-model:x", "model chooses one, so that it cannot be negated"),
    ],
)
def test_what_is_no_filter_gets_one_sentence(line, why):
    with pytest.raises(UsageError) as raised:
        parse_filter(line)
    assert str(raised.value) == why


def test_an_unknown_term_is_named_with_those_there_are():
    with pytest.raises(UsageError, match="no term 'colour': choose from q, d, set, id, text, passage, any, ap"):
        parse_filter("colour:red")


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from('"-:<>=~≤Δqdpn.0 ')), max_size=40))
def test_any_text_is_a_filter_that_survives_writing_or_a_usage_error(text):
    try:
        found = parse_filter(text)
    except UsageError as error:
        assert str(error)
        return
    assert parse_filter(str(found)) == found


# -- cells -----------------------------------------------------------------------------------------------------------


def cells(line, **more):
    return parse_filter(line).cells(("de", "pt-BR"), ("de", "en"), **more)


def test_without_a_pool_it_is_the_multilingual_one():
    assert cells("q:de") == {("de", "multilingual")}
    assert cells("ap<1") == {("de", "multilingual"), ("pt-BR", "multilingual")}


def test_cells_by_language_setting_and_p():
    assert cells("q:PT-br d:en,multi") == {("pt-BR", "en"), ("pt-BR", "multilingual")}
    assert cells("set:mono") == {("de", "de")}
    assert cells("set:cross") == {("de", "en"), ("pt-BR", "de"), ("pt-BR", "en")}
    assert cells("-d:multi -set:mono") == cells("set:cross")
    assert cells("q:de d:fr") == set()
    p = {("de", "de"): 0.01, ("de", "en"): 0.05, ("pt-BR", "en"): None}
    assert cells("d:de,en p<.05", p=lambda *cell: p.get(cell)) == {("de", "de")}
    assert cells("q:de d:de,en -p<.05", p=lambda *cell: p.get(cell)) == {("de", "en")}


# -- rows ------------------------------------------------------------------------------------------------------------


def text_of(number, language):
    rng = random.Random(f"{number}{language}")
    return " ".join(rng.choice(WORDS) for _ in range(3))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two models, every value a multiple of 1/64, so that 32 bits hold it; some queries have nothing relevant."""
    rng = random.Random(3)
    task = {
        "name": "t", "domain": "d", "fingerprint": "f", "n_queries": dict.fromkeys(LANGUAGES, 9),
        "pool_sizes": dict.fromkeys(POOLS[:-1], 50),
    }  # fmt: skip
    about = {"models": [{"name": "one"}, {"name": "other"}], "tasks": [task]}
    with Journal.open(tmp_path_factory.mktemp("run") / "run.parquet", about, identity="x") as journal:
        texts = [("t", "d", f"Q{i}", ql, text_of(i, ql)) for i in range(8) for ql in LANGUAGES]  # Q8 has no text
        columns = ("task", "domain", "query_id", "language", "text")
        journal.write("query", "000", pl.DataFrame(texts, schema=columns, orient="row"))
        for model in ("one", "other"):
            rows = []
            for number in range(9):
                for language in LANGUAGES:
                    for pool in POOLS:
                        n = rng.choice([0, 1, 1, 4])
                        first = rng.randint(1, 30) if n else None
                        rows.append(
                            {"query_id": f"Q{number}", "query_language": language, "pool": pool,
                             "setting": setting_of(language, pool), "n_relevant": n,
                             "ap": rng.randint(0, 64) / 64 if n else None, "first_rank": first,
                             "last_rank": first + n - 1 if n else None, "top": [],
                             "relevants": [
                                 {"passage_id": f"P{i}", "language": "ar" if pool == "multilingual" else pool,
                                  "relevance": 1, "rank": first + i, "score": 0.5} for i in range(n)
                             ]}
                        )  # fmt: skip
            if model == "other":
                rng.shuffle(rows)
                rows = rows[:-5]
            frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
                pl.lit(model).alias("model"), pl.lit("t").alias("task"), pl.lit("d").alias("domain")
            )
            journal.write("ranking", model, frame)
        path = journal.finish()
    return open_run(path)


def listed(run, filter, *, difference=True):
    pairs = filter.cells(LANGUAGES, POOLS[:-1])
    rows = query_rows(run, "one", "t", pairs)
    if difference:
        rows = with_differences(rows, query_rows(run, "other", "t", pairs))
    return selected(rows, filter, Texts.of(run, "t"))


NUMBERS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["ap", "rr", "rank", "last", "n", "Δ"]),
    st.sampled_from(["<", "<=", ">", ">=", "="]),
    st.sampled_from(["0", "0.25", "0.5", "1", "3", "12", "-0.25"]),
)
TERMS = st.one_of(
    NUMBERS,
    st.sampled_from(["q:hi", "q:ar,pt-br", "d:multi", "d:ar,HI,multi", "set:mono", "set:cross,multi", "id:q1", "id:Q"]),
    st.sampled_from(["война", "STRASSE", "lumiere", "كتاب", '"a:b"', '"-x"', "text~peace", '"мир peace"']),
)
FILTERS = st.lists(st.builds("{}{}".format, st.sampled_from(["", "", "-"]), TERMS), max_size=4).map(" ".join)


@pytest.mark.integration  # many filters: `make test` has the time
@given(line=FILTERS)
@settings(max_examples=150, deadline=None)
def test_a_filter_leaves_what_brute_force_leaves_in_the_same_order(run, line):
    raw = run.rankings.collect().to_dicts()
    base = {(r["query_id"], r["query_language"], r["pool"]): r["ap"] for r in raw if r["model"] == "other"}
    terms = [one_term(part) for part in split(line)]
    default = not any(name in ("d", "set") for _, name, *_ in terms)
    expected = []
    for row in (r for r in raw if r["model"] == "one"):
        key = (row["query_id"], row["query_language"], row["pool"])
        row["Δ"] = None if row["ap"] is None or base.get(key) is None else row["ap"] - base[key]
        if default and row["pool"] != "multilingual":
            continue
        if all(true_of(row, *rest) != negated for negated, *rest in terms):
            expected.append(key)

    assert listed(run, parse_filter(line)).select("query_id", "query_language", "pool").rows() == expected


def split(line):
    """Split at blanks outside quotes, by hand."""
    found, inside = [""], False
    for sign in line:
        inside ^= sign == '"'
        if sign == " " and not inside:
            found.append("")
        else:
            found[-1] += sign
    return [part for part in found if part]


def one_term(part):
    """Return negated, name, operator and value of a term as the strategy writes it."""
    negated = part.startswith("-")
    part = part[negated:]
    for name in ("q", "d", "set", "id"):
        if part.startswith(f"{name}:"):
            return negated, name, ":", part.partition(":")[2].lower()
    for name in ("ap", "rr", "rank", "last", "n", "Δ"):
        for operator in ("<=", ">=", "<", ">", "="):
            if part.startswith(name + operator):
                return negated, name, operator, float(part[len(name + operator) :])
    return negated, "text", "~", part.removeprefix("text~").strip('"')


def true_of(row, name, operator, value):
    """Whether a term holds, computed from the raw row."""
    language, pool = row["query_language"].lower(), row["pool"].lower()
    among = {
        "q": language, "d": pool.replace("multilingual", "multi"),
        "set": "multi" if pool == "multilingual" else "mono" if pool == language else "cross",
    }  # fmt: skip
    if name in among:
        return among[name] in value.split(",")
    if name == "id":
        return value in row["query_id"].lower()
    if name == "text":
        number = int(row["query_id"][1:])
        return number < 8 and folded(value) in folded(text_of(number, row["query_language"]))
    field = {"rank": "first_rank", "last": "last_rank", "n": "n_relevant", "rr": "first_rank"}.get(name, name)
    found = row[field]
    if found is None:
        return False
    found = 1 / found if name == "rr" else found
    return {
        "<": found < value, "<=": found <= value, ">": found > value, ">=": found >= value,
        "=": abs(found - value) < 0.0005,
    }[operator]  # fmt: skip


def test_without_a_baseline_no_row_fulfils_a_term_about_differences(run):
    assert listed(run, parse_filter("Δ<0"), difference=False).is_empty()
    assert listed(run, parse_filter("-Δ<0"), difference=False).height == 36


def test_rows_are_compact_and_without_lists(run):
    rows = query_rows(run, "one", "t", parse_filter("set:cross").cells(LANGUAGES, POOLS[:-1]))
    assert rows["query_id"].dtype == pl.Categorical
    assert rows["ap"].dtype == pl.Float32
    assert rows.columns == ["query_id", "query_language", "pool", "n_relevant", "ap", "first_rank", "last_rank"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", ["ap", "first_rank", "delta", "query_language"])
def test_order_puts_what_is_undefined_last_and_keeps_equal_rows(run, by, descending):
    rows = listed(run, parse_filter("-d:none"))
    found = ordered(rows, by, descending=descending).rows(named=True)
    known = [row for row in rows.rows(named=True) if row[by] is not None]
    unknown = [row for row in rows.rows(named=True) if row[by] is None]
    assert found == sorted(known, key=lambda row: row[by], reverse=descending) + unknown


def test_without_a_column_the_order_is_that_of_the_run(run):
    rows = listed(run, Filter())
    assert ordered(rows, None, descending=False).equals(rows)
    assert ordered(rows, None, descending=True).equals(rows.reverse())


def test_texts_are_found_by_id_and_language(run):
    texts = Texts.of(run, "t")
    for number in range(8):
        for language in LANGUAGES:
            assert texts.text(f"Q{number}", language) == text_of(number, language)
    for query_id, language in (("Q8", "ar"), ("", "ar"), ("Q0", "en"), ("zz", "ru")):
        assert texts.text(query_id, language) is None


def test_a_run_without_texts_has_none(run):
    texts = Texts(run.queries.head(0).select("query_id", "language", "text").collect())
    assert texts.text("Q0", "ar") is None
    rows = query_rows(run, "one", "t", {("ar", "multilingual")})
    assert selected(rows, parse_filter("peace"), texts).is_empty()
    assert selected(rows, parse_filter("-peace"), texts).height == 9


# -- against a run ---------------------------------------------------------------------------------------------------

ABOUT = SimpleNamespace(
    models=[ModelInfo(name) for name in ("mono", "hybrid-0", "hybrid-1")],
    tasks=[
        TaskInfo("xquad-r", {"de": 1, "zh-Hant": 1}, {"de": 1, "en": 1}),
        TaskInfo("mlqa\x1b[31m", {"hi": 1}, {"hi": 1}),
    ],
)


@pytest.mark.parametrize(
    ("line", "chosen"),
    [
        ("", ("mono", "xquad-r")),
        ("q:ZH-hant d:en,multi", ("mono", "xquad-r")),
        ("model:HYBRID-1", ("hybrid-1", "xquad-r")),
        ("task:mlqa q:hi", ("mono", "mlqa\x1b[31m")),
    ],
)
def test_a_filter_chooses_model_and_task(line, chosen):
    assert check_filter(parse_filter(line), ABOUT, ("mono", "xquad-r")) == chosen


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("model:hybrid", "several encoders contain 'hybrid': choose from hybrid-0, hybrid-1"),
        ("task:no", "no task is called 'no': choose from xquad-r, mlqa␛[31m"),
        ("q:hi", "xquad-r has no queries in 'hi': it has de, zh-Hant"),
        ("d:th,en", "xquad-r has no passages in 'th': it has de, en, multi"),
    ],
)
def test_what_a_run_does_not_have_is_said(line, why):
    with pytest.raises(UsageError) as raised:
        check_filter(parse_filter(line), ABOUT, ("mono", "xquad-r"))
    assert str(raised.value) == why


ASSIGNED = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cn"]), max_size=12)
"""What Python's tables know: those of Polars may be of a newer Unicode."""


@given(st.lists(ASSIGNED, max_size=5))
@settings(deadline=None)
def test_a_column_is_folded_as_each_of_its_texts(texts):
    assert folded_texts(pl.Series("x", texts, dtype=pl.String)).to_list() == [folded(text) for text in texts]


def test_every_character_of_the_first_planes_is_folded_alike_in_a_column():
    codes = (*range(0x20, 0xD800), *range(0xE000, 0x20000), *range(0xE0100, 0xE01F0))
    texts = [chr(code) for code in codes if unicodedata.category(chr(code)) != "Cn"]
    found = folded_texts(pl.Series("x", texts))
    assert [(text, one) for text, one in zip(texts, found, strict=True) if one != folded(text)] == []
