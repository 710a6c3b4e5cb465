"""A run in progress: what the followers see goes into the state, at once or, while the screen is paused, later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xlbias.dashboard import places
from xlbias.dashboard.messages import Arrived
from xlbias.dashboard.workers.snapshot import Event, Snapshot, Waiting

if TYPE_CHECKING:
    from textual.app import App

    from xlbias.dashboard.baseline import Baseline
    from xlbias.dashboard.navigation import Navigation
    from xlbias.dashboard.state import State
    from xlbias.dashboard.workers.follower import Follower


class Live:
    """Takes in what the followers hand over.

    Args:
        app: told when there is something new.
        state: what is looked at.
        baseline: told of the second run through the state; says what is to be said of it.
        navigation: brings the present screen up to date.
        follower: of the run; already started or not. None while no run is open.
        base_follower: of the second run.
        begin: called once, when the first snapshot has been taken in.
    """

    def __init__(
        self,
        app: App[Any],
        state: State,
        baseline: Baseline,
        navigation: Navigation,
        *,
        follower: Follower | None,
        base_follower: Follower | None,
        begin: Callable[[], None],
    ) -> None:
        self._app, self._state, self._baseline, self._navigation = app, state, baseline, navigation
        self.follower, self.base_follower = follower, base_follower
        self._begin = begin
        self._boxes: dict[bool, Event] = {}
        """The last event of each follower (of the base or not) that has not been taken in yet."""

    def attach(self) -> None:
        """Begin to take in what the followers see, the second run's first."""
        if self.base_follower is not None:
            self.base_follower.attach(lambda event: self.post(event, of_base=True))
        if self.follower is not None:
            self.follower.attach(lambda event: self.post(event, of_base=False))

    def stop(self) -> None:
        """Let the followers go."""
        if self.follower is not None:
            self.follower.stop()
        if self.base_follower is not None:
            self.base_follower.stop()

    def post(self, event: Event, *, of_base: bool) -> None:
        """Take an event from a follower's thread into the application's; one that nobody has seen yet is let go.

        While keys are worked off nothing is taken in: a whole run in each message would fill the memory.
        """
        self._boxes[of_base] = event
        self._app.post_message(Arrived(of_base=of_base))

    @property
    def waits(self) -> bool:
        """Whether something has been handed over that is still to be taken in."""
        return bool(self._boxes)

    def arrived(self, *, of_base: bool) -> None:
        """Take in what a follower has seen; while paused only count it."""
        event = self._boxes.pop(of_base, None)
        if event is None:  # taken in with the message before
            return
        if of_base:
            self._take_base(event)
        elif isinstance(event, Snapshot):
            self._take_newest(event)
        else:
            state = self._state
            state.event = event
            state.problem = f"{state.path.name} is gone." if isinstance(event, Waiting) else f"{event.sentence}."
            self._navigation.settle()
            self._navigation.show()

    def _take_newest(self, event: Snapshot) -> None:
        state = self._state
        was_finished = state.newest is None or state.newest.finished
        state.event, state.problem, state.newest = None, "", event
        if event.state.progress is not None:
            state.pace = state.pace.after(event.state.progress)
        if event.finished and not was_finished and state.process is None:
            self._app.notify("The run has finished.", markup=False)
        if state.paused and state.snapshot is not None and not event.finished:
            self._navigation.tell()
            return
        self.take(event)

    def _take_base(self, event: Event) -> None:
        state = self._state
        if isinstance(event, Snapshot):
            if state.base is not None and state.base.run is not event.run:
                state.base.run.forget()
            state.base = event
            state.base_problem = self._baseline.no_common_task()
        else:
            said = f"{event.path.name} is not there" if isinstance(event, Waiting) else event.sentence
            state.base_problem = f"No differences: {said}."
        self._navigation.show()

    def take(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        state, navigation = self._state, self._navigation
        before, state.snapshot = state.snapshot, snapshot
        if before is not None and before.run is not snapshot.run:
            before.run.forget()  # screens that are not seen may hold on to it for long
        state.base_problem = self._baseline.no_common_task() or state.base_problem
        only_now = snapshot.trained_only and not (before and before.trained_only)
        if snapshot.finished:
            state.paused = state.following = False
        pairs = snapshot.overview.select("model", "task").rows()
        if state.chosen not in pairs:
            state.chosen = pairs[0] if pairs else None
        if before is None:
            self._begin()
        if only_now and navigation.place == places.OVERVIEW and navigation.on_top:
            navigation.switch(places.TRAINING)
        navigation.settle()
        navigation.show()
        if state.following and before is not None:
            newest = snapshot.newest_since(before)
            if newest:
                navigation.view.follow_to(newest)

    # -- what keys do ------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Move the cursor of the present screen; that ends following."""
        self._navigation.view.move(where)
        if self._state.following:
            self.toggle_follow()

    def toggle_pause(self) -> None:
        """Hold the screen still, or show what has come since."""
        state = self._state
        state.paused = not state.paused
        if not state.paused and state.newest is not None:
            self.take(state.newest)
        else:
            self._navigation.tell()

    def toggle_follow(self) -> None:
        """Keep the cursor on what was finished last, or leave it alone."""
        self._state.following = not self._state.following
        self._navigation.tell()

    def reload(self) -> None:
        """Read the run anew, unless what has just been read is still to be shown."""
        for follower, of_base in ((self.follower, False), (self.base_follower, True)):
            if follower is not None and of_base not in self._boxes:
                follower.reload()
        self._app.notify("reading the run again", timeout=2, markup=False)

    def process_ended(self) -> None:
        """Announce the end of the process that makes the run; leave where it failed before there was anything to see.

        One that was killed stays on the screen as soon as its run is there: it did not fail by itself, and goes on.
        """
        state = self._state
        process = state.process
        assert process is not None and self.follower is not None
        if process.code == 0:
            self.follower.heed_all()
            self._app.notify(f"{process.name} has finished.", markup=False)
        elif state.newest is None or (state.newest.is_empty and (process.code or 0) <= 128):
            self._app.exit()
        else:
            process.seen = True
            state.process_trouble = process.trouble()
            self._navigation.show()
