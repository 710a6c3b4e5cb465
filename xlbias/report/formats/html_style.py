"""The style of a page: light, dark and on paper; and the colours of its cells and series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlbias.colour import RGB, SERIES, colours, diverging_colours, text_on

LIGHT: RGB = (255, 255, 255)
"""The background of the page, which differences of nothing have, too."""

DARK: RGB = (13, 17, 23)
"""The same for readers who have chosen dark pages."""

VALUES, DIFFERENCES = "h", "d"
"""Of the classes of steps of colours."""

INKS: dict[str, tuple[RGB, RGB]] = {
    "ink": ((27, 31, 36), (230, 237, 243)),
    "paper": (LIGHT, DARK),
    "line": ((208, 215, 222), (48, 54, 61)),
    "soft": ((82, 92, 103), (153, 161, 170)),
    "band": ((246, 248, 250), (22, 27, 34)),
    "link": ((9, 86, 190), (110, 178, 255)),
    "doubt": ((146, 64, 14), (240, 170, 95)),
}
"""Colours of the page by their names in the style, on light and on dark ground."""

_STYLE = """
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 84rem; padding: .8rem 1rem 2rem; color: var(--ink); background: var(--paper);
  font: .95rem/1.45 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: break-word }
h1, h2, h3, figcaption, .title { line-height: 1.25; overflow-wrap: anywhere }
h1 { font-size: 1.45rem; margin: 0 } h2 { font-size: 1.15rem; margin: 1.8rem 0 .6rem; padding-bottom: .2rem;
  border-bottom: 1px solid var(--line) } h3 { font-size: .95rem; margin: 1.1rem 0 .4rem }
p { margin: .4rem 0; max-width: 62rem } a { color: var(--link) }
.subtitle, .notes, .legend, small, .soft, .count { color: var(--soft) }
.subtitle { overflow-wrap: anywhere; margin: .1rem 0 0; font-size: .85rem }
nav { font-size: .85rem; margin: .3rem 0 0 } nav ol { list-style: none; margin: 0; padding: 0 }
nav li { display: inline } nav li + li::before { content: " · "; color: var(--soft) }
dl { margin: 0 } dt { font-weight: 600 } dd { margin: 0 0 .4rem 1.2rem; max-width: 62rem }
dt, dd { overflow-wrap: anywhere }
.answers { display: grid; grid-template-columns: 5.6rem minmax(0, 1fr); margin: .25rem 0 0; max-width: 76rem }
.answers h3 { margin: 0; color: var(--link) } .answers.doubt h3 { color: var(--doubt) }
.answers div { margin-bottom: .12rem } .answers dt, .answers dd { display: inline; margin: 0 }
.answers dt::after { content: ": " }
details { margin: .5rem 0 } summary { cursor: pointer; overflow-wrap: anywhere }
summary h2 { display: inline; border: 0 } summary .title { font-weight: 600 }
summary:focus-visible, a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
figure { margin: 0; max-width: 100% } figcaption { font-weight: 600; font-size: .88rem; padding-bottom: .25rem }
.panels { display: flex; flex-wrap: wrap; gap: .9rem 1.2rem; align-items: flex-start }
.panels > * { max-width: 100%; min-width: 0 } .panels .drawn { flex: 1 1 20rem; max-width: 30rem }
.scroll { overflow: auto; max-height: 42rem; margin: .2rem 0 .3rem; max-width: 100% }
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; font-size: .85rem }
caption { text-align: start; font-weight: 600; padding-bottom: .3rem }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
th, td { padding: .15rem .55rem; border-bottom: 1px solid var(--line); text-align: start; white-space: nowrap }
thead th { position: sticky; top: 0; z-index: 1; background: var(--band); vertical-align: bottom }
tbody th { position: sticky; left: 0; background: var(--paper); font-weight: 600 }
.number { text-align: end } tbody th.long, td.long, thead th { white-space: normal; overflow-wrap: break-word }
tbody th.long, td.long { min-width: 9rem; max-width: 18rem } thead th { max-width: 13rem }
.map { font-size: .7rem; line-height: 1.3 }
.map td { text-align: center; padding: .17rem .15rem; border: 0; min-width: 1.6rem }
.map th { padding: .1rem .25rem; border: 0; text-align: end; font-weight: 600 }
.map thead th { text-align: center; max-width: 7rem }
.legend { font-size: .8rem; margin: .2rem 0 } .legend span { padding: .1rem .5rem }
.notes { margin: .2rem 0 .8rem; padding-inline-start: 1.1rem; font-size: .8rem; overflow-wrap: anywhere;
  max-width: 76rem }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: .2rem 0 .4rem; padding: 0;
  font-size: .85rem }
