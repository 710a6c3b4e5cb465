"""The screen of bias: its numbers against the raw rankings, its panels, keys, differences, and names that mean harm."""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from dashboard.made import opened, press, screen_lines, settled, until
from dashboard.ranked import LANGUAGES, N_IDS, rankings, write

from xlbias.colour import colours, contrast, diverging_colours
from xlbias.dashboard import places
from xlbias.dashboard.baseline import Baseline
from xlbias.dashboard.views.bias_panels import PANELS, VIEWS
from xlbias.dashboard.widgets.heatmap.legend import legend
from xlbias.dashboard.widgets.heatmap.paint import lifted
from xlbias.dashboard.widgets.heatmap.panel import reading_lines
from xlbias.results.compare import Side, compare

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return write(tmp_path_factory.mktemp("bias") / "run.parquet").read_bytes()


@pytest.fixture
def run_file(content, tmp_path):
    path = tmp_path / "run.parquet"
    path.write_bytes(content)
    return path


def sheet_of(app, panel):
    return app.view.widget(panel).view.sheet


def cell(sheet, row, column=None):
    block = sheet.block
    return block.entries[block.rows.index(row)][0 if column is None else block.columns.index(column)]


async def against(app, pilot, key):
    """Look at what the hybrid has that the monolingual encoder has not."""
    await press(pilot, "2")
    app.baseline.model, app.state.chosen = "mono", ("hybrid", "t")
    await press(pilot, "3", key)


async def to_view(app, pilot, name):
    """Step to a view with m."""
    for _ in range(len(VIEWS)):
        if app.view.views[app.view.panel].name == name:
            return app.view.view.sheet
        await press(pilot, "m")
    raise AssertionError(name)


async def test_the_numbers_are_those_of_the_raw_rankings(run_file):
    raw = rankings("mono", "t", 0)
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        of_hi = raw.filter(pl.col("query_language") == "hi")
        found = cell(await to_view(app, pilot, "rank_distance"), "hi")
        assert found.value == pytest.approx((of_hi["last_rank"] - of_hi["first_rank"]).cast(float).mean())
        assert found.n == N_IDS
        assert found.cell.low < found.value < found.cell.high

        median = cell(await to_view(app, pilot, "rank_distance.median"), "hi")
        assert median.value == pytest.approx((of_hi["last_rank"] - of_hi["first_rank"]).median())

        share = await to_view(app, pilot, "exposure@10")
        tops = [[one["language"] for one in top] for top in of_hi["top"]]
        by_hand = np.mean([top.count("th") / 10 for top in tops])
        assert cell(share, "hi", "th").value == pytest.approx(by_hand)
        over_all = np.mean([[one["language"] for one in top].count("th") / 10 for top in raw["top"].to_list()])
        assert share.pinned[0] == ("pool", (".400", ".400", ".200"))
        assert (share.pinned[1][0], share.pinned[1][1][2]) == ("all", f"{over_all:.3f}"[1:])
        ratio = cell(await to_view(app, pilot, "exposure@10.ratio"), "hi", "th")
        assert ratio.value == pytest.approx(by_hand / 0.2)
        languages = cell(await to_view(app, pilot, "exposure@10.languages"), "th")
        assert languages.value == pytest.approx(over_all / 0.2)
        assert languages.cell.low < languages.value < languages.cell.high
        excess = cell(await to_view(app, pilot, "exposure@10.excess"), "hi", "th")
        assert excess.value == pytest.approx(by_hand - 0.2)
        of_share = cell(share, "hi", "th")
        assert (excess.cell.low, excess.cell.high) == pytest.approx((of_share.cell.low - 0.2, of_share.cell.high - 0.2))

        places_of = []
        for one in of_hi["relevants"].to_list():
            rank_of = {r["language"]: r["rank"] for r in one}
            places_of.append(sum(rank <= rank_of["th"] for rank in rank_of.values()))
        rank = cell(await to_view(app, pilot, "language_rank"), "hi", "th")
        assert rank.value == pytest.approx(np.mean(places_of))


