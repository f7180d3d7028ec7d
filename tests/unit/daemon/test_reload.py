"""What a changed configuration means for the modules that run."""

import dataclasses

import pytest

from joule.config import Limits, init_node, load_node
from joule.daemon._preparation import Preparation
from joule.daemon._reload import compare, keep_fixed, names_in_doubt


@pytest.fixture
def parts(launch):
    """Make launches by name, and what is to be done when they become others."""

    def make(before, after, problems=None, in_doubt=None):
        def launches(facts):
            return {name: launch([program], name, limits=limits) for name, (program, limits) in facts.items()}

        preparation = Preparation(launches=tuple(launches(after).values()), problems=problems or {})
        return compare(launches(before), preparation, in_doubt or {})

    return make


SAME = ("true", Limits())


def test_every_module_is_in_one_of_the_lists(parts):
    difference = parts(
        {"same": SAME, "gone": SAME, "changed": SAME, "limits": SAME, "nice": SAME},
        {
            "new": SAME,
            "nice": ("true", Limits(nice=5)),
            "limits": ("true", Limits(max_restarts=3, timeout_us=10_000_000)),
            "changed": ("false", Limits()),
            "same": SAME,
        },
    )
    assert (difference.new, difference.gone) == (("new",), ("gone",))
    assert difference.changed == ("nice", "changed")  # niceness is given at the start; in the order of the new file
    assert (difference.adjusted, difference.unchanged, difference.outdated) == (("limits",), ("same",), {})


def test_what_has_a_fault_now_goes_on_and_what_never_ran_does_not_matter(parts):
    difference = parts({"faulty": SAME}, {}, problems={"faulty": "line 3", "new and faulty": "line 4"})
    assert (difference.outdated, difference.gone) == ({"faulty": "line 3"}, ())


def test_what_is_in_doubt_is_not_taken_for_gone(parts):
    difference = parts({"a": SAME, "b": SAME}, {"b": SAME}, in_doubt={"a": "no name"})
    assert (difference.outdated, difference.gone, difference.unchanged) == ({"a": "no name"}, (), ("b",))


def test_a_reason_alone_changes_nothing(launch):
    before = launch(["true"])
    after = dataclasses.replace(before, running_reason="no module writes its input")
    assert after.holds_for(before)
    assert compare({"reader": before}, Preparation(launches=(after,), problems={}), {}).unchanged == ("reader",)


@pytest.fixture
def node(tmp_path):
    init_node(tmp_path / "node")
    return tmp_path / "node"


def write(node, name, text):
    (node / "module_configs" / name).write_text(text)


def test_names_are_in_doubt_only_while_some_file_hides_one(node):
    write(node, "a.conf", "[Main]\nname = a\nexec_cmd = true\n")
    write(node, "b.conf", "[Main]\nname = b\nexec_cmd = true\n")
    modules = {module.name: module for module in load_node(node).modules}
    write(node, "a.conf", "[Main]\nexec_cmd = true\n")
    in_doubt = names_in_doubt(modules, load_node(node))
    assert list(in_doubt) == ["a"]
    assert "a.conf:1" in in_doubt["a"]
    (node / "module_configs" / "a.conf").unlink()
    assert names_in_doubt(modules, load_node(node)) == {}


def test_directories_of_data_and_logs_hold_until_the_next_start(node):
    before = load_node(node).config
    (node / "main.conf").write_text("[Main]\nName = other\nDataDirectory = elsewhere\n")
    config, waiting = keep_fixed(before, load_node(node).config)
    assert waiting == ("DataDirectory",)
    assert (config.name, config.data_directory) == ("other", before.data_directory)
