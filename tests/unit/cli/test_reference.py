from pathlib import Path

from joule.cli._reference import reference

FILE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def test_the_reference_is_what_the_commands_say():
    again = ".venv/bin/python -m joule.cli._reference docs/reference/cli.md"
    assert FILE.read_text() == reference(), f"docs/reference/cli.md is out of date; make it anew:  {again}"


def test_every_command_is_in_the_reference():
    text = reference()
    for command in ("joule", "joule demo", "joule init", "joule check", "joule module logs", "joule data read"):
        assert f"## `{command}`\n" in text
