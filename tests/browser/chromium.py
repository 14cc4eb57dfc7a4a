"""A real Chromium, driven over the DevTools protocol."""

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.workers.waiting import eventually, eventually_true

START_S = 30
ANSWER_S = 20
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    # Tests run as root in containers; what is opened is our own page.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)


def found_chromium() -> str | None:
    """Returns where it is, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.mishaps: list[str] = []

    async def listen(self) -> None:
        """Takes what the browser says, until it is gone."""
        async for message in self._socket:
            said = json.loads(message.data)
            if answer := self._answers.pop(said.get("id", 0), None):
                answer.set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.mishaps.append(str(said["params"]["exceptionDetails"]))
            elif said["method"] == "Audits.issueAdded":
                self.mishaps.append(str(said["params"]["issue"]))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        """Returns what a command of the protocol comes to."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_S):
            said = await answer
        assert "error" not in said, (method, said)
        found: dict[str, Any] = said["result"]
        return found

    async def ask(self, expression: str) -> Any:  # noqa: ANN401 - what JavaScript says
        """Returns the value of an expression in the page."""
        said = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, expression: str, within_s: float = 15) -> None:
        """Returns once an expression is true in the page."""

        async def is_so() -> bool:
            return bool(await self.ask(expression))

        seen: list[object] = []
        try:
            await eventually_true(is_so, within_s)
        except AssertionError:
            seen.append(await self.ask("document.body.innerText"))
            raise AssertionError(f"{expression} not within {within_s} s: {seen}") from None

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.protocol !== 'about:'")

    async def fill(self, field: str, text: str) -> None:
        """Types into a field and presses Enter, as somebody without a mouse does."""
        await self.ask(f"document.getElementById({field!r}).focus()")
        await self.ask(f"document.getElementById({field!r}).select()")
        await self.call("Input.insertText", text=text)
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    async def look(self, *, width: int, is_dark: bool) -> None:
        """Sets the size of the screen, and what colours its owner prefers."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844 if width < 600 else 900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )


@asynccontextmanager
async def browsing(command: str, folder: Path) -> AsyncIterator[Page]:
    """A browser with one page, and a profile in the folder."""
    with (folder / "chromium.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            command,
            *_OPTIONS,
            f"--user-data-dir={folder / 'profile'}",
            "about:blank",
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        port = await _port(folder / "profile" / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session, _attached(session, port) as page:
            yield page
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def _attached(session: aiohttp.ClientSession, port: int) -> AsyncIterator[Page]:
    async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
        targets = await response.json()
    url = next(one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page")
    async with session.ws_connect(url, max_msg_size=0) as socket:
        page = Page(socket)
        listening = asyncio.create_task(page.listen())
        for domain in ("Page", "Runtime", "Network", "Audits"):
            await page.call(f"{domain}.enable")
        yield page
        listening.cancel()
        await asyncio.wait([listening])


async def _port(file: Path) -> int:
    def lines() -> list[str]:
        return file.read_text().splitlines() if file.exists() else []

    await eventually(lambda: len(lines()) > 1, START_S)
    return int(lines()[0])
