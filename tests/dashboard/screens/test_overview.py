"""What the first screen says before any table: findings, each of which leads to where its numbers are shown."""

import pytest
from dashboard.made import opened, press, settled, shows, text_on, until

from xlbias.dashboard import places
from xlbias.dashboard.views.findings import MARGIN, chance, differences, entries
from xlbias.dashboard.workers.findings import FindingsWorker
from xlbias.report.documents.findings import sentence
from xlbias.results.findings import Destination, Finding, Number, findings
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration

ACROSS = Number("map", 0.07, 0.06, 0.08, encoder="hybrid", task="mlqa", setting="cross-lingual", base="mono")
BETTER = Number("map", 12.0, n=20, encoder="hybrid", task="mlqa", base="mono", role="better cells")
WORSE = Number("map", 1.0, n=20, encoder="hybrid", task="mlqa", base="mono", role="worse cells")
FOUND = (
    Finding("quality", "good", "mAP mono .5.", 0.5, Destination("overview", "overview", "map"), "mono", "xquad-r",
            numbers=(Number("map", 0.05, setting="monolingual", role="chance"),), concern=False),
    Finding("query_language", "for whom", "queries in th have lower mAP.", 0.9,
            Destination("matrix", "matrix", "map", query_language="th"), "mono", "mlqa", languages=("th",)),
    Finding("worst_pair", "for whom", "hi→th is far below.", 0.2,
            Destination("matrix", "matrix", "map", "hi", "th"), "hybrid", "xquad-r"),
    Finding("rank_distance", "fair", "translations lie apart.", 0.5,
            Destination("bias", "bias", "rank_distance.normalised"), "hybrid", "xquad-r"),
    Finding("difference", "real", "mAP cross +.070; 12 of 20 cells significantly better.", 0.07,
            Destination("matrix", "compare", "map"), "hybrid", "mlqa", "mono", numbers=(ACROSS, BETTER, WORSE),
            concern=False),
    Finding("caveat", "caveat", "it was trained on this.", 3.0, Destination("overview", "caveats"), "hybrid", "mlqa"),
)  # fmt: skip


@pytest.fixture
def found(says_nothing, monkeypatch):
    monkeypatch.setattr("xlbias.dashboard.workers.findings.FindingsWorker.of", lambda *_: FOUND)


@pytest.fixture
async def said(finished_run, found):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        await shows(pilot, "For whom?", "12 of 20 cells")
        yield app, pilot


async def go_to(pilot, app, kind):
    """Put the cursor on the finding of a kind."""
    await press(pilot, "tab", "g")
    while app.view.findings.chosen.kind != kind:
        before = app.view.findings.cursor
        await press(pilot, "down")
        assert app.view.findings.cursor > before, kind


async def test_the_sentences_are_those_of_the_report(finished_run, says):
    async with opened(finished_run, size=(200, 60)) as (app, pilot):
        await shows(pilot, "Real?", "significantly better")
        words = " ".join(text_on(app).split())
        known = findings(open_run(finished_run))
        assert len(known) > 5
        for one in known:
            assert sentence(one) in words or one.sentence in words


async def test_why_there_are_no_findings_is_said(finished_run, says, monkeypatch):
    def fails(*_):
        raise ValueError("row 7 is \x1b[2J not sorted, and neither is any of the rows after it\nat 0x7f")

    monkeypatch.setattr("xlbias.dashboard.workers.findings.findings_in_turn", fails)
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        await shows(pilot, "the findings cannot be worked out: row 7 is ␛[2J not sorted", "rows after it", "xquad-r")
        assert "0x7f" not in text_on(app)


