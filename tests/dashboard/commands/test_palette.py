"""The palette finds keys, themes, measures, cells, models, baselines and filters, quickly and safely."""

import time

import pytest
from dashboard.idle import rested
from dashboard.made import LANGUAGES, opened, press, screen_lines, settled, until
from textual import events

from xlbias.dashboard import places
from xlbias.dashboard.commands import palette
from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.commands.matching import filter_in, score, spans
from xlbias.dashboard.commands.palette import Commands, Palette
from xlbias.folding import folded
from xlbias.results.matrix import MATRIX_MEASURES

pytestmark = pytest.mark.integration


@pytest.fixture
async def browsing(finished_run):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        yield app, pilot


async def find(app, pilot, typed):
    """Open the palette and type; return what it lists, once it lists that."""
    if not isinstance(app.screen, Palette):
        await press(pilot, "ctrl+p")
    field = app.screen.query_one(palette.CleanInput)
    field.value = typed
    await pilot.pause()
    await until(pilot, lambda: not _busy(app))
    await settled(pilot)
    return [str(option.hit.text) for option in app.screen.query_one(palette.CommandList).options]


def _busy(app):
    return any(worker.is_running for worker in app.workers if "gather" in worker.group)


async def run(app, pilot, typed):
    """Run the first thing that is found; return its text."""
    found = await find(app, pilot, typed)
    await press(pilot, "enter")
    await until(pilot, lambda: not isinstance(app.screen, Palette))
    await settled(pilot)
    return found[0]


async def test_a_cell_is_opened_from_any_screen(browsing):
    app, pilot = browsing
    for typed in ("hi>th", "hi→th", "hi-th", "hi->th", "Hindi Thai", "hindi → thai"):
        assert app.place == places.OVERVIEW
        await run(app, pilot, typed)
        assert app.place == places.MATRIX, typed
        await until(pilot, lambda: app.view.view.cursor == ("hi", "th"))
        await press(pilot, "escape")
        assert app.place == places.OVERVIEW
        await press(pilot, "2")
        assert await run(app, pilot, "de>multi") == "de→multi  German → all"
        await until(pilot, lambda: app.view.view.cursor == ("de", "multilingual"))
        await press(pilot, "1")


async def listed(app, typed):
    """Return what the palette would list, without opening it."""
    hits = await _all(Commands(app.screen).search(typed))
    return [str(hit.text) for hit in sorted(hits, key=lambda hit: -hit.score)]


async def test_every_cell_every_matrix_every_measure_and_every_theme_is_found_first(browsing):
    app, _ = browsing
    for language in LANGUAGES:
        for pool in LANGUAGES:
            assert (await listed(app, f"{language}>{pool}"))[0].startswith(f"{language}→{pool} ")
    for measure in MATRIX_MEASURES.values():
        found = await listed(app, f"measure: {measure.label}")
        assert found[0].startswith(f"measure: {measure.label}  ")
    for model, task in app.state.snapshot.overview.select("model", "task").rows():
        assert (await listed(app, f"{model} {task}"))[0] == f"matrix of {model} on {task}"
    for theme in app.available_themes:
        assert f"theme: {theme}" in (await listed(app, f"theme: {theme}"))[:3]


async def test_every_key_that_can_be_used_is_offered_and_found(browsing):
    app, pilot = browsing
    await press(pilot, "ctrl+p")
    await settled(pilot)
    offered = await find(app, pilot, "")
    for key in registry().values():
        usable = key.section != "Move" and key.id != "palette" and key.why_not(app) is None
        place = places.SCREENS.get(key.id)
        text = (
            f"{key.description}  ({key.first})" if place is None else f"{place.title} ({key.first}): {key.description}"
        )
        assert (text in offered) == usable, key.id
        if usable:
            assert text in await listed(app, key.description), key.id


SCREEN_WORDS = {
    "bias": "Bias (3): Which", "overview": "Overview (1): ", "compare": "Compare with another encoder",
    "domains": "Domains (", "queries": "Queries (",
}  # fmt: skip


async def test_the_words_of_the_screens_find_them(browsing):
    app, _ = browsing
    for typed, found in SCREEN_WORDS.items():
        assert any(text.startswith(found) for text in (await listed(app, typed))[:3]), typed


async def test_a_measure_is_shown_in_the_matrix(browsing):
    app, pilot = browsing
    await run(app, pilot, "measure: R@10")
    assert app.place == places.MATRIX
    assert app.state.measure.name == "recall@10" == app.view.matrix.measure.name


async def test_a_model_and_task_are_opened_by_name(browsing):
    app, pilot = browsing
    await run(app, pilot, "hybrid mlqa")
    assert app.place == places.MATRIX
    assert app.state.chosen == ("hybrid", "mlqa")


async def test_a_baseline_is_chosen_and_taken_back(browsing):
    app, pilot = browsing
    await press(pilot, "2")
    assert app.state.chosen == ("mono", "xquad-r")
    await run(app, pilot, "baseline: hybrid")
    assert app.baseline.model == "hybrid"
    assert app.baseline.against is not None
    await run(app, pilot, "baseline: none")
    assert app.baseline.model is None


async def test_baselines_are_not_offered_where_there_is_nothing_to_compare(live_run):
    path = live_run(models=("m",), tasks=("t",)).write_all().finish()
    async with opened(path) as (app, pilot):
        assert not [text for text in await find(app, pilot, "baseline") if text.startswith("baseline:")]


async def test_a_filter_opens_the_queries_that_it_leaves(browsing):
    app, pilot = browsing
    asked = []
    app.navigation.open_queries = asked.append
    assert (await find(app, pilot, "q:hi d:th ap<0.1"))[0] == "queries: q:hi d:th ap<0.1"
    await run(app, pilot, "q:hi d:th ap<0.1")
    assert asked == ["q:hi d:th ap<0.1"]


