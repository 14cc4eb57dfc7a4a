"""The line that shows that something is still being waited for."""

import asyncio
import io

from hub.commands.waiting import say, waiting


class Screen(io.StringIO):
    """Tells when a text has been shown."""

    def __init__(self, awaited: str, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_shown = asyncio.Event()
        self._awaited = awaited
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        if self._awaited in text:
            self.is_shown.set()
        return super().write(text)


async def test_a_terminal_sees_what_is_waited_for_and_a_clean_line_after() -> None:
    screen = Screen("1 s", is_terminal=True)
    async with asyncio.timeout(5), waiting(screen, "waiting"):
        await screen.is_shown.wait()
    assert screen.getvalue().startswith("\r\x1b[2Kwaiting")
    assert screen.getvalue().endswith("waiting 1 s\r\x1b[2K")


async def test_a_sentence_takes_the_place_of_the_line() -> None:
    screen = Screen("waiting", is_terminal=True)
    async with asyncio.timeout(5), waiting(screen, "waiting"):
        await screen.is_shown.wait()
        say(screen, "news")
        assert screen.getvalue() == "\r\x1b[2Kwaiting\r\x1b[2Knews\n"


async def test_a_line_that_was_cut_short_is_gone_too() -> None:
    screen = Screen("waiting", is_terminal=True)

    async def waits_for_ever() -> None:
        async with waiting(screen, "waiting"):
            await asyncio.Event().wait()

    async with asyncio.timeout(5):
        task = asyncio.create_task(waits_for_ever())
        await screen.is_shown.wait()
        task.cancel()
        await asyncio.wait([task])
    assert screen.getvalue().endswith("\r\x1b[2K")


async def test_what_is_no_terminal_gets_no_control_characters() -> None:
    screen = Screen("waiting", is_terminal=False)
    async with asyncio.timeout(5), waiting(screen, "waiting"):
        await screen.is_shown.wait()
        say(screen, "news")
    assert screen.getvalue() == "waiting\nnews\n"


async def test_what_is_quickly_done_is_not_shown() -> None:
    screen = Screen("waiting", is_terminal=False)
    async with waiting(screen, "waiting", shown_after_s=60):
        await asyncio.sleep(0)
    assert screen.getvalue() == ""
