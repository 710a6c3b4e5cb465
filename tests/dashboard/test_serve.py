"""The dashboard in a browser: on localhost, for those who know its key, read-only, and with nothing from elsewhere."""

import asyncio
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

import aiohttp
import pytest

from xlbias.dashboard.serve import LocalServer, command_line

pytestmark = pytest.mark.e2e


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(finished_run, port):
    """`--serve` in a process of its own, and its address, once it answers."""
    run = finished_run.rename(finished_run.with_name("it's; touch pwned $(x).parquet"))
    command = [sys.executable, "-m", "xlbias", "dashboard", str(run), "--serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=run.parent) as process:
        address = re.search(r"http\S+", process.stderr.readline())[0]
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield process, address
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        assert not (run.parent / "pwned").exists()


def raw_status(port, *lines):
    """The status that bytes which no client library would send are answered with."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"\r\n".join([*lines, b"Host: 127.0.0.1:%d" % port, b"Connection: close", b"", b""]))
        return int(connection.makefile("rb").readline().split()[1])


async def status(session, address, **headers):
    async with session.get(address, headers=headers) as response:
        return response.status


async def test_only_the_own_page_with_the_key_is_answered_and_shows_the_dashboard(server, port):
    _, address = server
    plain, other = f"http://127.0.0.1:{port}/", "http://evil.example"
    async with aiohttp.ClientSession() as session:
        for path in ("", "ws", "static/js/textual.js", "wrong/", "%C3%A9/", "//", "?key=wrong"):
            assert await status(session, plain + path) == 403, path
        assert await status(session, address, Host=f"evil.example:{port}") == 403
        assert await status(session, address, Origin=other) == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{plain}ws")
    assert raw_status(port, b"GET /\xe9/ HTTP/1.1", b"Cookie: xlbias=\xe9\xff") in (400, 403)
    assert raw_status(port, b"GET / HTTP/1.1", b"Cookie: xlbias-%d=\xe9\xff" % port) == 403

    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(address) as response:
            page = await response.text()
            assert response.status == 200
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "Set-Cookie" not in response.headers  # it would be sent to every server on this host
        assert not re.search(r"(?:src|href)=\"(?!static/)|https?://|url\(\"(?!static/)", page)
        for path in re.findall(r"static/[\w/.-]+", page):
            assert await status(session, address + path) == 200, path
            assert await status(session, plain + path) == 403, path
        assert await status(session, address, Host=f"localhost:{port + 1}") == 200  # through a forwarded port

        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{address}ws", origin=other)
        async with session.ws_connect(f"{address}ws?width=100&height=30", origin=plain.rstrip("/")) as socket_:
            await seen(socket_, b"hybrid")
            await socket_.send_json(["stdin", "p"])
            await seen(socket_, b"read-only")


async def seen(socket_, wanted, seconds=120):
    got, deadline = b"", time.monotonic() + seconds
    while wanted not in got:
        message = await asyncio.wait_for(socket_.receive(), deadline - time.monotonic())
        assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
        got += message.data if isinstance(message.data, bytes) else b""


def test_every_word_of_the_command_is_quoted():
    line = command_line(["a b.parquet", "-rf; $(x)'\".parquet"], ["--theme", "it's"])
    assert shlex.split(line)[1:] == [
        "-P", "-m", "xlbias", "dashboard", "--read-only", "--theme", "it's", "--",
        "a b.parquet", "-rf; $(x)'\".parquet",
    ]  # fmt: skip


def test_the_key_is_another_one_each_time():
    first, second = (LocalServer("x", 8000, "x") for _ in range(2))
    assert first.key != second.key
    assert len(first.key) >= 32


def test_a_port_that_is_taken_is_said_in_one_sentence(finished_run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "xlbias", "dashboard", str(finished_run), "--serve"]
        command += ["--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr
