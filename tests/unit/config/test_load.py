"""Sound files: what each key comes to, in every spelling of the eras."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joule.config import load_node
from joule.core import ElementSpec, StreamSpec
from joule.errors import ConfigurationError

DAY = 86_400_000_000


def only_module(node):
    setup = node.load()
    assert not setup.errors, "\n".join(map(str, setup.errors))
    (module,) = setup.modules
    return module


def test_main_conf_gives_names_and_directories_relative_to_itself(node, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    node.write(
        "main.conf", "[Main]\nName = Lab 3\nModuleDirectory = ../elsewhere\nDataDirectory = d\nLogDirectory = /tmp\n"
    )
    config = node.load().config
    assert config.name == "Lab 3"
    assert config.directory == node.directory
    assert config.main_file == node.directory / "main.conf"
    assert config.module_directory == tmp_path / "elsewhere"
    assert config.stream_directory == node.directory / "stream_configs"
    assert config.data_directory == node.directory / "d"
    assert config.log_directory == Path("/tmp")


def test_the_defaults_of_main_conf_are_below_its_directory(node):
    node.write("main.conf", "[Main]\n")
    setup = node.load()
    assert setup.faults == ()
    assert setup.config.name == "node"
    assert setup.config.data_directory == node.directory / "data"
    assert setup.config.log_directory == node.directory / "logs"


@pytest.mark.parametrize("key", ["StreamDirectory", "DataStreamDirectory"])
def test_the_stream_directory_has_a_name_of_each_era(node, key):
    (node.directory / "other").mkdir()
    node.write("main.conf", f"[Main]\n{key} = other\n")
    assert node.load().config.stream_directory == node.directory / "other"


def test_a_node_without_folders_is_empty_and_says_so(tmp_path):
    (tmp_path / "main.conf").write_text("[Main]\n")
    setup = load_node(tmp_path / "main.conf")
    assert (setup.modules, setup.streams, setup.errors) == ((), (), ())
    assert [fault.severity for fault in setup.faults] == ["warning", "warning"]


def test_reading_touches_nothing(node):
    node.module("m", "[Outputs]\no = /a:int8[x]\n")
    before = sorted(node.directory.rglob("*"))
    node.load()
    assert sorted(node.directory.rglob("*")) == before


@pytest.mark.parametrize("content", [None, b"[Main]\nName = \xff\n"])
def test_a_main_conf_that_is_missing_or_no_text_is_a_configuration_error(node, content):
    if content is None:
        (node.directory / "main.conf").unlink()
    else:
        node.write("main.conf", content)
    with pytest.raises(ConfigurationError, match="main.conf") as caught:
        node.load()
    assert ("joule init" if content is None else "UTF-8") in caught.value.message


def test_what_is_not_there_can_be_made_under_the_name_that_was_given(tmp_path):
    for name in ("lab", "lab/main.conf"):
        with pytest.raises(ConfigurationError, match=f"'joule init {tmp_path}/lab'"):
            load_node(tmp_path / name)


def test_a_directory_that_cannot_even_be_looked_at_is_named(node):
    node.write("main.conf", f"[Main]\nModuleDirectory = {'x' * 300}\n")
    setup = node.load()
    assert [(fault.line, fault.severity) for fault in setup.faults] == [(2, "error")]


def test_only_conf_files_are_read(node):
    for name in ("x.txt", "x.conf~", ".#x.conf", "x.conf.bak"):
        node.write(f"module_configs/{name}", "nonsense")
    assert node.load().faults == ()


@pytest.mark.parametrize("kind", ["directory", "fifo", "dangling", "loop", "large"])
def test_what_is_no_readable_file_is_named_and_not_waited_for(node, kind):
    file = node.directory / "module_configs" / "x.conf"
    if kind == "directory":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "dangling":
        file.symlink_to("gone")
    elif kind == "loop":
        file.symlink_to("x.conf")
    else:
        file.write_bytes(b"#" * 1_000_001)
    fault = node.only_fault()
    assert (fault.file, fault.line, fault.severity) == (file, None, "error")
    assert fault.remedy


# -- modules --------------------------------------------------------------------------------------------------------


def test_a_module_has_what_its_file_says(node):
    file = node.write(
        "module_configs/m.conf",
        "[Main]\nname = Power Meter\nexec_cmd = /bin/echo 'a b' 0.1\ndescription = of the house\non_restart = break\n"
        "[Arguments]\nRate = 10\nlist = [1,\n  2]\n[Inputs]\nRaw = /s/s\n[Outputs]\nout = /s/o:float32[a b,c]\n",
    )
    node.stream("s")
    module = only_module(node)
    assert (module.name, module.description, module.on_restart) == ("Power Meter", "of the house", "break")
    assert module.exec_cmd == ("/bin/echo", "a b", "0.1")
    assert module.arguments == (("rate", "10"), ("list", "[1,\n2]"))
    assert module.file == file
    assert [(pipe.name, pipe.stream, pipe.inline, pipe.line) for pipe in module.inputs.values()] == [
        ("raw", "/s/s", None, 11)
    ]
    assert module.outputs["out"].inline == StreamSpec(
        path="/s/o", datatype="float32", elements=(ElementSpec(name="a b"), ElementSpec(name="c"))
    )


def test_r24_arguments_become_keyword_options_of_the_command(node):
    node.module("m", "[Arguments]\nrate = 10\nfile = /a b/\"c\" 'd' $HOME %Y \\n\n")
    assert only_module(node).command == ["/bin/true", "--rate=10", "--file=/a b/\"c\" 'd' $HOME %Y \\n"]


def test_r26_a_blank_value_is_a_bare_option_and_many_lines_are_one_argument(node):
    node.module("m", '[Arguments]\nflag =\nconfig = {\n  "a": 1,\n\n  "b": 2 }\n')
    assert only_module(node).command == ["/bin/true", "--flag", '--config={\n"a": 1,\n\n"b": 2 }']


def test_r27_a_positional_argument_stands_in_exec_cmd(node):
    node.write("module_configs/m.conf", "[Main]\nname = m\nexec_cmd = /bin/echo 0.1\n[Arguments]\nrate = 1\n")
    assert only_module(node).command == ["/bin/echo", "0.1", "--rate=1"]


@given(
    st.lists(st.tuples(st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True), st.text("ab \"'\\$%=é:#", max_size=9)))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r24_no_value_is_changed_on_its_way_to_the_command(node, arguments):
    arguments = {key: value.strip() for key, value in arguments if key != "pipes"}
    node.module("m", "[Arguments]\n" + "".join(f"{key} = {value}\n" for key, value in arguments.items()))
    expected = [f"--{key}={value}" if value else f"--{key}" for key, value in arguments.items()]
    assert only_module(node).command == ["/bin/true", *expected]


@pytest.mark.parametrize("inputs", ["Inputs", "Input", "Source", "inputs"])
@pytest.mark.parametrize("outputs", ["Outputs", "Output", "Destination", "OUTPUT"])
def test_sections_of_pipes_are_spelled_as_in_any_era(node, inputs, outputs):
    node.module("m", f"[{inputs}]\ni = /a:int8[x]\n[{outputs}]\no = /b:int8[x]\n")
    module = only_module(node)
    assert (module.inputs["i"].stream, module.outputs["o"].stream) == ("/a", "/b")


def test_a_program_with_a_slash_is_found_from_the_nodes_directory(node):
    program = node.write("run me", "#!/bin/sh\n")
    program.chmod(0o755)
    node.write("module_configs/m.conf", "[Main]\nname = m\nexec_cmd = './run me' x\n")
    assert only_module(node).command == [str(program), "x"]


def test_a_program_without_a_slash_is_found_in_path(node, tmp_path, monkeypatch):
    program = tmp_path / "joule-of-the-test"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    node.write("module_configs/m.conf", "[Main]\nname = m\nexec_cmd = joule-of-the-test\n")
    assert only_module(node).command == [str(program)]


def test_programs_beside_the_running_python_are_found_without_path(node, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    node.write("module_configs/m.conf", f"[Main]\nname = m\nexec_cmd = {Path(sys.executable).name} -V\n")
    assert only_module(node).command == [sys.executable, "-V"]


@pytest.mark.parametrize(
    ("file", "content", "known"),
    [
        ("module_configs/a.conf", "[Main]\nname = a\n", True),
        ("module_configs/a.conf", "[Main]\nexec_cmd = /bin/true\n", False),
        ("module_configs/a.conf", b"\xff", False),
        ("stream_configs/a.conf", b"\xff", True),
        ("main.conf", "[Main]\nModuleDirectory = gone\n", False),
    ],
)
def test_it_is_told_whether_there_may_be_a_module_whose_name_is_not_known(node, file, content, known):
    node.write(file, content)
    setup = node.load()
    assert setup.errors
    assert setup.all_names_known is known


# -- streams --------------------------------------------------------------------------------------------------------


def test_a_stream_has_what_its_file_says(node):
    node.write(
        "stream_configs/s.conf",
        "[Main]\nname = main power\npath = /house 1\ndatatype = Float64\nkeep = 2w\ndecimate = no\n"
        "out_of_order = drop\ndescription = of the meter\n[Element1]\nname = P  1\nunits = °C\nplottable = no\n"
        "offset = -1.5\nscale_factor = 2e3\ndefault_min = 0\ndefault_max = 5\ndisplay_type = Discrete\n"
        "[element2]\nname = Q\n",
    )
    setup = node.load()
    assert setup.faults == ()
    assert setup.streams == (
        StreamSpec(
            path="/house 1/main power",
            datatype="float64",
            keep_us=14 * DAY,
            decimate=False,
            out_of_order="drop",
            description="of the meter",
            elements=(
                ElementSpec(
                    name="P 1",
                    units="°C",
                    plottable=False,
                    display_type="discrete",
                    offset=-1.5,
                    scale_factor=2000.0,
                    default_min=0.0,
                    default_max=5.0,
                ),
                ElementSpec(name="Q"),
            ),
        ),
    )


def test_a_stream_keeps_everything_by_default(node):
    node.stream("s")
    (stream,) = node.load().streams
    assert (stream.keep_us, stream.decimate, stream.out_of_order) == (None, True, "raise")


@pytest.mark.parametrize(
    ("keep", "keep_us", "told"),
    [("6m", 186 * DAY, "rows for 186d"), ("none", 0, "no rows but the newest"), ("all", None, "all rows")],
)
def test_how_long_rows_are_kept_is_told_as_it_was_understood(node, keep, keep_us, told):
    node.stream("s", main=f"keep = {keep}\n")
    setup = node.load()
    assert setup.streams[0].keep_us == keep_us
    assert f"keep = {keep} keeps {told}" in "\n".join(setup.notes)


@pytest.mark.parametrize("value", ["", "none", "None", "null", "auto"])
def test_an_axis_without_a_bound_scales_by_the_data(node, value):
    node.stream("s", f"[Element1]\nname = x\ndefault_min = {value}\n")
    setup = node.load()
    assert setup.faults == ()
    assert setup.streams[0].elements[0].default_min is None


@pytest.mark.parametrize(
    ("line", "display_type"),
    [
        ("display_type = event", "event"),
        ("type = Discrete", "discrete"),
        ("discrete = yes", "discrete"),
        ("discrete = no", "continuous"),
        ("", "continuous"),
    ],
)
def test_the_plot_type_has_a_name_of_each_era(node, line, display_type):
    node.stream("s", f"[Element1]\nname = x\n{line}\n")
    assert node.load().streams[0].elements[0].display_type == display_type


def test_elements_stand_in_the_order_of_the_file(node):
    node.stream("s", "".join(f"[Element{n}]\nname = e{n}\n" for n in (2, 10, 1)))
    assert [element.name for element in node.load().streams[0].elements] == ["e2", "e10", "e1"]


def test_an_inline_layout_that_agrees_with_the_file_changes_nothing(node):
    node.stream("s", "[Element1]\nname = a b\nunits = V\n")
    node.module("m", "[Outputs]\no = /s/s : float32 [ a  b ]\n")
    setup = node.load()
    assert setup.faults == ()
    assert setup.streams[0].elements[0].units == "V"
    assert setup.stream_files == {"/s/s": node.directory / "stream_configs" / "s.conf"}


def test_streams_of_broken_modules_are_still_defined(node):
    node.write("module_configs/a.conf", "[Main]\nname = a\n[Outputs]\no = /x:int8[v]\n")
    node.module("b", "[Inputs]\ni = /x\n")
    setup = node.load()
    assert [module.name for module in setup.modules] == ["b"]
    assert [stream.path for stream in setup.streams] == ["/x"]


# -- what `path` means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("main", "references", "path"),
    [
        ("[Main]\n", ["/s/s"], "/s/s"),
        ("[Main]\n", ["/a/s"], "/a/s"),
        ("[Main]\n", [], "/a/s/s"),
        ("[Main]\n", ["/a/s/s"], "/a/s/s"),
        ("[Main]\n", ["/a/s", "/a/s/s"], "/a/s/s"),
        ("[Jouled]\n", [], "/a/s"),
        ("[Jouled]\n", ["/a/s/s"], "/a/s"),
    ],
)
def test_the_path_of_a_stream_is_its_folder_unless_the_era_or_the_modules_say_otherwise(node, main, references, path):
    node.write("main.conf", main)
    folder = "/s" if path == "/s/s" else "/a/s"
    file = node.write(
        "stream_configs/s.conf", f"[Main]\nname = s\npath = {folder}\ndatatype = int8\n[Element1]\nname = x\n"
    )
    pipes = "".join(f"i{n} = {reference}\n" for n, reference in enumerate(references))
    node.module("m", f"[Inputs]\n{pipes}")
    setup = node.load()
    assert [stream.path for stream in setup.streams] == [path]
    told = next(note for note in setup.notes if note.startswith(f"{file}: "))
    says_why = main == "[Main]\n" and path == "/a/s"  # of the first era it is said once for all files
    assert told == f"{file}: the stream is {path}" + (
        " ('path' is all of it: modules name that, and none names /a/s/s)" if says_why else ""
    )


def test_a_main_conf_of_the_first_era_is_read(node):
    node.write(
        "main.conf",
        "[NilmDB]\nurl = http://x\n[ProcDB]\nDbPath = /x\n"
        "[Jouled]\nModuleDirectory = module_configs\nStreamDirectory = stream_configs\nIPAddress = 127.0.0.1\n",
    )
    node.module("m", "[Outputs]\no = /house/mains\n")
    node.write(
        "stream_configs/s.conf",
        "[Main]\nname = House Mains\npath = /house/mains\ndatatype = uint16\n[Element1]\nname = x\ndiscrete = yes\n",
    )
    setup = node.load()
    assert [stream.path for stream in setup.streams] == ["/house/mains"]
    assert [module.name for module in setup.modules] == ["m"]
    assert {fault.severity for fault in setup.faults} == {"warning"}


def test_a_stream_at_the_root_has_the_path_slash(node):
    node.write("stream_configs/s.conf", "[Main]\nname = s\npath = /\ndatatype = int8\n[Element1]\nname = x\n")
    assert [stream.path for stream in node.load().streams] == ["/s"]


def test_two_hundred_modules_take_a_fraction_of_a_second(node):
    for number in range(200):
        body = f"[Arguments]\nrate = 10\n[Inputs]\ni = /x{number}\n[Outputs]\no = /x{number + 1}:float32[a, b, c, d]\n"
        node.module(f"m{number}", body if number else body.replace("[Inputs]\ni = /x0\n", ""))
        node.stream(f"s{number}", "".join(f"[Element{n}]\nname = e{n}\nunits = V\n" for n in range(4)))
    began_s = time.process_time()
    setup = node.load()
    lasted_s = time.process_time() - began_s
    assert (len(setup.modules), len(setup.streams), setup.errors) == (200, 400, ())
    assert lasted_s < 1.0, "the whole of `joule check` has a second"  # 0.2 s on the development machine


@pytest.mark.parametrize(("text", "max_ahead_us"), [("2h", 7_200_000_000), ("None", None), ("0s", 0)])
def test_how_far_ahead_rows_may_be_is_a_duration_or_none(node, text, max_ahead_us):
    node.write("main.conf", f"[Main]\nMaxAhead = {text}\n")
    setup = node.load()
    assert (setup.config.max_ahead_us, setup.errors) == (max_ahead_us, ())


@pytest.mark.parametrize(("text", "interval_us"), [("0", 0), ("0s", 0), ("100ms", 100_000), ("60 s", 60_000_000)])
def test_how_often_rows_are_synced_is_a_duration_up_to_a_minute(node, text, interval_us):
    node.write("main.conf", f"[Main]\nSyncInterval = {text}\n")
    setup = node.load()
    assert (setup.config.sync_interval_us, setup.errors) == (interval_us, ())


@pytest.mark.parametrize("text", ["", "a day", "5m", "-1d"])
def test_what_is_no_duration_is_an_error_and_a_day_counts(node, text):
    node.write("main.conf", f"[Main]\nMaxAhead = {text}\n")
    setup = node.load()
    (fault,) = setup.errors
    assert (fault.line, setup.config.max_ahead_us) == (2, 86_400_000_000)
    assert "MaxAhead" in str(fault)
    assert "or none" in str(fault)
