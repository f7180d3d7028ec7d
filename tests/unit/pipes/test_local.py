"""What local pipes promise beyond the conformance kit."""

import asyncio

import numpy as np
import pytest

from joule.errors import BadLayoutError, ClosedPipeError, EmptyPipeError, PipeError
from joule.log import InnerPosition
from joule.pipes import LocalNumpyPipe, LocalPipe
from joule.testing._pipe_probes import assert_waits, make_rows, settle, waiting_read, woken


class Stream:
    layout = "int16_2"


@pytest.mark.parametrize(
    "pipe, name, layout",
    [
        (LocalPipe("float32_2"), "local pipe", "float32_2"),
        (LocalPipe("float32_2", "mine"), "mine", "float32_2"),
        (LocalPipe("output", layout="float32_2"), "output", "float32_2"),
        (LocalPipe(layout="float32_2", name="mine"), "mine", "float32_2"),
        (LocalPipe(stream=Stream()), "local pipe", "int16_2"),
        (LocalNumpyPipe("output", "float32_1"), "output", "float32_1"),
        (LocalNumpyPipe(name="raw", layout="float32_1", buffer_size=10, debug=True), "raw", "float32_1"),
        (LocalNumpyPipe("raw", stream=Stream()), "raw", "int16_2"),
    ],
)
def test_local_pipes_are_made_in_the_ways_of_every_era(pipe, name, layout):
    assert (pipe.name, pipe.layout) == (name, layout)


@pytest.mark.parametrize("make", [lambda: LocalPipe("float33_1"), lambda: LocalPipe(), lambda: LocalNumpyPipe("name")])
def test_a_local_pipe_needs_a_layout(make):
    with pytest.raises(BadLayoutError, match="layout"):
        make()


def test_a_local_pipe_works_without_an_event_loop_and_across_two():
    pipe = LocalPipe("float64_1")
    pipe.write_nowait([[1, 1]])
    asyncio.run(pipe.write([[2, 2]]))
    assert asyncio.run(pipe.read())["timestamp"].tolist() == [1, 2]
    assert pipe.read_nowait()["timestamp"].tolist() == [1, 2]


def test_a_million_rows_wait_for_nobody():
    pipe = LocalPipe("float32_1")
    rows = make_rows("float32_1", 0, 1000)
    for _ in range(1000):
        pipe.write_nowait(rows)
    assert len(pipe.read_nowait()) == 1_000_000


async def test_a_write_limit_makes_writers_wait_until_a_write_was_read():
    pipe = LocalPipe("float64_1", write_limit=2)
    await pipe.write([[1, 1]])
    await pipe.write([[2, 2]])
    third = asyncio.create_task(pipe.write([[3, 3]]))
    await settle()
    assert not third.done()
    await pipe.read()  # read, and not consumed: a reader that gathers a window must get on
    await woken(third)
    assert (await pipe.read())["timestamp"].tolist() == [1, 2, 3]


async def test_a_cancelled_flush_leaves_its_rows_in_the_cache_before_later_ones():
    pipe = LocalPipe("float64_1", write_limit=1)
    await pipe.write([[1, 1]])
    pipe.enable_cache(2)
    await pipe.write([[2, 2]])
    flushing = asyncio.create_task(pipe.write([[3, 3]]))
    await settle()
    await pipe.write([[4, 4]])
    flushing.cancel()
    await asyncio.wait([flushing])
    assert pipe.statistics().rows_cached == 3
    pipe.consume(len(await pipe.read()))
    await pipe.flush_cache()
    assert (await pipe.read())["timestamp"].tolist() == [2, 3, 4]


async def test_closing_ends_a_write_that_waits():
    pipe = LocalPipe("float64_1", write_limit=1)
    await pipe.write([[1, 1]])
    second = asyncio.create_task(pipe.write([[2, 2]]))
    await settle()
    await pipe.close()
    with pytest.raises(ClosedPipeError, match="closed pipe"):
        await woken(second)
    assert (await pipe.read())["timestamp"].tolist() == [1]