.key li { overflow-wrap: anywhere; min-width: 0 } .mark { width: .9rem; height: .9rem; vertical-align: -.12rem }
.figure { width: 100%; height: auto; display: block } .figure text { font-size: 11px; fill: var(--ink) }
.figure text.soft { fill: var(--soft) } .grid { stroke: var(--line); stroke-width: 1; fill: none }
.band { fill: var(--band) } .level { stroke: var(--soft); stroke-width: 1.3; stroke-dasharray: 4 3; fill: none }
.reach { stroke: currentColor; stroke-width: 1.4; fill: none }
.line { stroke: currentColor; stroke-width: 1.6; fill: none }
.dot { fill: currentColor }
.picture { image-rendering: pixelated; display: block; width: 100%; min-width: 20rem }
footer { margin-top: 2rem; font-size: .8rem; color: var(--soft) }
@media (max-width: 40rem) { body { padding: .6rem .7rem } .answers { grid-template-columns: minmax(0, 1fr) }
  .panels > *, .panels .drawn { flex: 1 1 100%; max-width: 100% } th, td { padding: .15rem .35rem }
  .map td { padding: .17rem .08rem } }
@media print { html { font-size: 12px } body { padding: 0; max-width: none } nav { display: none }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact } .scroll { overflow: visible; max-height: none }
  th, td { white-space: normal } .map td { white-space: nowrap } thead th, tbody th { position: static }
  .map { font-size: 5.1pt } .map td { padding: .1rem .06rem; min-width: 0 } .map th { padding: .1rem .15rem }
  figure, tr, .answers div, .key, .legend { break-inside: avoid } h2, h3, figcaption { break-after: avoid }
  .panels { gap: .6rem .7rem } .panels .drawn { flex: 1 1 30%; max-width: 32% } details:not([open]) { display: none } }
"""

_POSTER = """
.poster { max-width: 84rem; padding-bottom: .3rem } .poster h1 { font-size: 1.3rem }
.poster h2 { margin: .5rem 0 .2rem; font-size: .95rem; padding: 0 } .poster nav { display: none }
.poster h3 { margin: .3rem 0 .15rem; font-size: .88rem } .poster .notes { display: none }
.poster .answers h3 { margin: 0 } .poster .answers { max-width: none; font-size: .85rem; line-height: 1.32; margin: 0 }
.poster .legend { display: inline-block; margin: .1rem 1rem .1rem 0; font-size: .75rem } .poster .key { margin: 0 }
.poster .scroll { max-height: none; margin: 0 } .poster .panels { gap: .5rem 1rem }
.poster .panels .drawn { flex: 1 1 18rem; max-width: 26rem } .poster .panels figcaption { padding-bottom: .1rem }
.poster .map { font-size: .66rem }
@media print { @page { size: landscape; margin: 8mm } .poster { max-width: none } .poster .panels { flex-wrap: nowrap }
  .poster .panels .drawn { flex: 1 1 0; max-width: 33% } html { font-size: 11px } .poster .map { font-size: 6pt } }
"""


def style_of(*, differences: bool, poster: bool) -> str:
    """Return the style of a page: with the colours of differences, and the layout of a poster, where it has them."""
    light, dark = (tuple(_inks(ground)) for ground in (0, 1))
    parts = [f":root {{ color-scheme: light dark; {'; '.join(light)} }}\n", _STYLE, _POSTER if poster else ""]
    parts += [*_steps(VALUES, colours()), *(_steps(DIFFERENCES, diverging_colours(LIGHT)) if differences else ())]
    parts += _series(0)
    parts += ["@media screen and (prefers-color-scheme: dark) {\n", f":root {{ {'; '.join(dark)} }}\n", *_series(1)]
    parts += [*(_steps(DIFFERENCES, diverging_colours(DARK)) if differences else ()), "}\n"]
    return "".join(parts)


def _inks(ground: int) -> Iterator[str]:
    for name, colour in INKS.items():
        yield f"--{name}: {hex_of(colour[ground])}"


def _steps(kind: str, scale: Sequence[RGB]) -> Iterator[str]:
    for step, background in enumerate(scale):
        yield f".{kind}{step} {{ color: {hex_of(text_on(background))}; background: {hex_of(background)} }}\n"


def _series(ground: int) -> Iterator[str]:
    for series, colour in enumerate(SERIES[ground]):
        yield f".s{series} {{ color: {hex_of(colour)} }}\n"


def hex_of(colour: RGB) -> str:
    """Return a colour as the style writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
