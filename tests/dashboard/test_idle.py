"""The tests' own sense of when the application is idle: everything that a key sets off, and nothing that is held up."""

import asyncio

import pytest
from dashboard.idle import idle, rested, what_is_left
from textual.app import App
from textual.widgets import Label


class Slow(App):
    """Says what it has done: in a thread, after messages, after a refresh, after a moment."""

    def __init__(self, wait=lambda: None):
        super().__init__()
        self.wait, self.done = wait, []

    def compose(self):
        yield Label()

    def key_t(self):
        self.run_worker(self._read, thread=True)

    def _read(self):
        self.wait()
        self.call_from_thread(self.say, "read")

    def key_m(self):
        self.call_later(lambda: self.call_later(self._mount))

    async def _mount(self):
        await asyncio.sleep(0.05)  # as where the machine has no time for it
        await self.mount(Label("new"))
        self.call_after_refresh(self.say, "mounted")

    def key_d(self):
        self.set_timer(0.05, lambda: self.say("delayed"))

    def say(self, what):
        self.done.append(what)
        self.query(Label).first().update(what)


@pytest.mark.parametrize(("key", "done"), [("t", "read"), ("m", "mounted")])
async def test_what_a_key_sets_off_is_done_and_painted(key, done):
    app = Slow()
    async with app.run_test() as pilot:
        await pilot.press(key)
        assert app.done == [done]
        assert any(done in "".join(part.text for part in strip) for strip in app.screen._compositor.render_strips())


async def test_what_a_test_holds_up_is_not_waited_for_until_it_goes_on(go):
    app = Slow(go.wait)
    async with app.run_test() as pilot:
        await pilot.press("t")
        assert app.done == []
        assert what_is_left(app) == ""
        go.set()
        assert "at work" in what_is_left(app)
        await idle(app)
        assert app.done == ["read"]


async def test_what_comes_after_a_moment_is_waited_for_where_that_is_asked():
    app = Slow()
    async with app.run_test() as pilot:
        await pilot.press("d")
        await rested(app)
        assert app.done == ["delayed"]


async def test_an_application_that_is_never_idle_fails_with_what_is_left():
    app = Slow(lambda: asyncio.run(asyncio.sleep(0.5)))
    async with app.run_test() as pilot:
        app.run_worker(app._read, thread=True)
        with pytest.raises(AssertionError, match=r"after 0 s .* at work"):
            await idle(app, seconds=0.05)
        await pilot.pause()
