"""docs/crash-matrix.md shows each row of the matrix, and that no promise was broken."""

from tests.crash.ledger import COLUMNS
from tests.crash.points import PAUSES, POINTS
from tests.crash.upsets import UPSETS
from tests.crash.write_page import BEGIN, END, PAGE


def _rows() -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [line for line in lines if line[-1].isdigit()]


def test_the_tables_have_each_row_and_no_other() -> None:
    points = [point.name for point in (*POINTS, *PAUSES)]
    assert [row[0] for row in _rows() if len(row) > len(COLUMNS)] == [*points, *UPSETS]


def test_nothing_is_lost_or_out_of_order_and_no_more_repeated_than_may_be() -> None:
    for row in _rows():
        lost, out_of_order, repeats, repeats_max = map(int, row[-4:])
        assert (lost, out_of_order) == (0, 0), row
        assert repeats <= repeats_max, row
