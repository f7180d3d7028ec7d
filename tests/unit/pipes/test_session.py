"""A module's pipes as `jouled` hands them over: the manifest, the commit rule, what a restart does."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import os
import subprocess
import sys
from pathlib import Path
from time import CLOCK_BOOTTIME, clock_gettime_ns, time_ns

import numpy as np
import pytest

from joule.core import ClockLaw, ElementSpec, Layout, time_now
from joule.errors import (
    DiskFullError,
    EmptyPipeError,
    LogError,
    ModuleError,
    OutOfOrderError,
    StreamBusyError,
    TooFarAheadError,
)
from joule.log import (
    BREAK,
    ClockFile,
    CursorFile,
    DiskFiles,
    LogWriter,
    create_log,
    ensure_cursors,
    inspect_log,
    read_log,
)
from joule.pipes import Manifest, PipeEntry, open_manifest

LAYOUT = Layout("float64", 1)


def times_in(log: Path) -> list[int | str]:
    found: list[int | str] = []
    for block in read_log(log):
        found += ["break"] if block is BREAK else block["timestamp"].tolist()
    return found


def rows(*times: int) -> np.ndarray:
    return np.array([[time, time / 2] for time in times], dtype=np.float64)


class Node:
    """Logs in a directory, and a module's manifest over them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def log(self, name: str) -> Path:
        create_log(self.directory / name, LAYOUT, f"/{name}")
        return self.directory / name

    def store(self, name: str, *times: int) -> None:
        writer = LogWriter(self.log(name), LAYOUT, stream=f"/{name}", holder="the test")
        made = np.zeros(len(times), LAYOUT.dtype)
        made["timestamp"] = times
        writer.store(made)
        writer.close()

    def manifest(self, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = (), **options: object) -> Manifest:
        entries = {
            name: PipeEntry(stream=f"/{name}", log=self.log(name), layout=str(LAYOUT)) for name in (*inputs, *outputs)
        }
        cursor = self.directory / "m.cursor"
        ensure_cursors(
            cursor, "m", {name: self.log(name) for name in inputs}, {name: self.log(name) for name in outputs}
        )
        return Manifest(
            module="m",
            cursor=cursor,
            run=self.directory,
            inputs={name: entries[name] for name in inputs},
            outputs={name: entries[name] for name in outputs},
            **options,  # type: ignore[arg-type]
        )

    def committed(self) -> tuple[dict[str, int], dict[str, int]]:
        cursors = CursorFile(self.directory / "m.cursor")
        cursors.close()
        return {name: at.row for name, at in cursors.inputs.items()}, cursors.outputs


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_manifest_comes_back_from_its_text(node):
    manifest = node.manifest(("in",), ("out",), on_restart="break", max_ahead_us=5, clock=node.directory / "clock")
    assert Manifest.parse(manifest.to_json()) == manifest


async def test_a_module_goes_by_the_node_s_clock_while_its_pipes_are_open(node):
    file = ClockFile(node.directory / "clock")
    boot_us = clock_gettime_ns(CLOCK_BOOTTIME) // 1000
    file.publish(ClockLaw.start(bytes(16), boot_us, 3 * 10**15))
    async with open_manifest(node.manifest((), ("out",), max_ahead_us=10**9, clock=file.path), column=False) as pipes:
        assert 3 * 10**15 <= time_now() < 3 * 10**15 + 10**9
        await pipes.outputs["out"].write(rows(3 * 10**15))
        with pytest.raises(TooFarAheadError):
            await pipes.outputs["out"].write(rows(3 * 10**15 + 3 * 10**9))
    assert time_now() < 2.5 * 10**15
    file.close()


async def test_a_reader_begins_an_interval_where_the_time_has_jumped_ahead_and_only_there(node):
    boot_us = clock_gettime_ns(CLOCK_BOOTTIME) // 1000
    file = ClockFile(node.directory / "clock")
    file.publish(ClockLaw.start(bytes(16), boot_us, 10**15))
    hour_us = 3_600_000_000
    async with open_manifest(node.manifest((), ("out",), clock=file.path), column=False) as pipes:
        for jump_us in (0, 0, 1000, hour_us, 0):
            law = file.law
            file.publish(law.jump(boot_us, law.node_us(boot_us) + jump_us))
            await pipes.outputs["out"].write(rows(time_now()))
        file.publish(file.law.slow_down(boot_us, 0))
        await pipes.outputs["out"].write(rows(time_now()))
    times = times_in(node.log("out"))
    assert [place for place, time in enumerate(times) if time == "break"] == [3]
    assert times[4] - times[2] > 0.9 * hour_us
    file.close()


