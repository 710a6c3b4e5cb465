"""The page in a browser: nothing of it is wider than a narrow window, and a poster is one sheet of paper."""

import asyncio
import base64
import json
import re
import shutil

import aiohttp
import pytest
from support import make_task, make_vectors

from xlbias.evaluation import evaluate
from xlbias.report.documents.audit import DEFAULT_MATRICES, audit
from xlbias.report.documents.poster import poster
from xlbias.report.formats.html import to_html

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no chromium here")]

WIDTHS = "JSON.stringify([document.documentElement.scrollWidth, document.documentElement.clientWidth])"
OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"


async def seen(files, widths, sheets, profile):
    """Scroll width and window width of each file at each of `widths`, and its pages on each of `sheets`, in inches."""
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
    ]
    browser = await asyncio.create_subprocess_exec(BROWSER, *options, "about:blank", stderr=asyncio.subprocess.PIPE)
    try:
        found = None
        while found is None:
            found = re.search(rb"ws://([^/\s]+)", await asyncio.wait_for(browser.stderr.readline(), 60))
        async with aiohttp.ClientSession() as session:
            pages = await (await session.get(f"http://{found[1].decode()}/json")).json()
            address = next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                return [await _one(socket, file, widths, sheets) for file in files]
    finally:
        browser.terminate()
        await browser.wait()


async def _one(socket, file, widths, sheets):
    async def call(method, **parameters):
        await socket.send_json({"id": 1, "method": method, "params": parameters})
        while (answer := json.loads((await socket.receive()).data)).get("id") != 1:
            pass
        return answer["result"]

    async def value(expression):
        return (await call("Runtime.evaluate", expression=expression))["result"].get("value")

    measured, pages = [], []
    await call("Page.navigate", url=file.as_uri())
    while await value("location.pathname + ' ' + document.readyState") != f"{file} complete":
        await asyncio.sleep(0.05)
    for high, wide in sheets:
        paper = {"printBackground": True, "preferCSSPageSize": True, "paperWidth": wide, "paperHeight": high}
        pdf = base64.b64decode((await call("Page.printToPDF", **paper))["data"])
        pages.append(len(re.findall(rb"/Type\s*/Page\b", pdf)))
    await value(OPEN)
    for width in widths:
        await call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        measured.append(json.loads(await value(WIDTHS)))
    return measured, pages


def test_nothing_is_wider_than_the_window_and_a_poster_is_one_sheet(tmp_path):
    task = make_task(12)
    vectors = [make_vectors(task, seed) for seed in range(3)]
    run = evaluate(vectors, task, tmp_path / f"{'long-' * 30}run.parquet")
    texts = [to_html([audit(run, matrices=DEFAULT_MATRICES, by_language=True)]), to_html([poster(run)])]
    files = [tmp_path / f"{i}.html" for i in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")
    found = asyncio.run(seen(files, (420, 1280), ((11.69, 8.27), (11.0, 8.5)), tmp_path / "profile"))
    for measured, _ in found:
        assert all(0 <= width - client < 30 for width, (_, client) in zip((420, 1280), measured, strict=True))
        assert all(scroll <= client for scroll, client in measured)
    assert found[1][1] == [1, 1]
    assert found[0][1] != [0, 0]
