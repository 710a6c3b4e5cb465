"""The dashboard's own themes, beside those that Textual brings along."""

from __future__ import annotations

from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from xlbias.choices import suggestion
from xlbias.colour import contrast
from xlbias.errors import UsageError

DARK = Theme(
    name="xlbias-dark",
    primary="#7fb4c9",
    secondary="#8fa3b8",
    accent="#e8c468",
    foreground="#d5dde5",
    background="#12171d",
    surface="#171d25",
    panel="#1e2630",
    success="#8cc39a",
    warning="#e8c468",
    error="#e57373",
    dark=True,
    variables={
        "block-cursor-blurred-background": "#2a3744",
        "scrollbar": "#3a4856",
        "scrollbar-background": "#171d25",
        "scrollbar-background-hover": "#171d25",
        "scrollbar-background-active": "#171d25",
    },
)

LIGHT = Theme(
    name="xlbias-light",
    primary="#1f6f8b",
    secondary="#556575",
    accent="#8a5a00",
    foreground="#1d2730",
    background="#fbfaf7",
    surface="#f4f2ec",
    panel="#e9e6de",
    success="#2f7d46",
    warning="#8a5a00",
    error="#b3261e",
    dark=False,
    variables={"block-cursor-blurred-background": "#d8e3e8"},
)

NO_COLOUR = "ansi-dark"
"""The theme under NO_COLOR: of Textual's, only those of the terminal's own colours let no colour code through."""

THEMES = (DARK, LIGHT)


def check_theme(name: str) -> None:
    """Raise UsageError unless there is a theme of that name, of Textual's or of ours."""
    known = sorted({*BUILTIN_THEMES, *(theme.name for theme in THEMES)})
    if name not in known:
        raise UsageError(f"unknown theme {name!r}{suggestion(name, known)}: choose from {', '.join(known)}")


_LEAST_CONTRAST = 3.3


def _quiet(background: Color, panel: Color, foreground: Color) -> Color:
    """Return a colour between background and text that can still be read on the background and on a panel."""
    share = 0.68
    while share < 1 and contrast(background.blend(foreground, share).rgb, panel.rgb) < _LEAST_CONTRAST:
        share += 0.04
    return background.blend(foreground, min(1.0, share))


def quiet_colours(theme: Theme) -> dict[str, str]:
    """Return `$quiet` and `$faint`, for what stands back behind the numbers, and `$here`, behind the cursor's row.

    All are solid mixtures: Textual's own muted colours are translucent, which line-rendered widgets cannot blend. In
    the terminal's own colours nothing can be mixed, so all are plain there.
    """
    if theme.ansi:
        return dict.fromkeys(("quiet", "faint", "here"), "ansi_default")
    colours = theme.to_color_system().generate()
    background, foreground, panel = (Color.parse(colours[name]) for name in ("background", "foreground", "panel"))
    here = background.blend(Color.parse(theme.primary), 0.2).hex
    return {
        "quiet": _quiet(background, panel, foreground).hex,
        "faint": background.blend(foreground, 0.45).hex,
        "here": theme.variables.get("block-cursor-blurred-background", here),
    }
