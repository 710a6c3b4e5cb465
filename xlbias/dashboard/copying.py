"""The part of the application that takes things along: copies, exports, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xlbias.dashboard.export import save, state_folder, without_fonts
from xlbias.text import clean

if TYPE_CHECKING:
    from xlbias.dashboard.app import DashboardApp


class Copying:
    """What leaves the dashboard; mixed into the application."""

    @property
    def _dashboard(self) -> DashboardApp:
        return cast("DashboardApp", self)

    def ask_copy(self) -> None:
        """Ask how much to copy, and in which format."""

    def copy_again(self) -> None:
        """Copy as the last time."""

    def ask_export(self) -> None:
        """Ask for a format, and save the report of the run."""

    def save_picture(self, form: str) -> None:
        """Save the screen as SVG."""
        app = self._dashboard
        self._keep(f"xlbias-{app.place}", form, without_fonts(app.export_screenshot(title="xlbias")), "")

    def _keep(self, name: str, suffix: str, content: str, said: str) -> None:
        app = self._dashboard
        try:
            path = save(state_folder(), name, suffix, content)
        except OSError as error:
            app.notify(clean(f"{said}no file could be written: {error}"), severity="error", markup=False)
            return
        app.notify(clean(f"{said}in {path}"), markup=False, timeout=6)