@pytest.mark.parametrize(
    ("kind", "place", "chosen", "cell"),
    [
        ("query_language", places.MATRIX, ("mono", "mlqa"), ("th", None)),
        ("worst_pair", places.MATRIX, ("hybrid", "xquad-r"), ("hi", "th")),
        ("rank_distance", places.BIAS, ("hybrid", "xquad-r"), None),
        ("difference", places.MATRIX, ("hybrid", "mlqa"), None),
        ("caveat", places.OVERVIEW, ("hybrid", "mlqa"), None),
    ],
)
async def test_each_finding_leads_to_its_numbers(said, kind, place, chosen, cell):
    app, pilot = said
    await go_to(pilot, app, kind)
    await press(pilot, "enter")
    assert app.place == place
    assert app.state.chosen == chosen
    if cell is not None:
        assert all(one in (name, None) for name, one in zip(app.view.view.cursor, cell, strict=True))
    if kind == "difference":
        assert app.baseline.model == "mono"
    if kind == "rank_distance":
        assert app.view.views[app.view.panel].measure == "rank_distance.normalised"
    if place == places.OVERVIEW:
        assert app.view.table.cursor_key == chosen
    else:
        await press(pilot, "escape")
        assert app.place == places.OVERVIEW
        assert app.view.findings.chosen.kind == kind  # the cursor is where it was


async def test_arrows_lead_from_the_table_into_the_findings_and_back(said):
    app, pilot = said
    table, listed = app.view.table, app.view.findings
    await press(pilot, "up")
    assert listed.active
    assert table.elsewhere
    assert listed.cursor == listed.n - 1 or listed.cursor > 0
    await press(pilot, "G", "down")
    assert not listed.active
    assert table.cursor == 0
    await press(pilot, "down")
    assert table.cursor == 1


async def test_a_click_on_a_finding_opens_it(said):
    app, pilot = said
    y = next(i for i, line in enumerate(text_on(app).splitlines()) if "hi→th is far below" in line)
    await pilot.click("FindingList", offset=(20, y - app.view.findings.region.y))
    await settled(pilot)
    assert app.place == places.MATRIX


async def test_the_table_has_differences_chance_and_marks(said):
    app, _ = said
    lines = text_on(app).splitlines()
    hybrid = next(line for line in lines if "hybrid" in line and "mlqa" in line and "+12 -1" in line)
    assert "+.070" in hybrid
    assert "against mono" in text_on(app)
    assert any(".050" in line and line.rstrip().endswith("chance") for line in lines)
    assert app.view.table.frame.filter(model="hybrid", task="xquad-r")["attention"].to_list() == [
        ["rank_distance_normalised", "worst"]
    ]
    assert "◆.100" in text_on(app)


async def test_a_run_in_progress_is_partial_wherever_it_is_seen(live_run, says):
    run = live_run(models=("m",), tasks=("t",))
    run.write("de")
    async with opened(run.path, size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: "partial" in text_on(app).splitlines()[0])
        await shows(pilot, "5 of 20 queries are ranked so far")
        assert "5/20" in text_on(app)
        for key in ("2", "3", "4", "5"):
            await press(pilot, key)
            assert "partial" in text_on(app).splitlines()[0], key


def test_what_matters_most_comes_first_and_the_rest_follows():
    listed, n = entries(FOUND, 4, 70)
    assert len(listed) == len(FOUND)
    assert [one.finding.kind for one in listed[:n]] == ["query_language", "difference", "caveat"]
    assert all(line[:MARGIN].strip() == "" for one in listed for line in one.lines[1:])
    everything, m = entries(FOUND, 99, 70)
    assert (len(everything), m) == (len(FOUND), len(FOUND))
    heads = [one.lines[0][:MARGIN].strip() for one in everything]
    assert heads == ["Good?", "For whom?", "", "Fair?", "Real?", "But"]


def test_numbers_of_the_table_are_those_of_findings():
    assert differences(FOUND) == {("hybrid", "mlqa"): (0.07, "+12 -1", "mono")}
    assert chance(FOUND, "xquad-r") == {"map_mono": 0.05}
    assert chance(FOUND, "mlqa") == {}


async def test_findings_that_are_known_are_shown_while_differences_are_computed(said, monkeypatch):
    app, pilot = said
    monkeypatch.setattr(FindingsWorker, "comparing", True)
    app.view.show()
    await shows(pilot, "For whom?", "Real?      comparing …")
    assert app.view.copy_waits
    monkeypatch.setattr(FindingsWorker, "comparing", False)
    app.view.show()
    await until(pilot, lambda: "comparing …" not in text_on(app))
    assert not app.view.copy_waits
