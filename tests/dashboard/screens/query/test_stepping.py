"""Steps through a list of queries and the place in it, without a terminal."""

from types import SimpleNamespace

from xlbias.dashboard.screens.queries.cursor import QueryCursor
from xlbias.dashboard.screens.query.stepping import Stepping

KEYS = [("q1", "hi", "de"), ("q2", "hi", "de"), ("q3", "hi", "de")]


class Rows:
    """Rows with a cursor."""

    def __init__(self, keys):
        self.keys, self.cursor = keys, 0

    @property
    def height(self):
        return len(self.keys)

    @property
    def cursor_key(self):
        return self.keys[self.cursor] if self.keys else None

    def key_at(self, row):
        return self.keys[row]

    def go_to(self, key):
        self.cursor = self.keys.index(key)

    def move(self, where):
        self.cursor += {"down": 1, "up": -1}[where]


class Queries:
    """A screen whose list is made when it is told to."""

    is_mounted = True

    def __init__(self, keys=KEYS, trouble=""):
        self.table, self.trouble = Rows(keys), trouble
        self.listing = None
        self.begun = 0

    def begin(self):
        self.begun += 1

    def made(self):
        texts = SimpleNamespace(text=lambda key, language: f"{key} in {language}")
        self.listing = SimpleNamespace(wanted=SimpleNamespace(run="run", task="t"), texts=texts)
        return self


def test_the_cursor_knows_its_place_and_where_the_list_ends():
    cursor = QueryCursor(Queries().made())
    assert cursor.place_of(KEYS[0]) == (1, 3)
    assert cursor.place_of(KEYS[1]) is None
    assert cursor.step(-1) is None
    assert [cursor.step(1), cursor.step(1), cursor.step(1)] == [KEYS[1], KEYS[2], None]
    cursor.go_to(KEYS[0])
    assert cursor.place_of(KEYS[0]) == (1, 3)


def test_a_text_of_the_list_is_told_for_its_own_run_and_task_only():
    cursor = QueryCursor(Queries().made())
    assert cursor.text_of(KEYS[0], "run", "t") == "q1 in hi"
    assert cursor.text_of(KEYS[0], "run", "another") is None
    assert cursor.text_of(KEYS[0], "another", "t") is None
    assert cursor.text_of(KEYS[1], "run", "t") is None


def test_without_a_list_or_rows_there_is_nowhere_to_go():
    unmounted = Queries().made()
    unmounted.is_mounted = False
    for queries in (Queries(), Queries([]).made(), unmounted):
        cursor = QueryCursor(queries)
        assert cursor.is_empty
        assert cursor.step(1) is None
        assert cursor.place_of(KEYS[0]) is None
        assert cursor.neighbours(KEYS[0], (1, -1)) == []


def test_a_step_waits_for_the_list_and_is_taken_once():
    queries = Queries()
    stepping = Stepping(QueryCursor(queries))
    assert not stepping.ask(1)
    assert queries.begun == 1
    assert stepping.waits
    assert stepping.next_step() == 0
    queries.made()
    assert not stepping.waits
    assert [stepping.next_step(), stepping.next_step()] == [1, 0]
    assert stepping.ask(-1)


def test_a_list_that_cannot_be_made_ends_the_waiting_and_is_said():
    queries = Queries()
    stepping = Stepping(QueryCursor(queries))
    stepping.ask(1)
    queries.trouble = "cannot be read"
    assert stepping.next_step() == 1
    assert stepping.why_not() == "cannot be read"
    assert "matches no query" in Stepping(QueryCursor(Queries([]).made())).why_not()
    assert Stepping(QueryCursor(Queries().made())).why_not() == ""


def test_the_way_taken_last_is_read_ahead_and_both_once_a_query_is_looked_at():
    queries = Queries().made()
    queries.table.cursor = 1
    stepping = Stepping(QueryCursor(queries))
    assert stepping.ahead_of(KEYS[1]) == []
    stepping.ask(-1)
    assert stepping.ahead_of(KEYS[1]) == [KEYS[0]]
    stepping.settle(("run", *KEYS[1]))
    assert stepping.ahead_of(KEYS[1]) == [KEYS[0], KEYS[2]]
    assert stepping.ahead_of(KEYS[0]) == []


def test_the_list_of_the_last_time_is_made_once_a_query_has_settled():
    queries = Queries()
    stepping = Stepping(QueryCursor(queries))
    stepping.list_wanted = True
    stepping.settle(KEYS[0])
    stepping.settle(KEYS[0])
    assert queries.begun == 1