async def test_single_gold_and_its_gap_by_hand(run_file):
    raw = rankings("mono", "t", 0)

    def precision(one, language):
        """Of one answer, when those in other languages are not in the pool."""
        rank = next(r["rank"] for r in one if r["language"] == language)
        return 1 / (rank - sum(r["rank"] < rank for r in one))

    means = {
        (asked, answer): np.mean([precision(one, answer) for one in part["relevants"].to_list()])
        for (asked,), part in raw.group_by("query_language", maintain_order=True)
        for answer in LANGUAGES
    }
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "tab", "tab")
        sheet = await to_view(app, pilot, "single_gold")
        for pair, mean in means.items():
            assert cell(sheet, *pair).value == pytest.approx(mean)
        own = np.mean([means[one, one] for one in LANGUAGES])
        other = np.mean([mean for (asked, answer), mean in means.items() if asked != answer])
        headline = {label: one.value for label, one in sheet.headline}
        assert headline["own − other"] == pytest.approx(own - other)
        assert (headline["own"], headline["other"]) == pytest.approx((own, other))
        gap = cell(await to_view(app, pilot, "single_gold.gap"), "de")
        assert gap.value == pytest.approx(means["de", "de"] - np.mean([means["de", "hi"], means["de", "th"]]))


async def test_all_numbers_have_an_interval_or_a_reason(run_file):
    async with opened(run_file, size=(140, 45)) as (app, pilot):
        await press(pilot, "3", "shift+tab")
        sheet = sheet_of(app, "numbers")
        rows = dict(zip(sheet.block.rows, zip(sheet.block.entries, sheet.tails, strict=True), strict=True))
        (own,), _ = rows["own first"]
        raw = rankings("mono", "t", 0)
        first = [one[0]["language"] == asked for one, asked in raw.select("relevants", "query_language").iter_rows()]
        assert own.value == pytest.approx(np.mean(first))
        assert own.cell.low < own.value < own.cell.high
        (peer,), tail = rows["PEER"]
        assert (peer.value, peer.text) == (None, "·")
        assert "undefined unless two languages" in tail
        assert "with one in each language it is a constant" in sheet.reading
        (w,), _ = rows["Kendall W"]
        assert w.interval
        assert (w.n, own.n) == (N_IDS, N_IDS * len(LANGUAGES))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)], ids=lambda size: "{}x{}".format(*size))
async def test_every_view_can_be_seen_and_read_at_every_size(run_file, size):
    async with opened(run_file, size=size) as (app, pilot):
        await press(pilot, "3")
        seen = []
        for _ in VIEWS:
            lines = screen_lines(app)
            assert all(len(line) <= size[0] for line in lines)
            text = "\n".join(lines)
            view = app.view.views[app.view.panel]
            seen.append(view.name)
            assert PANELS[view.panel] in text
            sheet = app.view.view.sheet
            assert " ".join(sheet.reading.split()[:3]) in text
            row = sheet.block.rows[0]
            assert any(row in line for line in lines)
            assert len(app.view.visible_panels) == (1 if size[0] < 120 or view.panel == "numbers" else 2)
            await press(pilot, "m")
        assert seen == [view.name for view in VIEWS]
        assert app.view.views[app.view.panel] == VIEWS[0]


async def test_tab_steps_through_panels_and_each_keeps_its_view_cursor_and_order(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "m", "down", "s")
        assert app.view.views["rank"].name == "rank_distance.normalised"
        order = app.view.view.rows
        assert app.view.view.sort == "mean"
        for panel in [*list(PANELS)[1:], "rank"]:
            await press(pilot, "tab")
            assert app.view.panel == panel
        assert (app.view.views["rank"].name, app.view.view.cursor[0]) == ("rank_distance.normalised", "hi")
        assert app.view.view.rows == order
        await press(pilot, "shift+tab")
        assert app.view.panel == "numbers"


async def test_two_panels_stand_beside_each_other_and_the_heavy_edge_says_which_has_the_keys(run_file):
    async with opened(run_file, size=(140, 45)) as (app, pilot):
        await press(pilot, "3")
        text = "\n".join(screen_lines(app))
        assert "━━ Rank distance " in text
        assert "── Exposure " in text
        assert text.count(" Tab ─") == 1
        await press(pilot, "tab", "right")
        assert "━━ Exposure " in "\n".join(screen_lines(app))
        assert "── Rank distance " in "\n".join(screen_lines(app))
        assert app.view.widget("exposure").view.cursor == ("de", "hi")
        assert app.view.widget("rank").view.cursor == ("de", "rank dist.")


