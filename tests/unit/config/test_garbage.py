"""Whatever the files hold, reading them gives faults and never raises."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joule.config import load_node
from joule.errors import ConfigurationError

KEYS = [
    *("name", "exec_cmd", "description", "on_restart", "path", "datatype", "keep", "decimate", "out_of_order", "units"),
    *("offset", "default_min", "default_max", "display_type", "discrete", "ModuleDirectory", "StreamDirectory"),
    *("DataDirectory", "SecretsFile", "pipes", "a"),
]
SECTIONS = [
    "Main",
    "Jouled",
    "Arguments",
    "Inputs",
    "Source",
    "Outputs",
    "Element1",
    "Element2",
    "Element",
    "x",
    " ",
    "]",
]
VALUES = [
    *("", "x", "/", "/a", "/a/b", "/a:float32[x]", "/a/b:int8[x,y]", "/a:[", "n /a", "float32", "6m", "9" * 400, "nan"),
    *("-inf", "yes", "'", "\\", "\x00", "\u2028", "%(x)s", "~", "~nobody/x", "/bin/true", "python3 x.py", "break", "."),
    *("${", "$${", "${HOME}", "${A}", "${NOT SET}", "$${A} ${A}", "python3 ${A} ${HOME}", "%%", "6m # x"),
]
lines = st.one_of(
    st.sampled_from(SECTIONS).map("[{}]".format),
    st.tuples(st.sampled_from(KEYS), st.one_of(st.sampled_from(VALUES), st.text(max_size=8))).map(" = ".join),
    st.text(max_size=10),
)
contents = st.one_of(
    st.lists(lines, max_size=12).map(lambda found: "\n".join(found).encode("utf-8", "surrogatepass")),
    st.binary(max_size=40),
)


@given(st.lists(contents, min_size=2, max_size=2), st.lists(contents, min_size=2, max_size=2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_content_of_module_and_stream_files_raises(node, modules, streams):
    for folder, group in (("module_configs", modules), ("stream_configs", streams)):
        for number, content in enumerate(group):
            node.write(f"{folder}/{number}.conf", content)
    setup = node.load()
    assert setup.config.name == "test"
    assert all(str(fault) and fault.remedy for fault in setup.faults)
    assert {module.name for module in setup.modules}.isdisjoint(setup.broken_modules)
    paths = {stream.path for stream in setup.streams}
    for stream in setup.streams:
        assert stream.layout.width == len({element.name for element in stream.elements})
    for module in setup.modules:
        assert {pipe.stream for pipe in [*module.inputs.values(), *module.outputs.values()]} <= paths


@given(st.one_of(contents, st.text("A=# \n'x", max_size=20).map(str.encode)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_content_of_the_secrets_file_raises_or_is_repeated(node, content):
    node.write("secrets.conf", content + b"\nZ = hunter2\nhunter2\nZ = hunter2 = x\n")
    node.module("m", "[Arguments]\na = ${A}\nz = ${Z}\n")
    setup = node.load()
    assert all(str(fault) and fault.remedy for fault in setup.faults)
    assert "hunter2" not in repr(setup)


@given(contents)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_content_of_main_conf_raises_but_what_is_no_text(node, content):
    node.write("main.conf", content)
    try:
        setup = load_node(node.directory)
    except ConfigurationError as error:
        assert "main.conf" in error.message
    else:
        assert setup.config.data_directory.is_absolute()


@pytest.mark.parametrize("content", [b"", b"\n" * 1000, b"[" * 1000, b"[Main]\n" + b" " * 100_000, b"=" * 10_000])
def test_odd_files_are_read_in_no_time(node, content):
    node.write("module_configs/a.conf", content)
    assert node.load().errors
