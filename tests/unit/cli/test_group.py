import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from joule._version import __version__
from joule.cli._exit import EXIT_CODES
from joule.cli._root import joule
from joule.errors import ConfigurationError, NodeUnreachableError, NotFoundError

HEAVY = {"numpy", "aiohttp", "rich", "pydantic", "asyncio", "dateparser", "psutil", "sqlite3"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["data", "read", "--help"], ["module", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments):
    script = (
        f"import sys; sys.argv = ['joule', *{arguments}]\n"
        "from joule.cli import main\n"
        "try: main()\n"
        f"except SystemExit as end: assert not end.code, end.code\n"
        f"print('loaded:', *sorted({HEAVY!r} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "loaded:"


def test_the_version_is_the_packages():
    assert CliRunner().invoke(joule, ["--version"]).output == f"joule {__version__}\n"


def test_help_lists_every_command_and_every_exit_code():
    text = CliRunner().invoke(joule, ["--help"], terminal_width=120).output
    for name, (_, line) in joule.lazy.items():
        assert f"{name} " in text
        assert line in text
    for code, meaning in EXIT_CODES.items():
        assert f"{code}  {meaning}" in text


@pytest.mark.parametrize("name", [name for name in joule.lazy if name != "demo"])
def test_the_table_of_commands_says_what_the_commands_say(name):
    command = joule.get_command(click.Context(joule), name)
    assert command.name == name
    assert command.get_short_help_str(200).rstrip(".") == joule.lazy[name][1].rstrip(".")


def test_a_command_that_is_not_there_gets_the_nearest_name(run):
    result = run("streams", "list")
    assert result.exit_code == 2
    assert "Did you mean 'stream'?" in result.stderr


def test_a_command_that_resembles_none_gets_all_names(run):
    result = run("\x1b[2J")
    assert result.exit_code == 2
    assert "init, check, config, module" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["module"],
        ["module", "info"],
        ["module", "logs", "a", "b"],
        ["module", "logs", "sensor", "--lines", "some"],
        ["module", "logs", "sensor", "--lines", "-1"],
        ["module", "list", "extra"],
        ["stream", "info"],
        ["stream", "list", "/a", "/b"],
        ["data", "read"],
        ["data", "read", "/house/power", "--start"],
        ["data", "read", "/house/power", "--start", "the day of the fox"],
        ["data", "read", "/house/power", "--unknown"],
        ["init"],
        ["check", "a", "b"],
        ["--unknown"],
    ],
)
def test_wrong_use_ends_with_2_and_says_so_on_stderr(run, node, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error:" in result.stderr or "Usage:" in result.stderr
    assert not result.stdout
    assert not node.opened


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NodeUnreachableError("nobody answers: start jouled"), 3),
        (NotFoundError("there is no node 'x'"), 4),
        (ConfigurationError("a fault"), 1),
    ],
)
def test_an_error_of_ours_is_a_sentence_and_an_exit_code(run, node, error, code):
    node.failure = error
    result = run("module", "list")
    assert result.exit_code == code
    assert result.stderr == f"Error: {error}\n"
    assert not result.stdout


def test_an_error_of_the_system_names_the_file(run, node):
    node.failure = PermissionError(13, "Permission denied", "/data/catalog.sqlite")
    result = run("stream", "list")
    assert result.exit_code == 1
    assert result.stderr == "Error: /data/catalog.sqlite: Permission denied\n"


def test_an_unexpected_error_says_how_to_get_its_traceback(run, node):
    node.failure = ZeroDivisionError("division by zero")
    result = run("stream", "list")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert "JOULE_DEBUG=1" in result.stderr
    assert "Traceback" not in result.stderr


def test_joule_debug_shows_the_traceback(run, node):
    node.failure = ZeroDivisionError("division by zero")
    assert "Traceback (most recent call last)" in run("stream", "list", JOULE_DEBUG="1").stderr


def test_ctrl_c_ends_a_command_with_130(run, node):
    node.failure = KeyboardInterrupt()
    assert run("stream", "list").exit_code == 130


def test_hostile_text_in_an_error_is_inert(run, node):
    node.failure = NotFoundError("no stream '\x1b]0;gone\x07'\nat all")
    assert run("stream", "list").stderr == "Error: no stream '\\x1b]0;gone\\x07'\nat all\n"


@pytest.mark.parametrize("option", ["-n", "--node"])
def test_a_node_named_after_the_command_is_told_where_it_belongs(run, option):
    result = run("module", "list", option, "there")
    assert result.exit_code == 2
    assert f"Error: {option} comes before the command" in result.stderr


def test_the_node_is_the_options_else_the_environments(run, node):
    run("-n", "there", "module", "list", JOULE_NODE="elsewhere")
    run("module", "list", JOULE_NODE="elsewhere")
    run("module", "list", JOULE_NODE="")
    assert node.opened == ["there", "elsewhere", None]
    assert node.closed == 3
