"""What becomes of a module's pipes when its `run()` returns, fails or is cancelled."""

import argparse
import asyncio
import logging
import os
import signal

import numpy as np
import pytest

import joule.client
from joule import CompositeModule, FilterModule, LocalNumpyPipe, ReaderModule
from joule.errors import EmptyPipeError, OutOfOrderError

IN, OUT = ("raw",), ("output",)


class Count(ReaderModule):
    """Writes rows from `first` on."""

    async def run(self, parsed_args, output):
        await output.write([[row, row / 2] for row in range(parsed_args.first, parsed_args.first + 3)])


class Double(FilterModule):
    """Consumes one read, and then does what its arguments say."""

    async def run(self, parsed_args, inputs, outputs):
        (source,), (target,) = inputs.values(), outputs.values()
        rows = await source.read()
        rows["data"] *= 2
        await target.write(rows)
        source.consume(len(rows))
        if parsed_args.then == "fail":
            raise ValueError("after consuming")
        if parsed_args.then == "wait":
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        if parsed_args.then == "end":
            raise EmptyPipeError("raw")


def test_a_reader_stores_its_rows_and_begins_a_new_interval_when_it_starts_again(node):
    for first in (0, 10):
        Count().start(node.args(outputs=OUT, first=first))
    assert node.rows("output") == [[(0, 0.0), (1, 0.5), (2, 1.0)], [(10, 5.0), (11, 5.5), (12, 6.0)]]


def test_rows_older_than_what_is_stored_are_refused_by_name(node):
    class Backwards(ReaderModule):
        async def run(self, parsed_args, output):
            await output.write([[100, 1.0]])
            await output.write([[50, 2.0]])

    with pytest.raises(OutOfOrderError, match=r"/test/output.*50 came after 100"):
        Backwards().start(node.args(outputs=OUT))
    assert node.rows("output") == [[(100, 1.0)]]


@pytest.mark.parametrize(("then", "committed"), [("return", 3), ("end", 3), ("fail", 0), ("wait", 0)])
def test_what_was_consumed_counts_only_when_run_has_returned(node, then, committed):
    args = node.args(inputs=IN, outputs=OUT, then=then)
    Count().start(node.args(outputs=IN, first=0))
    module = Double()
    module.STOP_TIMEOUT = 0
    if then == "fail":
        with pytest.raises(ValueError, match="after consuming"):
            module.start(args)
    else:
        module.start(args)
    assert node.position("raw", IN, OUT) == committed
    assert node.rows("output") == [[(0, 0.0), (1, 1.0), (2, 2.0)]]


def test_a_cache_is_stored_when_the_module_is_cancelled(node):
    class Cached(ReaderModule):
        STOP_TIMEOUT = 0

        async def run(self, parsed_args, output):
            output.enable_cache(100)
            await output.write([[1, 2.0]])
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()

    Cached().start(node.args(outputs=OUT))
    assert node.rows("output") == [[(1, 2.0)]]


@pytest.mark.parametrize("kind", [FilterModule, joule.client.FilterModule])
def test_the_class_decides_the_shape_of_one_element_rows(node, kind):
    class Shape(kind):
        async def run(self, parsed_args, inputs, outputs):
            self.shape = (await inputs["raw"].read())["data"].shape

    args = node.args(inputs=IN)
    Count().start(node.args(outputs=IN, first=0))
    module = Shape()
    module.start(args)
    assert module.shape == ((3, 1) if kind.column_data else (3,))


@pytest.mark.parametrize("outputs", [(), ("one", "two")])
def test_a_reader_has_exactly_one_output(node, outputs, caplog):
    Count().start(node.args(outputs=outputs, first=0))
    assert "exactly one pipe" in caplog.text


def test_a_reader_says_that_it_does_not_use_inputs(node, caplog):
    Count().start(node.args(inputs=IN, outputs=OUT, first=0))
    assert "does not use its inputs: raw" in caplog.text
    assert len(node.rows("output")[0]) == 3


def test_a_stream_that_another_module_writes_is_named(node, caplog):
    class Twice(ReaderModule):
        async def run(self, parsed_args, output):
            await asyncio.to_thread(Count().start, parsed_args)

    with caplog.at_level(logging.ERROR):
        Twice().start(node.args(outputs=OUT, first=0))
    assert "Count cannot open its pipes" in caplog.text