async def test_a_theme_is_changed(browsing):
    app, pilot = browsing
    await run(app, pilot, "theme: nord")
    assert app.theme == "nord"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ap<0.1", "ap<0.1"), ("q:hi", "q:hi"), ("q:hi война", "q:hi война"), ("queries: война", "война"),
        ("война", None), ("sort", None), ("hi>en", None), ("theme: nord", None), ("measure: R@10", None), ("", None),
        ("ap<", None), ("queries:", None),
    ],
)  # fmt: skip
def test_what_looks_like_a_filter(typed, found):
    assert filter_in(typed) == found


def test_words_are_found_without_case_and_marks_and_a_missing_word_is_no_hit():
    text = folded("matrix of Größe on MLQA")
    assert score(text, "grosse MLQA") > 0
    assert score(text, "groß") > score(text, "roß") > 0
    assert score(text, "matrix") > score(text, "mlqa")
    assert score(text, "grosse nothing") == 0
    assert score("matrix th→hi", "th hi") > score("matrix hi→th", "th hi") > 0
    assert score(text, "") == 0
    assert [text[start:end] for start, end in spans(text, "MLQA matrix")] == ["mlqa", "matrix"]


async def test_what_is_pasted_is_cleaned_before_it_is_drawn(browsing):
    app, pilot = browsing
    await press(pilot, "ctrl+p")
    field = app.screen.query_one(palette.CleanInput)
    field.post_message(events.Paste("\x1b]52;c;eA==\x07\u202e[/]"))
    await until(pilot, lambda: field.value)
    await settled(pilot)
    assert field.value == "␛]52;c;eA==␇⟨U+202E⟩[/]"
    assert "\x1b" not in "\n".join(screen_lines(app))


async def test_it_stays_quick_while_typing_among_many_models_and_cells(live_run):
    languages = ("ar", "bn", "de", "el", "en", "es", "fi", "hi", "ru", "th", "zh")
    models = tuple(f"model-{i}-of-a-study-with-long-names" for i in range(60))
    run = live_run(models=models, tasks=tuple(f"task-{i}" for i in range(7)), languages=languages)
    run.write("de")
    async with opened(run.path, size=(80, 24)) as (app, _):
        app.state.chosen = (models[0], "task-0")
        commands = Commands(app.screen)
        await _all(commands.search("x"))
        assert len(commands._all()) > 420 + 132
        for typed in ("m", "mo", "model-59", "hi>en", "zzz", "matrix of model on task", "q:hi ap<0.1"):
            started = time.thread_time()
            hits = await _all(commands.search(typed))
            assert time.thread_time() - started < 0.05, typed
            assert len(hits) <= 61


async def _all(hits):
    return [hit async for hit in hits]


async def test_the_worst_and_the_best_pair_are_found_and_lead_to_their_cells(finished_run):
    async with opened(finished_run) as (app, pilot):
        app.selection.step_measure(1)
        for end in ("worst", "best"):
            expected = app.state.snapshot.overview.row(0, named=True)[f"{end}_pair"]
            await press(pilot, "ctrl+p")
            await press(pilot, *end)
            await rested(app)
            await press(pilot, "enter")
            await until(pilot, lambda: app.place == "matrix" and app.view.view.cursor is not None)
            await until(pilot, lambda expected=expected: "→".join(app.view.view.cursor) == expected)
            assert app.state.measure.name == "map"


def fits(app, typed):
    """What the palette offers for a word, best first, without the screen around it."""
    commands = Commands(app.screen)
    typed = " ".join(folded(typed).split())
    found = [(1.0 if typed in one.names else score(one.folded, typed), one) for one in commands._all()]
    return [one for _, one in sorted((hit for hit in found if hit[0] > 0), key=lambda hit: -hit[0])]


async def test_every_screen_key_and_measure_is_found_by_its_name(browsing):
    app, _ = browsing
    for place in places.SCREENS.values():
        if registry()[place.name].why_not(app) is None:
            assert fits(app, place.title)[0].text.startswith(f"{place.title} ("), place.title
    for key in registry().values():
        if key.section != "Move" and key.id != "palette" and key.why_not(app) is None:
            first = [one.text for one in fits(app, key.label)[:3]]
            assert any(key.description in text for text in first), (key.label, first)
    for measure in MATRIX_MEASURES.values():
        for name in (measure.label, measure.name):
            first = [one.text for one in fits(app, name)[:2]]
            assert any(text.startswith(f"measure: {measure.label}  ") for text in first), (name, first)


FIRST_FOUND = {
    "bias": "Bias (", "overview": "Overview (", "findings": "Overview (", "fair": "Bias (", "own-language": "Bias (",
    "picker": "Picker: ", "compare": "Compare with another encoder", "difference": "Show differences",
    "significant": "Show differences", "map": "measure: mAP", "language pairs": "Matrix (", "shift": "Domains (",
    "exit": "Quit", "save": "Save ", "model card": "Show or hide where", "worst": "worst pair", "figure": "Save ",
    "latex": "",
}  # fmt: skip


async def test_words_of_the_readme_and_of_the_screens_are_found(browsing):
    app, pilot = browsing
    await run(app, pilot, "baseline: hybrid")
    for typed, first in FIRST_FOUND.items():
        found = fits(app, typed)
        assert found, typed
        assert found[0].text.startswith(first), (typed, [one.text for one in found[:4]])


async def test_words_that_are_not_shown_are_not_marked(browsing):
    app, _ = browsing
    found = fits(app, "fair")[0]
    assert "fair" not in folded(found.text)
    assert "fair" in found.folded
    commands = Commands(app.screen)
    assert commands._marked(found, "fair").plain == found.text