async def test_a_read_that_waits_sees_the_new_layout():
    pipe = LocalPipe("float64_1")
    pipe.enable_cache(2)
    async with waiting_read(pipe) as task:
        pipe.change_layout("int8_3")
        await pipe.write([[1, 1, 2, 3]])
        await pipe.flush_cache()
        assert (await woken(task))["data"].tolist() == [[1, 2, 3]]


async def test_cached_rows_keep_the_layout():
    pipe = LocalPipe("float64_1")
    pipe.enable_cache(10)
    await pipe.write([[1, 1]])
    with pytest.raises(PipeError, match="int8_3"):
        pipe.change_layout("int8_3")


@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_the_close_callback_runs_once(is_coroutine):
    called = []

    async def later():
        called.append(1)

    pipe = LocalPipe("float64_1", close_cb=later if is_coroutine else lambda: called.append(1))
    with pytest.raises(PipeError, match="await pipe.close"):
        pipe.close_nowait()
    pipe.close()  # ignored, as in early eras ...
    await pipe.close()  # ... and awaited by someone else
    await pipe.close()
    assert called == [1]


async def test_the_close_callback_runs_after_a_failure():
    called = []
    pipe = LocalPipe("float64_1", close_cb=lambda: called.append(1))
    pipe.fail()
    await pipe.close()
    assert called == [1]


async def test_the_close_callback_runs_when_a_subscriber_cannot_close():
    class Stuck(LocalPipe):
        def close(self):
            raise PipeError("rows in its cache cannot be written")

    called = []
    pipe, last = LocalPipe("float64_1", close_cb=lambda: called.append(1)), LocalPipe("float64_1")
    pipe.subscribe(Stuck("float64_1"))
    pipe.subscribe(last)
    with pytest.raises(PipeError, match="cannot be written"):
        pipe.close()
    assert last.closed
    with pytest.raises(PipeError, match="cannot be written"):
        await pipe.close()
    assert called == [1]


async def test_closing_without_waiting_is_refused_with_subscribers():
    pipe = LocalPipe("float64_1")
    pipe.subscribe(LocalPipe("float64_1"))
    with pytest.raises(PipeError, match="subscribers"):
        pipe.close_nowait()
    assert not pipe.closed


def test_the_page_seeds_filters_with_timestamps_from_zero():
    pipe = LocalNumpyPipe("input", layout="float32_1")
    pipe.write_nowait(np.hstack((np.arange(10)[:, None], np.arange(10)[:, None])))
    assert pipe.read_nowait()["data"].tolist() == list(range(10))


def test_read_nowait_comes_to_the_end_too():
    pipe = LocalPipe("float64_1")
    pipe.write_nowait([[1, 1]])
    pipe.close_nowait()
    assert len(pipe.read_nowait()) == 1
    pipe.consume_all()
    with pytest.raises(EmptyPipeError):
        pipe.read_nowait()


async def test_unconsumed_rows_do_not_keep_memory_of_consumed_ones():
    pipe = LocalPipe("float64_1")
    for first in range(0, 3000, 300):
        await pipe.write(make_rows("float64_1", first, 300))
    await pipe.read()
    pipe.consume(2999)
    assert pipe._local._buffer.blocks == 1
    await assert_waits(pipe)


def test_a_pipe_that_goes_on_skips_what_was_consumed_before():
    pipe = LocalPipe("int64_1", write_limit=1)
    pipe.go_on(InnerPosition(rows=3, breaks=1))

    async def go_on() -> list[int]:
        for times in ([1, 2], [3], [4, 5]):  # does not wait for a reader where there is nothing to read
            await pipe.write([[time, 0] for time in times])
            if times == [1, 2]:
                await pipe.close_interval()
        return (await pipe.read())["timestamp"].tolist()

    assert asyncio.run(go_on()) == [4, 5]
    assert not pipe.end_of_interval


@pytest.mark.parametrize("is_open", [True, False])
def test_a_break_is_one_where_the_interval_had_rows_before_the_restart(is_open):
    pipe = LocalPipe("int64_1")
    pipe.go_on(InnerPosition(is_open=is_open))
    pipe.close_interval_nowait()
    assert len(pipe.read_nowait()) == 0
    assert pipe.end_of_interval == is_open
