"""The application and its screens without a terminal: what the parts ask of them, and a list of what was asked."""

from types import SimpleNamespace

from xlbias.dashboard import places
from xlbias.dashboard.baseline import Baseline
from xlbias.dashboard.navigation import Navigation
from xlbias.dashboard.state import State
from xlbias.dashboard.workers.snapshot import take_snapshot


class BareScreen:
    """A screen that only says what it was asked."""

    is_mounted = is_running = True
    panel_open = False
    row_chosen = None
    scopes = ("row", "all")
    n_all = (4, 1)
    copy_waits = False

    def __init__(self, place, asked):
        self.PLACE, self.asked = place, asked

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **more: self.asked.append((self.PLACE, name, *args))


class BareApp:
    """The screens of the dashboard by name, the stack of those that are open, and all that was asked."""

    size = SimpleNamespace(width=80, height=24)

    def __init__(self):
        self.asked = []
        self.screens = {place: BareScreen(place, self.asked) for place in (*places.SCREENS, places.NOTICE)}
        self.screen_stack = [self.screens[places.OVERVIEW]]
        self.dialogs = []

    @property
    def screen(self):
        return self.screen_stack[-1]

    def get_screen(self, place):
        return self.screens[place]

    @property
    def _installed_screens(self):
        return {screen.PLACE: screen for screen in self.screen_stack}

    def push_screen(self, screen, callback=None):
        if isinstance(screen, str):
            self.screen_stack.append(self.screens[screen])
        else:
            self.dialogs.append((screen, callback))

    def pop_screen(self):
        self.screen_stack.pop()

    def switch_screen(self, place):
        self.screen_stack[-1] = self.screens[place]

    def clear_notifications(self):
        pass

    def run_worker(self, work, **_):
        work()

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **more: self.asked.append((name, *args))

    def said(self, name):
        """What one method was called with."""
        return [args for asked, *args in self.asked if asked == name]


def parts(path, why_not=lambda place: None):
    """A bare application that looks at the run at `path`, with its state, baseline and navigation."""
    app = BareApp()
    state = State(path, snapshot=take_snapshot(path))
    state.newest = state.snapshot
    state.chosen = state.snapshot.overview.select("model", "task").row(0)
    return app, state, Baseline(state, lambda: None), Navigation(app, state, why_not)
