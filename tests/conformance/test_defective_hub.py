"""The hub with defects as a program, and its list of defects."""

import ast
import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.conformance import defective_hub
from tests.conformance.defective.catalogue import DEFECTS, SWITCHES

_HERE = Path(__file__).parent


def test_each_defect_is_in_the_code_and_no_other() -> None:
    used = {
        node.left.value
        for path in (_HERE / "defective").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Constant)
        and ast.unparse(node.comparators[0]) in {"defects", "self._defects"}
    }
    assert used == {*DEFECTS, *SWITCHES}


async def test_an_unknown_defect_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such defect: nonsense"):
        async with defective_hub.running(frozenset({"nonsense"})):
            pass


async def test_as_a_program_it_says_where_it_is_and_ends_at_once_on_sigterm() -> None:
    program = _HERE / "defective_hub.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), "--defect", "answer-200", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    ready = (await process.stdout.readline()).decode().split()
    assert ready[0] == "ready"
    assert ready[1].startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(1):
        assert await process.stdout.read() == b""
        assert await process.wait() == -signal.SIGTERM
