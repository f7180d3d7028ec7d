"""The reference of the configuration: its examples are sound, and its tables have the keys that are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from joule.config import init_node, load_node
from joule.config._main import MAIN_KEYS
from joule.config._modules import MODULE_KEYS
from joule.config._streams import ELEMENT_KEYS, STREAM_KEYS
from joule.core import DATATYPES, ElementSpec, StreamSpec, parse_duration, parse_keep, parse_size

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "configuration.md").read_text()
TABLES = {
    "### [Main] of main.conf": MAIN_KEYS,
    "### [Main] of a module": MODULE_KEYS,
    "### [Main] of a stream": STREAM_KEYS,
    "### [Element1], [Element2], ...": ELEMENT_KEYS,
}


def rows(heading: str) -> dict[str, str]:
    """Return the keys of the table below a heading, with their defaults."""
    section = PAGE.split(f"\n{heading}\n")[1].split("\n#")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", section, re.MULTILINE))


@pytest.mark.parametrize("heading", TABLES)
def test_each_table_has_the_keys_that_are_read(heading):
    assert list(rows(heading)) == list(TABLES[heading])


def test_the_examples_make_a_node_without_an_error(tmp_path):
    init_node(tmp_path)
    examples = re.findall(r"```ini\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == PAGE.count("```ini") == 3
    for name, text in examples:
        (tmp_path / name).write_text(text)
    setup = load_node(tmp_path)
    assert setup.errors == ()
    assert [stream.path for stream in setup.streams] == ["/house/power/mains", "/house/power/smooth"]
    assert [module.name for module in setup.modules] == ["Smooth Power"]


def test_the_examples_show_every_key_of_main_and_stream_files():
    examples = "\n".join(re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL))
    for key in {*MAIN_KEYS, *STREAM_KEYS, *ELEMENT_KEYS} - {"DataStreamDirectory", "SecretsFile", "type", "discrete"}:
        assert re.search(rf"^{key} = .", examples, re.MULTILINE), key


def test_the_defaults_of_streams_are_those_of_the_tables():
    stream, element = rows("### [Main] of a stream"), rows("### [Element1], [Element2], ...")
    default = StreamSpec(path="/x", datatype="int8", elements=(ElementSpec(name="x"),))
    assert parse_keep(stream["keep"].strip("`")) == default.keep_us
    assert stream["decimate"] == ("`yes`" if default.decimate else "`no`")
    assert stream["out_of_order"] == f"`{default.out_of_order}`"
    assert element["display_type"] == f"`{default.elements[0].display_type}`"
    assert float(element["offset"].strip("`")) == default.elements[0].offset
    assert float(element["scale_factor"].strip("`")) == default.elements[0].scale_factor


def test_the_defaults_of_main_conf_are_those_of_the_table(tmp_path):
    (tmp_path / "main.conf").write_text("[Main]\n")
    config, table = load_node(tmp_path).config, rows("### [Main] of main.conf")
    for key, path in {
        "ModuleDirectory": config.module_directory,
        "StreamDirectory": config.stream_directory,
        "DataDirectory": config.data_directory,
        "LogDirectory": config.log_directory,
    }.items():
        assert path == tmp_path / table[key].strip("`")
    assert config.log_size_bytes == parse_size(table["LogSize"].strip("`"))
    assert config.max_ahead_us == parse_duration(table["MaxAhead"].strip("`"))
    assert config.sync_interval_us == parse_duration(table["SyncInterval"].strip("`"))


def test_every_datatype_is_named():
    line = next(line for line in PAGE.splitlines() if line.startswith("| `datatype`"))
    assert set(re.findall(r"`(\w+)`", line)) - {"datatype"} == set(DATATYPES)
