"""From configuration to what can be started."""

import errno

import pytest

from joule.api import catalog_path, log_directory, module_log_file
from joule.catalog import Catalog
from joule.config import init_node, load_node
from joule.daemon import _preparation
from joule.daemon._preparation import node_mark, prepare, segment_us
from joule.log import SEGMENT_US, CursorFile, cursor_path, read_identity
from joule.pipes import Manifest

MODULE = "[Main]\nname = {name}\nexec_cmd = true\n[Inputs]\n{inputs}\n[Outputs]\n{outputs}\n"


@pytest.fixture
def node(tmp_path):
    init_node(tmp_path / "node")
    return tmp_path / "node"


@pytest.fixture
def configure(node):
    def write(name, inputs="", outputs=""):
        text = MODULE.format(name=name, inputs=inputs, outputs=outputs)
        (node / "module_configs" / f"{name}.conf").write_text(text)

    return write


@pytest.fixture
def run(node, tmp_path):
    def prepare_once():
        setup = load_node(node)
        with Catalog.open(catalog_path(setup.config.data_directory)) as catalog:
            return prepare(setup, catalog, tmp_path / "run")

    return prepare_once


def test_a_module_gets_its_command_with_a_manifest(node, configure, run, tmp_path):
    configure("reader", outputs="output = /a/b:float32[x, y]")
    (launch,) = run().launches
    assert launch.command[-2] == "--pipes"
    manifest = Manifest.parse(launch.command[-1])
    assert manifest.outputs["output"].layout == "float32_2"
    assert manifest.outputs["output"].log == log_directory(node / "data", 1)
    assert manifest.run == tmp_path / "run"
    assert launch.directory == node
    assert launch.mark == node_mark(node) + "reader"


def test_producers_come_first_and_cursors_before_all(node, configure, run):
    configure("a consumer", inputs="input = /a/b")
    configure("producer", outputs="output = /a/b:float32[x]")
    assert [launch.name for launch in run().launches] == ["producer", "a consumer"]
    cursors = CursorFile(cursor_path(node / "data", "a consumer"))
    assert cursors.inputs["input"].row == 0
    cursors.close()


def test_another_layout_costs_only_the_modules_of_that_stream(configure, run, caplog):
    configure("reader", outputs="output = /a/b:float32[x]")
    configure("other", outputs="output = /a/c:float32[x]")
    run()
    configure("reader", outputs="output = /a/b:float64[x, y]")
    preparation = run()
    assert [launch.name for launch in preparation.launches] == ["other"]
    assert "float32_1" in preparation.problems["reader"]
    assert "float64_2" in preparation.problems["reader"]
    assert "/a/b" in caplog.text


def test_a_damaged_log_costs_only_the_modules_of_that_stream(node, configure, run):
    configure("reader", outputs="output = /a/b:float32[x]")
    configure("other", outputs="output = /a/c:float32[x]")
    run()
    with Catalog.open(catalog_path(node / "data"), read_only=True) as catalog:
        number = catalog.stream("/a/b").id
    (log_directory(node / "data", number) / "log.json").write_text("nonsense")
    preparation = run()
    assert [launch.name for launch in preparation.launches] == ["other"]
    assert "log.json" in preparation.problems["reader"]
    assert (log_directory(node / "data", number) / "log.json").read_text() == "nonsense"


def test_a_faulty_module_is_listed_with_its_fault(node, configure, run):
    configure("good", outputs="output = /a/b:float32[x]")
    (node / "module_configs" / "b.conf").write_text(
        "[Main]\nname = Bad one\nexec_cmd = true\n[Outputs]\no = nonsense\n"
    )
    preparation = run()
    assert [launch.name for launch in preparation.launches] == ["good"]
    assert "b.conf:5" in preparation.problems["Bad one"]


def test_a_cursor_dies_with_its_module_and_not_while_any_file_is_faulty(node, configure, run):
    configure("reader", outputs="output = /a/b:float32[x]")
    configure("filter", inputs="input = /a/b")
    run()
    path = cursor_path(node / "data", "filter")
    assert path.exists()
    file = node / "module_configs" / "filter.conf"
    file.write_text("nonsense without a name")
    run()
    assert path.exists()
    file.unlink()
    run()
    assert not path.exists()


