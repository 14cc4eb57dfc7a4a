"""docs/records.md names what there is: each script and key, and tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/records.md").read_text()
LUA = ROOT / "hub/store/lua"
SCRIPTS = sorted(file.stem for file in LUA.glob("*.lua"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_has_a_section(script: str) -> None:
    assert f"\n### {script}\n" in PAGE


def test_no_section_is_of_a_script_that_is_gone() -> None:
    sections = PAGE[PAGE.index("## Scripts") :]
    assert set(re.findall(r"^### (\w+)$", sections, re.MULTILINE)) == set(SCRIPTS)


def test_each_part_of_the_library_is_named() -> None:
    for part in (LUA / "lib").glob("*.lua"):
        assert f"`{part.stem}`" in PAGE


def test_each_key_in_the_scripts_is_named() -> None:
    source = "".join(file.read_text() for file in LUA.rglob("*.lua"))
    keys = set(re.findall(r"P \.\. '([a-z_]+:?)'", source))
    assert len(keys) > 15
    assert [key for key in keys if f"`{key}" not in PAGE] == []


def test_the_tests_that_it_names_are_there() -> None:
    folders = (Path(__file__).parent, Path(__file__).parents[1] / "workers")
    tests = {file.name: file.read_text() for at in folders for file in at.glob("test_*.py")}
    named = set(re.findall(r"`(test_\w+\.py)`", PAGE))
    assert named <= set(tests)
    for classes in set(re.findall(r"\b(Test[A-Z]\w+)", PAGE)):
        assert any(f"class {classes}:" in text for text in tests.values()), classes
