"""Contract 1B: `custom_args(parser)` and the module's command line."""

import argparse
import json

import pytest

import joule
from joule import ReaderModule

ECHO = """
class Echo(ReaderModule):
    def custom_args(self, parser):
        {arguments}

    async def run(self, parsed_args, output):
        print(json.dumps(vars(parsed_args)))

if __name__ == "__main__":
    Echo().start()
"""


def echo(arguments):
    """A module that prints its parsed arguments."""
    return ECHO.format(arguments="\n        ".join(arguments.strip().splitlines()))


class Quick(ReaderModule):
    """Remembers what it was given."""

    def custom_args(self, parser):
        self.parsers = [*getattr(self, "parsers", []), parser]
        return "ignored"

    async def run(self, parsed_args, output):
        self.parsed_args = parsed_args


def test_r16_custom_args_is_called_once_with_an_argument_parser(monkeypatch):
    monkeypatch.setattr("sys.argv", ["quick.py"])
    module = Quick()
    module.start()
    assert [isinstance(parser, argparse.ArgumentParser) for parser in module.parsers] == [True]
    assert isinstance(module.parsed_args, argparse.Namespace)
    assert ReaderModule().custom_args(argparse.ArgumentParser()) is None


def test_r17_the_description_is_shown_verbatim(programs):
    text = "**module description**\n\n    indented %(prog)s"
    ended = programs.run(echo(f"parser.description = {text.replace('%(prog)s', 'text')!r}"), "-h")
    assert "**module description**\n\n    indented text\n" in ended.stdout


def test_r18_positional_arguments_work_and_show_their_help(programs):
    file = programs.file(echo('parser.add_argument("arg", help="custom argument")'))
    assert "custom argument" in programs.run(file, "-h").stdout
    assert json.loads(programs.run(file, "0.1").stdout)["arg"] == "0.1"


def test_r19_json_arguments_are_decoded_and_bad_json_is_a_usage_error(programs):
    file = programs.file(echo('parser.add_argument("json_arg", type=json.loads)'))
    assert json.loads(programs.run(file, '{"a":[1,2]}').stdout)["json_arg"] == {"a": [1, 2]}
    bad = programs.run(file, "{bad")
    assert bad.returncode == 2
    assert "usage:" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_r20_yesno_is_a_name_of_joule(programs):
    file = programs.file(echo('parser.add_argument("flag_arg", type=joule.yesno)'))
    assert json.loads(programs.run(file, "yes").stdout)["flag_arg"] is True


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), ("no", False), (" YES\t", True), ("No ", False), ("yEs", True)]
)
def test_r21_yesno_knows_two_answers(text, value):
    assert joule.yesno(text) is value


@pytest.mark.parametrize("text", [None, "", "true", "y", "n", "1", "yes no", 1, True])
def test_r21_yesno_refuses_everything_else(text):
    with pytest.raises(ValueError, match="^must be 'yes' or 'no'$"):
        joule.yesno(text)


def test_r21_a_wrong_answer_is_a_usage_error(programs):
    ended = programs.run(echo('parser.add_argument("flag_arg", type=joule.yesno)'), "maybe")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_r22_help_needs_and_touches_nothing(programs):
    before = sorted(programs.directory.rglob("*"))
    file = programs.file(echo('parser.add_argument("required"); parser.add_argument("--rate", required=True)'))
    ended = programs.run(file, "-h")
    assert (ended.returncode, ended.stderr) == (0, "")
    left = {path.name for path in set(programs.directory.rglob("*")) - set(before)}
    assert {name for name in left if not name.startswith("stderr-")} == {"reader.py"}


def test_r23_usage_shows_pipes_and_the_authors_arguments(programs):
    ended = programs.run(echo('parser.add_argument("arg"); parser.add_argument("--rate")'), "-h")
    usage = " ".join(ended.stdout.split("\n\n")[0].split())
    assert "[-h] [--pipes PIPES]" in usage
    assert "[--rate RATE] arg" in usage
    assert "managed by jouled" in ended.stdout


def test_r23_pipes_is_unset_by_default(programs):
    assert json.loads(programs.run(echo("pass")).stdout) == {"pipes": "unset"}