async def test_a_click_chooses_panel_and_cell_and_another_one_opens_it(run_file, monkeypatch):
    asked = []
    async with opened(run_file, size=(140, 45)) as (app, pilot):
        monkeypatch.setattr(app.navigation, "open_queries", asked.append)
        await press(pilot, "3")
        view = app.view.widget("exposure").view
        region = view._grid.region(1, 2, 0, 0)
        for _ in range(2):
            await pilot.click(view, offset=(region.x + 1, region.y))
            await pilot.pause()
        assert app.view.panel == "exposure"
        assert view.cursor == ("hi", "th")
        assert asked == ["q:hi d:multi"]


async def test_numbers_over_all_stand_above_a_panel_with_their_intervals_where_there_is_room(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "tab")
        await settled(pilot)
        (title,) = [line for line in screen_lines(app) if line.startswith(" ━━ Exposure")]
        (_, own), (_, other) = sheet_of(app, "exposure").headline
        assert f"own {own.text} {own.interval}  other {other.text} {other.interval}" in title
        await pilot.resize_terminal(60, 20)
        await settled(pilot)
        (title,) = [line for line in screen_lines(app) if line.startswith(" ━━ Exposure")]
        assert f"own {own.text}  other {other.text}" in title


async def test_enter_leads_to_the_queries_of_the_row(run_file, monkeypatch):
    asked = []
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        monkeypatch.setattr(app.navigation, "open_queries", asked.append)
        await press(pilot, "3", "down", "enter", "tab", "down", "right", "enter")
        await to_view(app, pilot, "language_rank.all")
        await press(pilot, "enter")
        assert asked == ["q:hi d:multi", "q:hi d:multi", "d:multi"]
        await to_view(app, pilot, "numbers")
        await press(pilot, "enter")
        assert len(asked) == 3
        assert "covers all languages" in next(iter(app._notifications)).message


async def test_orders_by_value_and_by_script_and_the_reverse(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "s")
        view = app.view.view
        values = [cell(view.sheet, view.sheet.block.rows[r]).value for r in view.rows]
        assert values == sorted(values)  # low is good, and the best stands first
        await press(pilot, "S")
        assert values[::-1] == [cell(view.sheet, view.sheet.block.rows[r]).value for r in view.rows]
        await press(pilot, "s")
        assert [view.sheet.block.rows[r] for r in view.rows] == ["hi", "de", "th"]  # Deva, Latn, Thai


