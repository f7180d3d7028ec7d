"""A module's own process replaces the names that `jouled` lists, and shows no value."""

import argparse
import json

import pytest

from joule.client._arguments import parse_arguments
from joule.errors import ModuleError

MANIFEST = json.dumps({"module": "m", "variables": ["TOKEN", "PORT"]})


def parse(monkeypatch, *arguments, pipes=MANIFEST, **values):
    def custom_args(parser):
        parser.add_argument("--token")
        parser.add_argument("--port", type=int)
        parser.add_argument("words", nargs="*")

    for name, value in values.items():
        monkeypatch.setenv(f"JOULE_VALUE_{name}", value)
    tail = () if pipes is None else ("--pipes", pipes)
    return parse_arguments([*arguments, *tail], custom_args=custom_args, description="", epilog="")[0]


def test_names_are_replaced_in_options_and_words_before_they_are_parsed(monkeypatch):
    found = parse(monkeypatch, "a ${TOKEN}", "--token=<${TOKEN}>", "--port=${PORT}", TOKEN="s e'c\"r", PORT="80")
    assert (found.token, found.port, found.words) == ("<s e'c\"r>", 80, ["a s e'c\"r"])
    assert found.pipes == MANIFEST


def test_only_listed_names_are_replaced_and_values_are_not_looked_at_again(monkeypatch):
    monkeypatch.setenv("HOME", "/home/x")
    found = parse(monkeypatch, "--token=${HOME} $${TOKEN} ${TOKEN}", TOKEN="${PORT}$${", PORT="1")
    assert found.token == "${HOME} ${TOKEN} ${PORT}$${"


@pytest.mark.parametrize("pipes", [None, "unset", '{"module": "m"}', "[1]", "{"])
def test_without_a_list_nothing_is_replaced(monkeypatch, pipes):
    found = parse(monkeypatch, "--token=${TOKEN} $${", pipes=pipes, TOKEN="hunter2")
    assert found.token == "${TOKEN} $${"


def test_values_are_taken_out_of_the_environment_so_that_no_child_inherits_them(monkeypatch):
    import os

    parse(monkeypatch, TOKEN="hunter2", PORT="1")
    assert "hunter2" not in os.environ.values()


def test_a_usage_error_shows_names_in_place_of_values(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        parse(monkeypatch, "--port=${TOKEN}", "--unknown=${TOKEN}", TOKEN="hun'ter\\2", PORT="1")
    said = capsys.readouterr().err
    assert "${TOKEN}" in said
    assert "hun" not in said


def test_a_usage_error_of_a_subcommand_shows_no_value_either(monkeypatch, capsys):
    def custom_args(parser):
        parser.add_subparsers().add_parser("send").add_argument("--count", type=int)

    monkeypatch.setenv("JOULE_VALUE_TOKEN", "hunter2")
    manifest = json.dumps({"variables": ["TOKEN"]})
    with pytest.raises(SystemExit):
        parse_arguments(
            ["--pipes=x", "send", "--count=${TOKEN}", "--pipes", manifest],
            custom_args=custom_args,
            description="",
            epilog="",
        )
    said = capsys.readouterr().err
    assert "invalid int value: '${TOKEN}'" in said
    assert "hunter2" not in said


def test_a_copied_command_line_is_refused_with_what_to_do(monkeypatch):
    with pytest.raises(ModuleError, match=r"\$\{PORT\}.*leave --pipes out"):
        parse(monkeypatch, TOKEN="hunter2")


def test_the_namespace_is_an_ordinary_one(monkeypatch):
    assert type(parse(monkeypatch, TOKEN="x", PORT="1")) is argparse.Namespace
