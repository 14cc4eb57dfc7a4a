"""What the machine and the control groups around this process let Redis use."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.embedded.memory import half_of_memory, limits

V1_NO_LIMIT = "9223372036854771712"


@pytest.mark.parametrize(
    ("cgroups", "files", "expected"),
    [
        pytest.param(
            "0::/system.slice/hub.service",
            {"system.slice/hub.service/memory.max": "512", "system.slice/memory.max": "max"},
            [512],
            id="version 2, a group with a limit in one without",
        ),
        pytest.param(
            "0::/pod/container",
            {"pod/container/memory.max": "512", "pod/memory.max": "256"},
            [512, 256],
            id="version 2, a tighter limit around it",
        ),
        pytest.param("0::/", {"memory.max": "512"}, [512], id="version 2, a container"),
        pytest.param(
            "4:memory:/docker/1f\n3:cpu,cpuacct:/",
            {"memory/memory.limit_in_bytes": "512"},
            [512],
            id="version 1, a container that sees the path of its host",
        ),
        pytest.param(
            "4:memory:/a\n0::/",
            {"memory/a/memory.limit_in_bytes": V1_NO_LIMIT},
            [int(V1_NO_LIMIT)],
            id="version 1 without a limit has a large one",
        ),
        pytest.param("3:cpu,cpuacct:/a", {}, [], id="no group for memory"),
        pytest.param("", {}, [], id="no group at all"),
    ],
)
def test_limits_of_groups(
    tmp_path: Path, cgroups: str, files: Mapping[str, str], expected: list[int]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "cgroup").write_text(cgroups)
    assert list(limits(tmp_path / "cgroup", tmp_path)) == expected


def test_where_nothing_is_known_of_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert list(limits(tmp_path / "missing", tmp_path)) == []


def test_half_of_it_is_some_but_not_all() -> None:
    assert 16 * 1024**2 < half_of_memory() < 2**50