async def test_the_range_of_the_colours(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        assert "no upper end" in app.view.why_no_range()
        await to_view(app, pilot, "single_gold")
        await press(pilot, "c")
        assert (app.view.view.range.low, app.view.view.range.high) == (0.0, 1.0)
        share = await to_view(app, pilot, "exposure@10")
        neutral = [float(text) for text in share.pinned[0][1]]  # shares of the pool, in whose middle the colours are
        assert share.shade(0, 2) == pytest.approx(share.value(0, 2) - neutral[2], abs=0.0005)
        assert app.view.view.range.low == -app.view.view.range.high
        await to_view(app, pilot, "exposure@10.ratio")
        assert app.view.view.range.low == -app.view.view.range.high  # of logarithms: 1 is in the middle
        assert "differences" in app.view.why_no_range()


async def test_what_is_copied_is_in_the_order_shown_with_intervals(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "tab", "S", "down", "right")
        block, name = app.view.copied("all")
        assert block.rows == ("th", "hi", "de") == block.columns
        assert name == "bias-exposure"
        one, _ = app.view.copied("cell")
        assert (one.rows, one.columns) == ((app.view.view.cursor[0],), (app.view.view.cursor[1],))
        assert one.entries[0][0].interval.startswith("[")
        row, _ = app.view.copied("row")
        assert (len(row.rows), len(row.columns)) == (1, 3)
        await press(pilot, "shift+tab", "shift+tab")
        table, _ = app.view.copied("all")
        assert "rank dist." in table.rows


async def test_differences_are_those_of_compare_with_marks_and_intervals(run_file):
    from xlbias.results.run import open_run

    run = open_run(run_file)
    frame = compare(Side(run, ("mono",)), Side(run, ("hybrid",)), "t", measures={"exposure@10"})
    expected = {
        (row["query_language"], row["passage_language"]): row
        for row in frame.filter(pl.col("query_language").is_not_null()).iter_rows(named=True)
    }
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await against(app, pilot, "tab")
        await until(pilot, lambda: sheet_of(app, "exposure").form == "difference")
        sheet = sheet_of(app, "exposure")
        for (asked, answer), row in expected.items():
            found = cell(sheet, asked, answer)
            assert (found.value, found.cell.low, found.cell.high) == (row["difference"], row["low"], row["high"])
            assert found.text.endswith("*") == (row["p_corrected"] < 0.05)
        await settled(pilot)
        text = "\n".join(screen_lines(app))
        assert "Δ share@10" in text
        assert "hybrid minus mono on t" in text
        await press(pilot, "B")
        assert sheet_of(app, "exposure").form == "value"
        await press(pilot, "B")
        assert sheet_of(app, "exposure").form == "difference"

        await to_view(app, pilot, "rank_distance.median")
        assert "not a mean over query ids" in app.view.view.sheet.remark


async def test_all_numbers_of_two_models_are_corrected_together(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await against(app, pilot, "shift+tab")
        await until(
            pilot, lambda: sheet_of(app, "numbers").remark == "" and "Difference" in app.view.view.sheet.block.title
        )
        sheet = sheet_of(app, "numbers")
        raw = [rankings(model, "t", seed) for model, seed in (("mono", 0), ("hybrid", 10))]
        means = [(one["last_rank"] - one["first_rank"]).cast(float).mean() for one in raw]
        assert cell(sheet, "rank dist.").value == pytest.approx(means[1] - means[0])
        median = sheet.tails[sheet.block.rows.index("rank dist. med.")]
        assert "not a mean over query ids" in median
        assert "no p" not in sheet.tails[sheet.block.rows.index("Kendall W")]


async def test_the_view_of_the_last_time_is_restored(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "m", "tab", "m", "down", "right", "s", "q")
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await settled(pilot)
        assert app.place == places.BIAS
        assert app.view.panel == "exposure"
        assert {view.name for view in app.view.views.values()} >= {"rank_distance.normalised", "exposure@10.ratio"}
        assert (app.view.view.cursor, app.view.view.sort) == (("hi", "hi"), "mean")


@pytest.mark.parametrize(
    "broken", [{"panel": 3}, {"views": {"rank": 7, "gold": {"cursor": [1], "sort": []}}, "shown": []}]
)
async def test_a_damaged_memory_does_no_harm(run_file, broken):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        app.view.restore(broken)
        app.view.show()
        assert app.view.panel == "rank"


async def test_a_model_without_rankings_and_one_language_say_so(tmp_path):
    path = write(tmp_path / "run.parquet", n_done=1)
    async with opened(path, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "T")
        assert app.state.chosen[0] == "hybrid"
        assert "not evaluated yet" in "\n".join(screen_lines(app))
        for _ in VIEWS:
            await press(pilot, "m")

    path = write(tmp_path / "one.parquet", languages=("de",))
    async with opened(path, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        assert "undefined" in "\n".join(screen_lines(app))
        for view in VIEWS:
            await to_view(app, pilot, view.name)
            await press(pilot, "down", "right", "G", "end")


HOSTILE = "[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07\u202e" + "w" * 1_000_000


async def test_names_that_mean_harm_stay_text(tmp_path):
    path = write(tmp_path / "run.parquet", models=(HOSTILE, "mono"), tasks=("\x1b[31mt[b]",))
    async with opened(path, size=(80, 24)) as (app, pilot):
        app.baseline.model = "mono"
        await press(pilot, "3")
        await until(pilot, lambda: "comparing" not in app.view.view.sheet.remark)
        for size in [(80, 24), (60, 20), (140, 45)]:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            for _ in PANELS:
                lines = screen_lines(app)
                assert all(len(line) <= size[0] for line in lines)
                assert not {"\x1b", "\x07", "\u202e"} & set("".join(lines))
                await press(pilot, "tab")
            assert "[/][@click=app.quit]x[/]␛]52" in "\n".join(screen_lines(app))


async def test_nothing_is_repainted_while_nothing_happens(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        sheet = app.view.view.sheet
        app.view.show()
        app.view.show()
        assert app.view.view.sheet is sheet


async def test_without_colours_glyphs_carry_the_values(run_file, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "s", "G", "down")
        first, *_, last = [line for line in screen_lines(app) if line[1:4].rstrip() in LANGUAGES]
        assert "█" in first[:12]  # the best
        assert "[" in last[:12]  # the cursor
        lengths = [len(re.findall("[█▒]", line[12:])) for line in (first, last)]
        assert lengths[0] < lengths[1]  # and the bars: a short distance is good


async def test_while_differences_are_computed_nothing_says_that_they_are_shown(run_file, monkeypatch):
    monkeypatch.setattr(Baseline, "compared", lambda *_, **__: None)
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await against(app, pilot, "tab")
        await settled(pilot)
        text = "\n".join(screen_lines(app))
        assert "comparing" in text
        assert "Δ" not in text
        assert "minus mono" not in text
        assert "hybrid on t" in text


def test_a_reading_that_has_no_room_is_cut_and_a_definition_is_whole_or_not_there():
    from types import SimpleNamespace

    sheet = SimpleNamespace(reading="Low is good. " * 4, meaning="dist.: a distance.")
    assert reading_lines(sheet, 60, 2) == ["Low is good. Low is good. Low is good. Low is good.  dist.:", "a distance."]
    assert reading_lines(sheet, 60, 1) == ["Low is good. Low is good. Low is good. Low is good."]
    (cut,) = reading_lines(sheet, 20, 1)
    assert (cut[-1], len(cut)) == ("…", 20)


async def test_the_legend_of_ratios_says_where_colours_are_cut_and_ends_at_what_is_there(run_file):
    async with opened(run_file, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        sheet = await to_view(app, pilot, "exposure@10.ratio")
        view = app.view.view
        shades = [-3.0, 3.0]
        drawn = replace(sheet, shades=tuple(tuple(shades[(r + c) % 2] for c in range(3)) for r in range(3)))
        ends = [part.text for part in legend(drawn, view.range, "true", narrow=True)]
        assert ends[0] == "low ≤0.12 "
        assert ends[-1] == " ≥8.00 high"
        view.set_full_range(False)
        known = [one.value for row in sheet.block.entries for one in row]
        ends = [part.text for part in legend(sheet, view.range, "true", narrow=True)]
        assert ends[0] == f"low {min(known):.2f} "
        assert ends[-1] == f" {max(known):.2f} high"


@pytest.mark.parametrize("ground", [(16, 20, 24), (255, 255, 255), (0, 0, 0)])
@pytest.mark.parametrize("depth", ["true", "256"])
def test_a_bar_is_seen_on_its_background(ground, depth):
    for colour in (*colours(), *diverging_colours()):
        assert contrast(lifted(colour, ground, depth), ground) >= 3


async def test_numbers_over_everything_are_left_out_whole_and_the_view_is_never_cut(run_file):
    async with opened(run_file, size=(60, 20)) as (app, pilot):
        await press(pilot, "3", "tab", "tab")
        await settled(pilot)
        (title,) = [line for line in screen_lines(app) if line.startswith(" ━━ Single gold")]
        assert "single gold 1/2" in title
        for label, one in sheet_of(app, "gold").headline:
            assert label not in title.split("1/2")[1].split("  ") or one.text in title
        await to_view(app, pilot, "language_rank.all")
        await settled(pilot)
        (title,) = [line for line in screen_lines(app) if line.startswith(" ━━ Places")]
        assert not title.rstrip(" ━").endswith(("F", "Friedman", "Kendall", "χ²"))