async def test_a_filter_begins_none_for_that(node):
    node.store("in", 1)
    boot_us = clock_gettime_ns(CLOCK_BOOTTIME) // 1000
    file = ClockFile(node.directory / "clock")
    file.publish(ClockLaw.start(bytes(16), boot_us, 10**15))
    async with open_manifest(node.manifest(("in",), ("out",), clock=file.path), column=False) as pipes:
        await pipes.outputs["out"].write(rows(1))
        file.publish(file.law.jump(boot_us, 2 * 10**15))
        assert time_now() >= 2 * 10**15
        await pipes.outputs["out"].write(rows(2))
    assert times_in(node.log("out")) == [1, 2]
    file.close()


@pytest.mark.parametrize("content", [None, b"spoilt"])
async def test_a_module_whose_node_has_no_sound_clock_goes_by_the_system_s_and_says_so(node, caplog, content):
    path = node.directory / "clock"
    if content is not None:
        path.write_bytes(content)
    async with open_manifest(node.manifest((), ("out",), clock=path), column=False):
        assert abs(time_now() - time_ns() // 1000) < 10**6
    assert "the node's clock cannot be read" in caplog.text


def entry_with(node, elements):
    width = len(elements)
    log = node.directory / "wide"
    create_log(log, Layout("float64", width), "/house/wide")
    return PipeEntry(stream="/house/wide", log=log, layout=f"float64_{width}", stream_id=9, elements=elements)


async def test_a_pipe_knows_its_stream_with_its_elements(node):
    elements = (
        ElementSpec(name="voltage", units="V", offset=0.5, default_max=250),
        ElementSpec(name="on", plottable=False, display_type="discrete"),
    )
    manifest = dataclasses.replace(node.manifest(), outputs={"wide": entry_with(node, elements)})
    ensure_cursors(manifest.cursor, "m", {}, {"wide": node.directory / "wide"})
    assert Manifest.parse(manifest.to_json()) == manifest
    async with open_manifest(manifest, column=True) as pipes:
        stream = pipes.outputs["wide"].stream
    assert (stream.name, stream.id, stream.layout) == ("wide", 9, "float64_2")
    voltage, on = stream.elements
    assert (voltage.name, voltage.units, voltage.offset, voltage.default_max) == ("voltage", "V", 0.5, 250)
    assert (on.index, on.plottable, on.display_type) == (1, False, "discrete")


def test_elements_that_would_make_the_command_line_too_long_are_left_out(node):
    elements = tuple(ElementSpec(name=f"{'long ' * 30}{number}") for number in range(1024))
    manifest = dataclasses.replace(node.manifest(), outputs={"wide": entry_with(node, elements)})
    text = manifest.to_json()
    assert len(text) < 100_000
    assert Manifest.parse(text).outputs["wide"].elements == ()


@pytest.mark.parametrize("text", ["", "{}", "[]", "unset!", '{"module": 1, "inputs": 3}', "null"])
def test_a_text_that_is_no_manifest_is_refused_in_words(text):
    with pytest.raises(ModuleError, match="managed by jouled"):
        Manifest.parse(text)


async def test_a_reader_starts_a_new_interval_each_time(node):
    for time in (1, 2, 3):
        async with open_manifest(node.manifest((), ("out",)), column=False) as pipes:
            await pipes.outputs["out"].write(rows(time))
    assert times_in(node.log("out")) == [1, "break", 2, "break", 3]


async def test_a_module_with_inputs_continues_its_interval_unless_its_file_says_break(node):
    node.log("in")
    for time, policy in ((1, "resume"), (2, "resume"), (3, "break")):
        async with open_manifest(node.manifest(("in",), ("out",), on_restart=policy), column=False) as pipes:
            await pipes.outputs["out"].write(rows(time))
            pipes.commit()
    assert times_in(node.log("out")) == [1, 2, "break", 3]


async def test_consumed_rows_count_when_the_next_cycle_begins_and_not_before(node):
    manifest = node.manifest(("in",), ("out",))
    node.store("in", 1, 2, 3)
    async with open_manifest(manifest, column=False) as pipes:
        source = pipes.inputs["in"]
        await source.read()
        source.consume(2)
        assert node.committed() == ({"in": 0}, {"out": 0})
        await pipes.outputs["out"].write(rows(1, 2))
        node.store("in", 4)
        assert len(await source.read()) == 2
        assert node.committed() == ({"in": 2}, {"out": 2})


async def test_nothing_is_committed_when_the_module_is_cancelled_or_fails(node):
    manifest = node.manifest(("in",), ())
    node.store("in", 1, 2, 3)
    with pytest.raises(RuntimeError):
        async with open_manifest(manifest, column=False) as pipes:
            await pipes.inputs["in"].read()
            pipes.inputs["in"].consume_all()
            raise RuntimeError
    assert node.committed()[0] == {"in": 0}


async def test_waiting_for_rows_with_not_empty_commits_the_cycle_before(node):
    manifest = node.manifest(("in",), ())
    node.store("in", 1, 2, 3)
    async with open_manifest(manifest, column=False) as pipes:
        source = pipes.inputs["in"]
        assert await source.not_empty()
        await source.read()
        source.consume_all()
        assert node.committed()[0] == {"in": 0}
        node.store("in", 4)
        assert await source.not_empty()
        assert node.committed()[0] == {"in": 3}


async def test_a_commit_waits_until_cached_rows_are_stored(node):
    manifest = node.manifest(("in",), ("out",))
    node.store("in", 1, 2, 3)
    async with open_manifest(manifest, column=False) as pipes:
        source, sink = pipes.inputs["in"], pipes.outputs["out"]
        sink.enable_cache(5)
        await source.read()
        source.consume_all()
        await sink.write(rows(1, 2, 3))
        node.store("in", 4)
        await source.read()
        assert node.committed() == ({"in": 0}, {"out": 0})
        await sink.flush_cache()
        assert node.committed() == ({"in": 3}, {"out": 3})


async def test_a_commit_waits_for_rows_in_a_flush_that_waits_for_the_disk(node, monkeypatch):
    manifest = node.manifest(("in",), ("out",))
    node.store("in", 1, 2, 3)
    is_full = True
    write = DiskFiles.write

    def write_if_there_is_room(self, fd, data, size, offset):
        if is_full and size == 3 * LAYOUT.row_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, fd, data, size, offset)

    async with open_manifest(manifest, column=False) as pipes:
        source, sink = pipes.inputs["in"], pipes.outputs["out"]
        sink.enable_cache(3)
        await source.read()
        source.consume_all()
        monkeypatch.setattr(DiskFiles, "write", write_if_there_is_room)
        waiting = asyncio.ensure_future(sink.write(rows(1, 2, 3)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        pipes.commit()
        assert node.committed() == ({"in": 0}, {"out": 0})
        is_full = False
        await waiting
        assert node.committed() == ({"in": 3}, {"out": 3})


async def test_all_inputs_of_a_module_are_committed_together(node):
    manifest = node.manifest(("a", "b"), ())
    node.store("a", 1, 2)
    node.store("b", 1, 2, 3)
    async with open_manifest(manifest, column=False) as pipes:
        for pipe in pipes.inputs.values():
            await pipe.read()
            pipe.consume_all()
        assert node.committed()[0] == {"a": 0, "b": 0}
        node.store("b", 4)
        await pipes.inputs["b"].read()
        assert node.committed()[0] == {"a": 2, "b": 3}


async def test_a_second_process_of_a_module_is_refused(node):
    manifest = node.manifest(("in",), ())
    async with open_manifest(manifest, column=False):
        program = (
            "import asyncio, sys; from joule.pipes import Manifest, open_manifest\n"
            "async def main():\n"
            "    async with open_manifest(Manifest.parse(sys.argv[1]), column=False): pass\n"
            "asyncio.run(main())"
        )
        answer = subprocess.run([sys.executable, "-c", program, manifest.to_json()], capture_output=True, text=True)
        assert "StreamBusyError" in answer.stderr
        assert "module 'm', process" in answer.stderr


async def test_a_stream_that_another_module_writes_is_refused_with_both_names(node):
    manifest = node.manifest((), ("out",))
    writer = LogWriter(node.log("out"), LAYOUT, stream="/out", holder="module 'other'")
    with pytest.raises(StreamBusyError, match="/out"):
        async with open_manifest(manifest, column=False):
            pass
    writer.close()


async def test_pipes_are_closed_and_locks_released_however_the_module_ends(node):
    for error in (None, ValueError(), asyncio.CancelledError()):
        try:
            async with open_manifest(node.manifest(("in",), ("out",)), column=False) as pipes:
                if error is not None:
                    raise error
        except (ValueError, asyncio.CancelledError):
            pass
        assert all(pipe.closed for pipe in (*pipes.inputs.values(), *pipes.outputs.values()))


async def test_rows_out_of_order_are_raised_or_dropped_as_the_stream_says(node):
    manifest = node.manifest((), ("out",))
    async with open_manifest(manifest, column=False) as pipes:
        with pytest.raises(OutOfOrderError):
            await pipes.outputs["out"].write(rows(5, 4, 6))
    dropping = PipeEntry(stream="/out", log=node.log("out"), layout=str(LAYOUT), out_of_order="drop")
    manifest = Manifest(module="m", cursor=manifest.cursor, run=manifest.run, outputs={"out": dropping})
    async with open_manifest(manifest, column=False) as pipes:
        await pipes.outputs["out"].write(rows(7))
        await pipes.outputs["out"].write(rows(8, 7, 9))
    assert times_in(node.log("out")) == [5, 6, "break", 7, 8, 9]
    assert inspect_log(node.log("out")).refused_rows == 2


async def test_one_element_rows_have_the_shape_that_the_modules_class_asks_for(node):
    manifest = node.manifest(("in",), ())
    node.store("in", 1, 2)
    for column, shape in ((False, (2,)), (True, (2, 1))):
        async with open_manifest(manifest, column=column) as pipes:
            assert (await pipes.inputs["in"].read())["data"].shape == shape


async def test_an_input_of_a_running_node_does_not_end_with_its_writer(node):
    manifest = node.manifest(("in",), ())
    node.store("in", 1)
    async with open_manifest(manifest, column=False) as pipes:
        source = pipes.inputs["in"]
        await source.read()
        source.consume_all()
        waiting = asyncio.ensure_future(source.read())
        await asyncio.sleep(0)
        node.store("in", 2)
        try:
            assert (await waiting)["timestamp"].tolist() == [2]
        except EmptyPipeError:
            pytest.fail("the input ended")


async def test_rows_refused_out_of_a_cache_are_not_counted_as_stored(node):
    manifest = node.manifest(("in",), ("out",))
    manifest = dataclasses.replace(
        manifest, outputs={"out": dataclasses.replace(manifest.outputs["out"], out_of_order="drop")}
    )
    node.store("in", 1, 2, 3)
    async with open_manifest(manifest, column=False) as pipes:
        source, sink = pipes.inputs["in"], pipes.outputs["out"]
        sink.enable_cache(100)
        await source.read()
        source.consume_all()
        await sink.write(rows(10, 5, 11))
        node.store("in", 4)
        await source.read()
        await sink.flush_cache()
        assert node.committed() == ({"in": 3}, {"out": 2})


class RefusesCommits:
    """Makes writes of cursor records fail with an error."""

    def __init__(self, monkeypatch) -> None:
        self.error = 0
        write = DiskFiles.write

        def refuse(files, fd, data, size, offset):
            if self.error and offset >= 512 and isinstance(data, bytes):
                raise OSError(self.error, os.strerror(self.error))
            write(files, fd, data, size, offset)

        monkeypatch.setattr(DiskFiles, "write", refuse)


async def test_a_commit_that_finds_no_room_is_made_up_for_by_a_later_one(node, monkeypatch, caplog):
    disk = RefusesCommits(monkeypatch)
    node.log("in")
    async with open_manifest(node.manifest(("in",), ()), column=False) as pipes:
        source = pipes.inputs["in"]
        for time, disk.error in ((1, 0), (2, errno.ENOSPC), (3, errno.ENOSPC), (4, 0)):
            node.store("in", time)
            await source.read()
            source.consume_all()
        assert node.committed()[0] == {"in": 3}
    assert caplog.text.count("the disk is full") == 1


async def test_a_commit_that_fails_otherwise_is_an_error_that_names_the_file(node, monkeypatch):
    disk = RefusesCommits(monkeypatch)
    manifest = node.manifest(("in",), ())
    node.store("in", 1)
    async with open_manifest(manifest, column=False) as pipes:
        await pipes.inputs["in"].read()
        pipes.inputs["in"].consume_all()
        disk.error = errno.EIO
        with pytest.raises(LogError, match=r"m\.cursor: Input/output error"):
            pipes.commit()


async def test_a_module_that_cannot_go_on_with_an_output_lets_go_of_its_stream(node, monkeypatch):
    manifest = node.manifest((), ("out",))
    node.store("out", 1)

    def refuse(writer):
        raise DiskFullError("/out", node.directory, 0)

    with monkeypatch.context() as context:
        context.setattr(LogWriter, "mark_break", refuse)
        with pytest.raises(DiskFullError):
            async with open_manifest(manifest, column=False):
                pass
    async with open_manifest(manifest, column=False):
        pass


async def test_an_output_renamed_while_its_module_was_dead_is_resumed_under_its_new_name(node):
    manifest = node.manifest(("in",), ("out",))
    node.store("in", 1, 2)
    async with open_manifest(manifest, column=False) as pipes:
        await pipes.inputs["in"].read()
        await pipes.outputs["out"].write(rows(1, 2))  # and dies before it commits
    ensure_cursors(manifest.cursor, "m", {"in": node.log("in")}, {"result": node.log("out")})
    renamed = dataclasses.replace(manifest, outputs={"result": manifest.outputs["out"]})
    async with open_manifest(renamed, column=False) as pipes:
        assert len(await pipes.inputs["in"].read()) == 2
        await pipes.outputs["result"].write(rows(1, 2))
        await pipes.outputs["result"].write(rows(3))
    assert times_in(node.log("out")) == [1, 2, 3]
