"""Options that other eras' supervisors and users give to every module; the author's own always come first."""

import json

import pytest

ECHO = """
class Echo(ReaderModule):
    def custom_args(self, parser):
        {}

    async def run(self, parsed_args, output):
        print(json.dumps(vars(parsed_args)))

Echo().start()
"""
ISOLATION = ["--module_config", "--data_stream_configs", "--stream_configs", "--start_time", "--end_time"]


def parsed(programs, custom_args, *arguments):
    ended = programs.run(ECHO.format(custom_args), *arguments)
    assert ended.returncode == 0, ended.stderr
    return {key: value for key, value in json.loads(ended.stdout).items() if key != "pipes"}


def test_options_that_change_nothing_here_are_accepted(programs):
    arguments = ["--socket", "/s", "--api-socket=/a", "--port", "8000", "--host", "::1", "--node", "here", "x"]
    assert parsed(programs, "parser.add_argument('word')", *arguments) == {"word": "x"}


def test_they_are_not_shown_by_help(programs):
    ended = programs.run(ECHO.format("parser.add_argument('--rate')"), "-h")
    assert "[-h] [--pipes PIPES] [--rate RATE]" in " ".join(ended.stdout.split())
    for option in ("socket", "port", "host", "node", "live", "module_config"):
        assert option not in ended.stdout


@pytest.mark.parametrize("option", [*[f"{option}=x" for option in ISOLATION], "--live", "--new", "--force"])
def test_an_option_that_would_change_what_happens_is_refused_in_a_sentence(programs, option):
    ended = programs.run(ECHO.format("pass"), option)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{option.partition('=')[0]}: running a module by hand on the streams of a node" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert programs.run(ECHO.format("pass"), option, "-h").returncode == 0


AUTHORS = [
    ('parser.add_argument("--port", type=int)', ["--port", "5"], {"port": 5}),
    ('parser.add_argument("-l", "--live", action="store_true")', ["--live"], {"live": True}),
    ('parser.add_argument("--host-name")', ["--host", "a"], {"host_name": "a"}),
    ('parser.add_argument("--newest")', ["--new=a"], {"newest": "a"}),
    ('parser.add_argument("--portable", action="store_true")', ["--port"], {"portable": True}),
    ('parser.add_argument("rest", nargs=argparse.REMAINDER)', ["a", "--port", "5"], {"rest": ["a", "--port", "5"]}),
    ('parser.add_argument("rest", nargs="*")', ["--", "--port", "5"], {"rest": ["--port", "5"]}),
    (
        'parser.add_subparsers(dest="kind").add_parser("tcp").add_argument("--port")',
        ["tcp", "--port", "5"],
        {"kind": "tcp", "port": "5"},
    ),
    ('parser.add_argument_group("net").add_argument("--node")', ["--node", "a"], {"node": "a"}),
]


@pytest.mark.parametrize(("custom_args", "arguments", "expected"), AUTHORS)
def test_a_name_or_its_abbreviation_is_the_authors_when_the_author_has_it(programs, custom_args, arguments, expected):
    assert parsed(programs, custom_args, *arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--port", "high"], "--port: 'high' is no port"),
        (["--port=70000"], "--port: '70000' is no port"),
        (["--socket"], "--socket: expected one argument"),
        (["--host", "--port=8000"], "--host: expected one argument"),
    ],
)
def test_a_wrong_value_is_a_usage_error(programs, arguments, what):
    ended = programs.run(ECHO.format("pass"), *arguments)
    assert ended.returncode == 2
    assert what in ended.stderr
    assert "Traceback" not in ended.stderr
