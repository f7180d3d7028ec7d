"""What must hold between modules, and the order they start in."""

from __future__ import annotations

import random

import pytest


def link(node, name, inputs=(), outputs=(), file=None):
    """Write a module with pipes on inline streams."""
    lines = ["[Inputs]"] + [f"i{n} = /{stream}:int8[x]" for n, stream in enumerate(inputs)]
    lines += ["[Outputs]"] + [f"o{n} = /{stream}:int8[x]" for n, stream in enumerate(outputs)]
    return node.module(name, "\n".join(lines), file)


def names(setup):
    return [module.name for module in setup.modules]


def test_two_modules_of_one_name_are_both_refused_each_naming_the_other_file(node):
    first, second = link(node, "same", file="a"), link(node, "same", file="b")
    link(node, "other")
    setup = node.load()
    assert [(fault.file, fault.line) for fault in setup.faults] == [(first, 2), (second, 2)]
    assert str(second) in setup.faults[0].message
    assert str(first) in setup.faults[1].message
    assert "'same'" in setup.faults[0].message
    assert names(setup) == ["other"]
    assert setup.broken_modules == {"same"}


def test_two_writers_of_a_stream_are_both_refused_each_naming_the_other_line(node):
    first, second = link(node, "a", outputs=["s"]), link(node, "b", outputs=["t", "s"])
    link(node, "reader", inputs=["s"])
    setup = node.load()
    assert [(fault.file, fault.line) for fault in setup.faults] == [(first, 6), (second, 7)]
    assert f"{second}:7" in setup.faults[0].message
    assert f"{first}:6" in setup.faults[1].message
    assert names(setup) == ["reader"]
    assert setup.broken_modules == {"a", "b"}


def test_a_module_that_writes_a_stream_twice_is_refused(node):
    file = link(node, "a", outputs=["s", "s"])
    faults = node.load().faults
    assert [(fault.file, fault.line) for fault in faults] == [(file, 6), (file, 7)]
    assert "one writer" in faults[0].message


def test_a_module_that_reads_its_own_output_is_refused(node):
    file = link(node, "a", inputs=["s"], outputs=["s"])
    setup = node.load()
    assert [(fault.file, fault.line) for fault in setup.errors] == [(file, 7)]
    assert "reads its own output '/s'" in setup.errors[0].message
    assert names(setup) == []


def test_modules_in_a_circle_are_refused_naming_the_way_and_the_files_and_others_run(node):
    files = {
        "a": link(node, "a", ["c"], ["a"]),
        "b": link(node, "b", ["a"], ["b"]),
        "c": link(node, "c", ["b", "feed"], ["c"]),
    }
    link(node, "before", outputs=["feed"])
    link(node, "after", inputs=["c"])
    setup = node.load()
    assert [fault.file for fault in setup.faults] == list(files.values())
    assert "a -> b -> c -> a" in setup.faults[0].message
    assert str(files["b"]) in setup.faults[0].message
    assert str(files["c"]) in setup.faults[0].message
    assert sorted(names(setup)) == ["after", "before"]


def test_modules_between_two_circles_are_not_refused(node):
    for name, inputs, outputs in [("a", "b", "a"), ("b", "a", "b"), ("m", "a", "m"), ("x", "my", "x"), ("y", "x", "y")]:
        link(node, name, inputs, outputs)
    setup = node.load()
    assert {fault.file.stem for fault in setup.errors} == {"a", "b", "x", "y"}
    assert names(setup) == ["m"]


@pytest.mark.parametrize("seed", range(5))
def test_producers_start_before_their_consumers_whatever_the_file_names(node, seed):
    order = random.Random(seed).sample(range(20), 20)
    for place, file in enumerate(order):
        link(node, f"m{place}", [f"s{n}" for n in range(max(0, place - 2), place)], [f"s{place}"], file=f"{file:02}")
    assert names(node.load()) == [f"m{place}" for place in range(20)]


def test_modules_that_do_not_depend_on_each_other_start_in_the_order_of_their_files(node):
    for name in "cab":
        link(node, name, outputs=[name])
    assert names(node.load()) == ["a", "b", "c"]


def test_a_chain_longer_than_the_stack_of_python_is_ordered(node):
    for place in range(300, 0, -1):
        link(node, f"{place:04}", [f"s{place}"], [f"s{place - 1}"])
    assert names(node.load())[:2] == ["0300", "0299"]


def test_two_definitions_of_a_stream_are_both_refused_and_so_are_its_users(node):
    first = node.stream("s")
    second = node.write("stream_configs/t.conf", first.read_text())
    user = node.module("user", "[Outputs]\no = /s/s\n")
    setup = node.load()
    assert [(fault.file, fault.line) for fault in setup.faults] == [(user, 5), (first, 3), (second, 3)]
    assert str(second) in setup.faults[1].message
    assert str(first) in setup.faults[2].message
    assert str(first) in setup.faults[0].message
    assert (setup.modules, setup.streams, setup.broken_modules) == ((), (), {"user"})