def test_r23_a_module_that_takes_pipes_for_itself_is_told(programs):
    ended = programs.run(echo('parser.add_argument("--pipes", type=int)'))
    assert ended.returncode == 1
    assert "--pipes" in ended.stderr
    assert "Traceback" not in ended.stderr


def configured(programs, module_file, arguments, exec_cmd="python3 reader.py"):
    """The command that a module's configuration stands for, without its program."""
    from joule.config import load_node

    directory = programs.directory / "node"
    (directory / "module_configs").mkdir(parents=True)
    (directory / "stream_configs").mkdir()
    (directory / "main.conf").write_text("[Main]\nName = test\n")
    (directory / "module_configs" / "m.conf").write_text(
        f"[Main]\nname = m\nexec_cmd = {exec_cmd}\n[Arguments]\n{arguments}\n[Outputs]\noutput = /a/b:float32[x]\n"
    )
    (module,) = load_node(directory / "main.conf").modules
    return programs.run(module_file, *module.command[2:])


def test_r24_arguments_of_the_configuration_become_options(programs):
    file = programs.file(echo('parser.add_argument("--rate"); parser.add_argument("--other-name")'))
    ended = configured(programs, file, "rate = 0.1\nother-name = a b=c")
    assert json.loads(ended.stdout) == {"pipes": "unset", "rate": "0.1", "other_name": "a b=c"}


def test_r25_types_apply_to_values_of_the_configuration(programs):
    options = {"flag": "joule.yesno", "list": "json.loads", "count": "int", "rate": "float"}
    file = programs.file(echo("; ".join(f'parser.add_argument("--{key}", type={t})' for key, t in options.items())))
    ended = configured(programs, file, "flag = yes\nlist = [1,2]\ncount = 3\nrate = 0.5")
    assert json.loads(ended.stdout) == {"pipes": "unset", "flag": True, "list": [1, 2], "count": 3, "rate": 0.5}


def test_r26_a_blank_value_is_a_bare_flag_and_lines_stay_together(programs):
    file = programs.file(echo('parser.add_argument("--flag", action="store_true"); parser.add_argument("--text")'))
    ended = configured(programs, file, "flag =\ntext = one\n  two")
    assert json.loads(ended.stdout) == {"pipes": "unset", "flag": True, "text": "one\ntwo"}


def test_r27_a_positional_argument_goes_into_exec_cmd(programs):
    file = programs.file(echo('parser.add_argument("period", type=float)'))
    ended = configured(programs, file, "", exec_cmd="python3 reader.py 0.1")
    assert json.loads(ended.stdout)["period"] == 0.1


def test_r27_under_jouled_the_error_for_a_missing_one_says_so(programs):
    file = programs.file(echo('parser.add_argument("period", type=float)'))
    by_hand, by_jouled = programs.run(file), programs.run(file, "--pipes={}")
    assert (by_hand.returncode, by_jouled.returncode) == (2, 2)
    assert "exec_cmd" in by_jouled.stderr
    assert "exec_cmd" not in by_hand.stderr


AUTHORS = ["port", "host", "node", "socket", "live", "new", "force", "module_config", "stream_configs", "start_time"]


def test_r28_every_other_option_name_is_the_authors(programs):
    file = programs.file(echo("; ".join(f'parser.add_argument("--{name}")' for name in AUTHORS)))
    ended = programs.run(file, *[f"--{name}=x" for name in AUTHORS])
    assert json.loads(ended.stdout) == {"pipes": "unset"} | dict.fromkeys(AUTHORS, "x")


def test_r28_even_the_letter_of_help(programs):
    file = programs.file(echo('parser.add_argument("-h", "--host")'))
    assert json.loads(programs.run(file, "-h", "here").stdout)["host"] == "here"
    assert "usage:" in programs.run(file, "--help").stdout


def test_the_first_eras_attributes_are_shown(programs):
    ended = programs.run(
        """
        class Demo(ReaderModule):
            def __init__(self):
                super().__init__("Demo Reader")
                self.description = "one line"
                self.help = "several lines:\\n  as they are"

        Demo().start()
        """,
        "-h",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\none line\n" in ended.stdout
    assert "several lines:\n  as they are\n" in ended.stdout
