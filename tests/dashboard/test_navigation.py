"""Which screen is seen, and where Escape leads; without a terminal."""

import pytest
from dashboard.bare import parts

from xlbias.dashboard import places
from xlbias.dashboard.places import BIAS, DOMAINS, MATRIX, NOTICE, OVERVIEW, QUERIES, QUERY, TRAINING


@pytest.fixture
def bare(finished_run):
    app, state, _, navigation = parts(finished_run)
    return app, state, navigation


@pytest.mark.parametrize("place", [place.name for place in places.SCREENS.values() if place.parent])
def test_from_a_screen_that_was_chosen_by_its_number_escape_leads_to_where_it_belongs(bare, place):
    app, _, navigation = bare
    navigation.go(DOMAINS)
    navigation.go(place)
    assert navigation.place == place
    assert [screen.PLACE for screen in app.screen_stack] == [OVERVIEW, place]
    navigation.back()
    assert navigation.place == places.SCREENS[place].parent


def test_from_a_screen_that_another_one_led_to_escape_leads_back_there(bare):
    app, state, navigation = bare
    navigation.go(BIAS)
    navigation.open_queries("q:hi d:multi")
    navigation.open_query(("q0", "hi", "multilingual"))
    assert state.query_key == ("q0", "hi", "multilingual")
    assert (QUERIES, "set_filter", "q:hi d:multi") in app.asked
    seen = []
    while navigation.place != OVERVIEW:
        seen.append(navigation.place)
        navigation.back()
    assert seen == [QUERY, QUERIES, BIAS]
    assert navigation.previous is None


def test_escape_closes_a_panel_first(bare):
    app, _, navigation = bare
    navigation.go(QUERY)
    app.screens[QUERY].panel_open = True
    navigation.back()
    assert navigation.place == QUERY
    assert app.asked == [(QUERY, "close_panel")]


def test_what_is_under_the_cursor_of_the_overview_is_what_the_other_screens_show(bare):
    app, state, navigation = bare
    app.screens[OVERVIEW].row_chosen = ("hybrid", "mlqa")
    navigation.go(MATRIX)
    assert state.chosen == ("hybrid", "mlqa")
    navigation.go(BIAS)
    assert state.chosen == ("hybrid", "mlqa")


def test_the_next_query_is_that_of_the_list(bare):
    app, state, navigation = bare
    steps = {1: ("q1", "hi", "de"), -1: None}
    app.screens[QUERIES].step = steps.get
    assert navigation.step_query(1)
    assert state.query_key == steps[1]
    assert not navigation.step_query(-1)
    assert state.query_key == steps[1]


def test_a_screen_that_has_nothing_to_show_is_left(finished_run):
    reasons = {MATRIX: "nothing is evaluated"}
    app, state, _, navigation = parts(finished_run, reasons.get)
    navigation.switch(MATRIX)
    app.screen_stack.append(object())  # help, palette and dialogs stay
    navigation.settle()
    assert navigation.place == MATRIX
    app.screen_stack.pop()
    navigation.settle()
    assert navigation.place == OVERVIEW
    state.snapshot, state.event = None, object()
    navigation.settle()
    assert navigation.place == NOTICE


def test_a_run_of_a_training_alone_begins_on_its_screen(bare, monkeypatch):
    _, state, navigation = bare
    navigation.switch(NOTICE)
    monkeypatch.setattr(type(state.snapshot), "trained_only", True)
    navigation.settle()
    assert navigation.place == TRAINING
