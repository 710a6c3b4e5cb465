"""The dashboard in a browser on the same machine, read-only, through textual-serve.

A server on localhost can be reached by every page that the browser shows and by every user of the machine. So it
answers only requests that name localhost and come from its own page, and only below a path that is its key, which is
part of the address that is printed. There is no cookie: a browser would send it to the servers of other users, too, as
cookies are the same for all ports of a host. Its page, unlike that of textual-serve, loads nothing from elsewhere.
"""

from __future__ import annotations

import html
import logging
import secrets
import shlex
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from xlbias.interpreter import own_command

HOST = "127.0.0.1"
_LOCAL = frozenset({HOST, "localhost", "::1"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def command_line(runs: Sequence[str], options: Sequence[str] = ()) -> str:
    """Return the command of the dashboard that a browser shows, for a shell: read-only, and every word quoted."""
    return shlex.join(own_command("dashboard", "--read-only", *options, "--", *runs))


class LocalServer(Server):
    """Serves the dashboard to browsers on this machine that know the key; `address` holds it."""

    def __init__(self, command: str, port: int, title: str) -> None:
        super().__init__(command, host=HOST, port=port, title=title)
        self.key = secrets.token_urlsafe(24)
        self.address = f"http://{HOST}:{port}/{self.key}/"

    async def _make_app(self) -> web.Application:
        app = web.Application()
        app.add_subapp(f"/{self.key}/", await super()._make_app())

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._check(request)
            return await handler(request)

        app.middlewares.append(guard)
        return app

    def _check(self, request: web.Request) -> None:
        """Refuse requests but those of this server's own page by someone who knows the key."""
        origin = request.headers.get("Origin")
        if _host_name(request.host) not in _LOCAL or (origin is not None and urlsplit(origin).netloc != request.host):
            raise web.HTTPForbidden(text="This dashboard is for its own page on this machine only.")
        given = request.raw_path.split("/")[1] if request.raw_path.startswith("/") else ""
        if not secrets.compare_digest(given.encode("utf-8", "surrogateescape"), self.key.encode()):
            raise web.HTTPForbidden(text="Open the whole address that the command has printed, with its key.")

    async def handle_index(self, request: web.Request) -> web.Response:
        """Return the page; it may load nothing but what this server gives."""
        page = files("xlbias.dashboard").joinpath("web", "index.html").read_text("utf-8")
        response = web.Response(text=page.replace("@TITLE@", html.escape(self.title)), content_type="text/html")
        own = f"'self' 'unsafe-inline' 'unsafe-eval' data: blob: ws://{request.host} wss://{request.host}"
        response.headers["Content-Security-Policy"] = f"default-src {own}; frame-ancestors 'none'"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the command line does."""

    def initialize_logging(self) -> None:
        """Log what goes wrong, and not every request."""
        logging.basicConfig(level=logging.WARNING, format="%(message)s")


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
