"""Options that other eras' supervisors and users give to every module; the author's own always come first."""

import argparse

import pytest

from joule.client._arguments import parse_arguments
from joule.errors import ModuleError

ISOLATION = ["--module_config", "--data_stream_configs", "--stream_configs", "--start_time", "--end_time"]


def parsed(custom_args, *arguments):
    """What the author gets, but for `pipes`; and what is said about web pages."""
    namespace, web = parse_arguments(arguments, custom_args=custom_args, description="", epilog="")
    return {key: value for key, value in vars(namespace).items() if key != "pipes"}, web


def nothing(parser):
    pass


def test_options_of_web_pages_are_taken_and_those_for_a_nodes_client_do_nothing():
    arguments = ["--socket", "/s", "--api-socket=/a", "--port", "8000", "--host", "::1", "--node", "here", "x"]
    given, web = parsed(lambda parser: parser.add_argument("word"), *arguments)
    assert given == {"word": "x"}
    assert (web.socket, web.host, web.port) == ("/s", "::1", 8000)
    assert parsed(nothing, "--socket=unset")[1] == parsed(nothing)[1]


def test_they_are_not_shown_by_help(capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(lambda parser: parser.add_argument("--rate"), "-h", "--live")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "[-h] [--pipes PIPES] [--rate RATE]" in " ".join(shown.split())
    for option in ("socket", "port", "host", "node", "live", "module_config"):
        assert option not in shown


@pytest.mark.parametrize("option", [*[f"{option}=x" for option in ISOLATION], "--live", "--new", "--force"])
def test_an_option_that_would_change_what_happens_is_refused_in_a_sentence(option):
    name = option.partition("=")[0]
    with pytest.raises(ModuleError, match=f"^{name}: running a module by hand on the streams of a node"):
        parsed(nothing, option)


def test_the_refusal_of_a_program_is_that_sentence_and_a_status(programs):
    ended = programs.run("ReaderModule().start()", "--live", "--module_config", "module.conf")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "--live, --module_config: running a module by hand" in ended.stderr
    assert "Traceback" not in ended.stderr


AUTHORS = [
    (lambda parser: parser.add_argument("--port", type=int), ["--port", "5"], {"port": 5}),
    (lambda parser: parser.add_argument("-l", "--live", action="store_true"), ["--live"], {"live": True}),
    (lambda parser: parser.add_argument("--host-name"), ["--host", "a"], {"host_name": "a"}),
    (lambda parser: parser.add_argument("--newest"), ["--new=a"], {"newest": "a"}),
    (lambda parser: parser.add_argument("--portable", action="store_true"), ["--port"], {"portable": True}),
    (
        lambda parser: parser.add_argument("rest", nargs=argparse.REMAINDER),
        ["a", "--port", "5"],
        {"rest": ["a", "--port", "5"]},
    ),
    (lambda parser: parser.add_argument("rest", nargs="*"), ["--", "--port", "5"], {"rest": ["--port", "5"]}),
    (
        lambda parser: parser.add_subparsers(dest="kind").add_parser("tcp").add_argument("--port"),
        ["tcp", "--port", "5"],
        {"kind": "tcp", "port": "5"},
    ),
    (lambda parser: parser.add_argument_group("net").add_argument("--node"), ["--node", "a"], {"node": "a"}),
]


@pytest.mark.parametrize(("custom_args", "arguments", "expected"), AUTHORS)
def test_a_name_or_its_abbreviation_is_the_authors_when_the_author_has_it(custom_args, arguments, expected):
    given, web = parsed(custom_args, *arguments)
    assert given == expected
    assert web == parsed(nothing)[1]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--port", "high"], "--port: 'high' is no port"),
        (["--port=70000"], "--port: '70000' is no port"),
        (["--socket"], "--socket: expected one argument"),
        (["--host", "--port=8000"], "--host: expected one argument"),
    ],
)
def test_a_wrong_value_is_a_usage_error(arguments, what, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(nothing, *arguments)
    assert ended.value.code == 2
    assert what in capsys.readouterr().err
