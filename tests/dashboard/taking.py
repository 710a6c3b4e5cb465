"""Taking things along: presses keys, waits for the files, and finds them."""

from dashboard.made import press, until

from xlbias.dashboard.commands.keys import registry
from xlbias.folders import state_folder

COPY, AGAIN, EXPORT = (registry()[name].keys[0] for name in ("copy", "copy.again", "export"))


class Taker:
    """Presses keys, waits for what is then taken along, and finds it."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    async def take(self, *keys):
        """Return the text of the newest file that pressing some keys makes, and what is said of it."""
        before, said = set(self.files()), {n.identity for n in self.app._notifications}
        await press(self.pilot, *keys)
        await until(self.pilot, lambda: any(not n.message.startswith("writing") for n in self.new(said)))
        new = set(self.files()) - before
        self.newest = new
        return next(iter(new)).read_text("utf-8") if new else None

    def files(self):
        return list(state_folder().glob("*.*"))

    def new(self, before):
        return [notification for notification in self.app._notifications if notification.identity not in before]

    def said(self):
        return [notification.message for notification in self.app._notifications]
