"""Tables: aligned, wrapped in the last column, or one value a line; never cut."""

import pytest

from alicia.cli.tables import Line, lay_out, named_values

COLUMNS = ["name", "status", "reason"]
ROWS = [("stt", "up", "reports healthy every 30 s, as it said"), ("a_long_name", "down", "x")]


def shown(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


def test_columns_are_aligned_and_lines_end_with_their_text() -> None:
    assert shown(lay_out(COLUMNS, ROWS, width=None)) == [
        "NAME         STATUS  REASON",
        "stt          up      reports healthy every 30 s, as it said",
        "a_long_name  down    x",
    ]


def test_the_last_column_wraps_where_the_terminal_is_narrow() -> None:
    assert shown(lay_out(COLUMNS, ROWS, width=50)) == [
        "NAME         STATUS  REASON",
        "stt          up      reports healthy every 30 s,",
        "                     as it said",
        "a_long_name  down    x",
    ]


def test_the_last_column_stands_below_where_little_room_is_left() -> None:
    assert shown(lay_out(COLUMNS, [*ROWS, ("c", "up", "-")], width=30)) == [
        "NAME         STATUS",
        "    REASON",
        "stt          up",
        "    reports healthy every 30",
        "    s, as it said",
        "a_long_name  down",
        "    x",
        "c            up",
    ]


def test_without_room_each_row_is_a_paragraph() -> None:
    assert shown(lay_out(COLUMNS, ROWS, width=18)) == [
        "NAME    stt",
        "STATUS  up",
        "REASON  reports healthy every 30 s, as it said",
        "",
        "NAME    a_long_name",
        "STATUS  down",
        "REASON  x",
    ]


@pytest.mark.parametrize("width", [None, 80, 30, 1])
def test_no_value_is_ever_lost(width: int | None) -> None:
    text = " ".join(" ".join(shown(lay_out(COLUMNS, ROWS, width=width))).split())
    for row in ROWS:
        for cell in row:
            assert all(word in text for word in cell.split())


def test_wide_characters_take_two_cells() -> None:
    assert shown(lay_out(["a", "b"], [("\u5bb6", "1"), ("xy", "2")], width=None)) == [
        "A   B",
        "\u5bb6  1",
        "xy  2",
    ]


def test_no_rows_leave_the_head() -> None:
    assert shown(lay_out(["a", "b"], [], width=80)) == ["A  B"]


def test_a_word_of_state_has_its_colour_and_a_peer_none() -> None:
    lines = lay_out(["name", "status"], [("firing\x1b[31m", "firing")], width=None)
    assert [(piece.text, piece.style) for piece in lines[1] if piece.text.strip()] == [
        ("firing\N{REPLACEMENT CHARACTER}[31m", ""),
        ("firing", "bold red"),
    ]


def test_named_values_tell_instants_by_their_names() -> None:
    assert shown(named_values([("a", {"b": True}), ("next_run", "x"), ("longer_name", 2.0)])) == [
        'a            {"b": true}',
        "next_run     x",
        "longer_name  2",
    ]
    assert named_values([]) == []
