"""`joule stream create|set|move|rename|delete`: what the node is asked for, and what the user is told."""

import json

import pytest

from joule.core import ElementSpec, StreamSpec
from joule.errors import StreamHeldError

HELD = StreamHeldError(
    "/a b", "written by module 'my reader'", "stop that first: joule module stop 'my reader'", "my reader"
)


@pytest.mark.parametrize(
    ("arguments", "datatype", "names"),
    [
        (["float32[volts, peak amps]"], "float32", ["volts", "peak amps"]),
        (["int16", "--element", "volts", "--element", "b c"], "int16", ["volts", "b c"]),
        (["uint8_3"], "uint8", ["1", "2", "3"]),
    ],
)
def test_a_stream_is_made_from_any_form_of_layout(run, node, arguments, datatype, names):
    result = run("stream", "create", "/a/b c", *arguments)
    assert (result.exit_code, result.stdout) == (0, f"made /a/b c: {datatype}_{len(names)}, id 9\n")
    elements = tuple(ElementSpec(name=name) for name in names)
    assert node.asked == [("stream_create", StreamSpec(path="/a/b c", datatype=datatype, elements=elements))]


def test_a_stream_is_made_with_its_attributes(run, node):
    run("stream", "create", "/a", "float32[x]", "keep=1w", "decimate=no", "description=so = so", "x.units=V", "--json")
    ((_, spec),) = node.asked
    assert (spec.keep_us, spec.decimate, spec.description) == (7 * 86_400_000_000, False, "so = so")
    assert spec.elements == (ElementSpec(name="x", units="V"),)


def test_path_and_layout_may_be_written_as_one_as_in_a_modules_file(run, node):
    result = run("stream", "create", "/a:float32[x]", "keep=1w", "x.units=V")
    assert (result.exit_code, result.stdout) == (0, "made /a: float32_1, id 9\n")
    ((_, spec),) = node.asked
    assert (spec.path, spec.keep_us, spec.elements[0].units) == ("/a", 7 * 86_400_000_000, "V")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["a", "float32[x]"], "does not begin with /"),
        (["/a"], "/a 'float32[volts, amps]'"),
        (["/a", "float32[x"], "not of the form TYPE"),
        (["/a", "float3[x]"], "did you mean 'float32'"),
        (["/a", "float32"], "name the elements: 'float32[x, y]'"),
        (["/a", "float32_2", "--element", "x"], "goes with a datatype alone"),
        (["/a", "float32[x]", "name=b"], "sets no attribute"),
        (["/a", "float32[x]", "y.units=V"], "no element 'y'"),
    ],
)
def test_a_stream_that_cannot_be_is_refused_before_the_node_is_asked(run, node, arguments, word):
    result = run("stream", "create", *arguments)
    assert result.exit_code in (1, 2)
    assert word in result.stderr
    assert node.asked == []


def test_attributes_are_understood_by_their_names_in_front_of_them(run, node):
    names = ["keep=all", "out_of_order=drop", "volts.units=mV", "a.b=c.offset=-1.5", "volts.plottable=no"]
    result = run("stream", "set", "/house/power", *names, "volts.default_min=", "volts.default_max=none")
    assert (result.exit_code, result.stdout) == (0, "changed /now/here\n")
    elements = {
        "volts": {"units": "mV", "plottable": False, "default_min": None, "default_max": None},
        "a.b=c": {"offset": -1.5},
    }
    changes = {"keep_us": None, "out_of_order": "drop", "elements": elements}
    assert node.asked == [("stream_update", "/house/power", changes)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("keep=6", "is no number with a unit"),
        ("kep=6d", "sets no attribute"),
        ("units=V", "sets no attribute"),
        ("keep", "sets no attribute"),
        ("x.keep=6d", "sets no attribute"),
        ("decimate=maybe", "yes or no"),
        ("x.offset=one", "is a number"),
    ],
)
def test_an_attribute_that_is_none_is_refused_with_what_there_is(run, node, text, word):
    result = run("stream", "set", "/a", text)
    assert result.exit_code == 2
    assert word in result.stderr
    assert node.asked == []


def test_moves_and_renames_tell_the_new_path_and_what_is_left_to_do(run, node):
    node.warnings = ("reader.conf:5 still names '/a b'",)
    moved = run("stream", "move", "/a b", "/c")
    assert (moved.stdout, moved.stderr) == (
        "moved /a b to /now/here\n",
        "warning: reader.conf:5 still names '/a b'\n",
    )
    assert run("stream", "rename", "7", "x").stdout == "renamed 7 to /now/here\n"
    assert json.loads(run("stream", "move", "/a b", "/c", "--json").stdout) == {
        "path": "/now/here",
        "id": 3,
        "streams": 2,
        "warnings": ["reader.conf:5 still names '/a b'"],
    }
    assert node.asked[:2] == [("stream_move", "/a b", "/c"), ("stream_update", 7, {"name": "x"})]


@pytest.mark.parametrize("command", [["move", "/a b", "/c"], ["rename", "/a b", "c"], ["set", "/a b", "name=c"]])
def test_what_a_module_holds_is_refused_with_its_name(run, node, command):
    node.refusal = HELD
    result = run("stream", *command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "stream '/a b' is written by module 'my reader'" in result.stderr
    assert "joule module stop 'my reader'" in result.stderr


def test_deleting_tells_what_goes_and_needs_a_yes_where_nobody_can_be_asked(run, node):
    node.pid = 4711
    result = run("stream", "delete", "/house/power", "2")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "/house/power: 3 rows, 1.5 MB" in result.stderr
    assert "add --yes" in result.stderr
    assert node.asked == []
    result = run("stream", "delete", "/house/power", "2", "1", "--yes")
    assert result.stdout == "deleted /house/power: 3 rows, 1.5 MB\ndeleted /house/water: 0 rows, 0 B\n"
    assert node.asked == [("stream_delete", 1), ("stream_delete", 2)]


def test_nothing_is_deleted_when_one_of_the_streams_is_not_there(run, node):
    node.pid = 4711
    assert run("stream", "delete", "/house/power", "/nowhere", "--yes").exit_code == 4
    assert node.asked == []