def test_pipes_that_nobody_understands_are_an_error_and_no_traceback(caplog):
    Count().start(argparse.Namespace(pipes='{"nothing": "known"}'))
    assert "managed by jouled" in caplog.text
    assert caplog.records[-1].exc_info is None


def test_setup_comes_before_run_with_the_same_pipes(node):
    class WithSetup(FilterModule):
        async def setup(self, parsed_args, app, inputs, outputs):
            self.before = (app, inputs, outputs)

        async def run(self, parsed_args, inputs, outputs):
            assert self.before == (None, inputs, outputs)
            await outputs["output"].write([[1, 1]])

    WithSetup().start(node.args(outputs=OUT))
    assert node.rows("output") == [[(1, 1.0)]]


class Pair(CompositeModule):
    """A reader and a filter, and what its arguments add."""

    async def setup(self, parsed_args, inputs, outputs):
        inner = LocalNumpyPipe("inner", layout="float32_1")
        doubling = Double().run(argparse.Namespace(then="return"), {"raw": inner}, outputs)
        return [Count().run(parsed_args, inner), asyncio.ensure_future(doubling)]


def test_a_composite_runs_its_children_until_all_have_returned(node):
    Pair().start(node.args(outputs=OUT, first=0))
    assert node.rows("output") == [[(0, 0.0), (1, 1.0), (2, 2.0)]]


def test_a_child_that_fails_ends_the_others_and_its_error_is_the_composites(node):
    ended = []

    class Failing(CompositeModule):
        async def setup(self, parsed_args, inputs, outputs):
            return [self.fails(), self.waits()]

        async def fails(self):
            await asyncio.sleep(0)
            raise ValueError("child")

        async def waits(self):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

    with pytest.raises(ValueError, match="child"):
        Failing().start(node.args(outputs=OUT))
    assert ended == ["cancelled"]


def test_when_several_children_fail_none_is_lost(node):
    class Failing(CompositeModule):
        async def setup(self, parsed_args, inputs, outputs):
            return [self.fails("one"), self.fails("two")]

        async def fails(self, text):
            raise ValueError(text)

    with pytest.raises(ExceptionGroup) as errors:
        Failing().start(node.args(outputs=OUT))
    assert [str(error) for error in errors.value.exceptions] == ["one", "two"]


def test_a_child_whose_input_ended_leaves_the_others_running(node):
    class Ending(CompositeModule):
        async def setup(self, parsed_args, inputs, outputs):
            inner = LocalNumpyPipe("inner", layout="float32_1")
            inner.close_nowait()
            return [inner.read(), self.later(outputs["output"])]

        async def later(self, output):
            await asyncio.sleep(0.01)
            await output.write([[1, 1]])

    Ending().start(node.args(outputs=OUT))
    assert node.rows("output") == [[(1, 1.0)]]


@pytest.mark.parametrize("children", [None, [1], "ab"])
def test_a_setup_that_returns_no_coroutines_is_told_so(node, caplog, children):
    class Wrong(CompositeModule):
        async def setup(self, parsed_args, inputs, outputs):
            return [asyncio.sleep(0), *children] if isinstance(children, list) else children

    Wrong().start(node.args(outputs=OUT))
    assert "Wrong.setup() must return a list of coroutines" in caplog.text


def test_a_second_kind_of_module_is_what_run_as_task_says(node):
    class Own(joule.BaseModule):
        async def run_as_task(self, parsed_args, app):
            return asyncio.create_task(self.work(parsed_args))

        async def work(self, parsed_args):
            self.seen = parsed_args.first

    module = Own()
    module.start(argparse.Namespace(first=1))
    assert module.seen == 1


def test_the_numbers_survive_the_log(node):
    values = np.random.default_rng(0).random(1000, np.float32)

    class Many(ReaderModule):
        async def run(self, parsed_args, output):
            await output.write(np.column_stack((np.arange(1000), values)))

    Many().start(node.args(outputs=OUT))
    np.testing.assert_array_equal([value for _, value in node.rows("output")[0]], values)
