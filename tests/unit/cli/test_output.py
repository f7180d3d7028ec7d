import io
import json
import math

from rich.console import Console

from joule.cli._output import Column, Styled, json_text, rich_table, show_facts, show_table

COLUMNS = (Column("NAME"), Column("ROWS", right=True))


def drawn(rows, width):
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=True, color_system="standard", markup=False).print(
        rich_table(COLUMNS, rows)
    )
    return out.getvalue()


def test_a_terminal_gets_colours():
    assert "\x1b[32m   7\x1b[0m" in drawn([("power", Styled("7", "green"))], 40)


def test_a_narrow_terminal_folds_cells_and_cuts_none_off():
    name = "/a/very/long/name/of/a/stream"
    lines = drawn([(name, "1234567")], 20).splitlines()[1:]
    assert "".join(line[:11] for line in lines).replace(" ", "") == name
    assert "1234567" in lines[0]


def test_a_column_without_any_text_takes_no_room_on_a_terminal():
    assert "ROWS" not in drawn([("power", "")], 40)
    assert "ROWS" in drawn([], 40)


def test_markup_and_escapes_in_cells_are_text():
    text = drawn([("[red]x[/red] :smile: \x1b[2J", "1")], 60)
    assert "[red]x[/red] :smile: \\x1b[2J" in text


def test_elsewhere_a_table_is_aligned_text_with_all_its_fields(capsys):
    show_table(COLUMNS, [("power", Styled("7", "green")), ("", "1234567")])
    assert capsys.readouterr().out == "NAME      ROWS\npower        7\n-      1234567\n"


def test_facts_without_a_value_are_left_out(capsys):
    show_facts([("name", "power"), ("units", ""), ("rows", Styled("7", "green"))])
    assert capsys.readouterr().out == "name  power\nrows  7\n"


def test_json_has_no_number_that_parsers_refuse():
    document = {"a": [math.nan, math.inf, (-math.inf, 0.1)], "b": {"c": None, "d": True}}
    assert json.loads(json_text(document)) == {"a": [None, "Infinity", ["-Infinity", 0.1]], "b": {"c": None, "d": True}}
    assert json_text("\x1b") == '"\\u001b"'