def test_a_consumer_without_a_producer_says_so(node, configure, run):
    configure("reader", outputs="output = /a/b:float32[x]")
    configure("filter", inputs="input = /c/d:float32[x]")
    reasons = {launch.name: launch.running_reason for launch in run().launches}
    assert "no module of this node writes /c/d" in reasons["filter"]
    assert reasons["reader"] == "its process runs"


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "..", "a%2Fb", "Grün und Rot"])
def test_no_name_leaves_the_log_directory(tmp_path, name):
    path = module_log_file(tmp_path, name)
    assert path.parent == tmp_path
    assert path.resolve().parent == tmp_path.resolve()
    assert not path.name.startswith(".")


def test_different_names_have_different_logs(tmp_path):
    names = ["a/b", "a%2Fb", "a%252Fb", ".a", "%2Ea", "a"]
    assert len({module_log_file(tmp_path, name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("keep_us", "expected_us"),
    [(None, SEGMENT_US), (0, 60_000_000), (1, 1_000_000), (60_000_000, 6_000_000), (10**15, SEGMENT_US)],
)
def test_segments_are_a_tenth_of_keep(keep_us, expected_us):
    assert segment_us(keep_us) == expected_us


@pytest.mark.parametrize("broken", ["a file in its place", "no head", "a damaged head", "a directory for a head"])
def test_whatever_lies_in_the_place_of_a_log_costs_only_its_modules(node, configure, run, broken):
    configure("reader", outputs="output = /a/b:float32[x]")
    configure("other", outputs="output = /a/c:float32[x]")
    run()
    with Catalog.open(catalog_path(node / "data"), read_only=True) as catalog:
        log = log_directory(node / "data", catalog.stream("/a/b").id)
    if broken == "a file in its place":
        log.rename(node / "elsewhere")
        log.write_text("hello")
    elif broken == "a damaged head":
        (log / "head").write_bytes(b"x" * 128)
    else:
        (log / "head").unlink()
        if broken == "a directory for a head":
            (log / "head").mkdir()
    preparation = run()
    assert [launch.name for launch in preparation.launches] == ["other"]
    assert str(log) in preparation.problems["reader"]


def test_whatever_lies_in_the_place_of_a_cursor_costs_only_its_module(node, configure, run, caplog):
    configure("reader", outputs="output = /a/b:float32[x]")
    configure("other", outputs="output = /a/c:float32[x]")
    run()
    for name in ("reader", "nobody"):
        cursor_path(node / "data", name).unlink(missing_ok=True)
        cursor_path(node / "data", name).mkdir()
    preparation = run()
    assert [launch.name for launch in preparation.launches] == ["other"]
    assert "reader.cursor" in preparation.problems["reader"]
    assert "nobody.cursor cannot be removed" in caplog.text


def test_a_full_disk_is_the_trouble_of_the_whole_node(configure, run, monkeypatch):
    configure("reader", outputs="output = /a/b:float32[x]")

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_preparation, "create_log", fail)
    with pytest.raises(OSError, match="No space left"):
        run()


def test_streams_find_their_rows_again_when_the_catalog_was_lost(node, configure, run, caplog):
    configure("reader", outputs="output = /z/first:float32[x]")
    run()
    configure("another", outputs="output = /a/second:float32[x]\nwider = /a/third:float32[x, y]")
    run()
    catalog_path(node / "data").unlink()
    (log_directory(node / "data", 9)).mkdir()
    configure("another", outputs="output = /a/new:float32[x]\nwider = /a/third:float32[x, y, z]")
    preparation = run()
    with Catalog.open(catalog_path(node / "data"), read_only=True) as catalog:
        ids = {record.spec.path: record.id for record in catalog.streams()}
    assert ids == {"/z/first": 1, "/a/new": 10}
    assert read_identity(log_directory(node / "data", 1)).stream == "/z/first"
    assert "float32_2" in preparation.problems["another"]
    assert "/z/first" in caplog.text
