"""Every import line that module files of some era have, and what the names mean here."""

import argparse
import subprocess
import sys

import numpy as np
import pytest

import joule
import joule.client
from joule import errors

IMPORTS = [
    # 2017
    "from joule.client import ReaderModule, FilterModule",
    "from joule.utils.time import now as time_now",
    "from joule.utils.localnumpypipe import LocalNumpyPipe",
    # the seed page's
    "from joule import ReaderModule, FilterModule, CompositeModule, FIRFilterModule, time_now, yesno",
    "from joule import LocalNumpyPipe, NumpyPipe, NumpyPipeError, EmptyPipe",
    "from joule.utils.numpypipe import StreamNumpyPipeReader, StreamNumpyPipeWriter, reader_factory, writer_factory",
    "from joule.utils.numpypipe import LocalNumpyPipe, NumpyPipe, NumpyPipeError, EmptyPipe",
    "import joule.client; joule.client.FilterModule",
    # 2018 to 2024
    "from joule.client import BaseModule, ReaderModule, FilterModule, CompositeModule, FIRFilterModule",
    "from joule.client.base_module import BaseModule",
    "from joule.client.reader_module import ReaderModule",
    "from joule.client.filter_module import FilterModule",
    "from joule.client.composite_module import CompositeModule",
    "from joule.client.fir_filter_module import FIRFilterModule",
    "from joule.models.pipes import EmptyPipe, LocalPipe",
    "from joule.utilities import time_now, yesno",
    # today
    "from joule.client.base_module import state_key, task_key",
    "from joule.models import Annotation, DataStream, Element, EventStream, Folder, Module, Proxy, StreamInfo",
    "from joule.models import DataError, InsufficientDecimationError, Pipe, LocalPipe, InputPipe, OutputPipe",
    "from joule.models.pipes import Pipe, InputPipe, OutputPipe, LocalPipe, reader_factory, writer_factory",
    "from joule.models.pipes import interval_token, find_interval_token, compute_dtype",
    "from joule.models.pipes.pipe import Pipe, compute_dtype, interval_token, find_interval_token",
    "from joule.models.pipes.local_pipe import LocalPipe",
    "from joule.models.pipes.input_pipe import InputPipe",
    "from joule.models.pipes.output_pipe import OutputPipe",
    "from joule.models.pipes.errors import PipeError, EmptyPipe",
    "from joule.models.data_stream import DataStream",
    "from joule.models.element import Element",
    "from joule.models.folder import Folder",
    "from joule.api import get_node, get_nodes, save_node, delete_node, set_default_node, create_tcp_node",
    "from joule.api import BaseNode, TcpNode, UnixNode, NodeConfig, Folder, Event, EventStream, EventStreamInfo",
    "from joule.api import DataStream, DataStreamInfo, Element, Module, ModuleStatistics, Annotation, Proxy",
    "from joule.utilities import timestamp_to_human, seconds_to_timestamp, timestamp_to_seconds, human_to_timestamp",
    "from joule.utilities import timestamp_to_datetime, datetime_to_timestamp, parse_time_interval",
    "from joule.utilities import interval_difference",
    "from joule.utilities.interval_tools import interval_difference, interval_intersection, imerge",
    "from joule.utilities.misc import yesno, parse_time_interval",
    "from joule.errors import ConfigurationError, SubscriptionError, ConnectionError, DataError, DecimationError",
    "from joule.errors import ApiError, InvalidDataStreamParameter, InvalidEventStreamParameter, StreamNotFound",
    "from joule.errors import PipeError, EmptyPipeError",
    "import joule; joule.api.get_node; joule.models.pipes; joule.utilities.time_now; joule.errors.PipeError",
]


@pytest.mark.parametrize("line", IMPORTS)
def test_an_import_line_of_any_era_works(line):
    exec(line, {})


def test_newer_names_that_are_not_needed_load_no_web_server():
    lines = "; ".join(line for line in IMPORTS if "state_key" not in line)
    code = f"{lines}; import joule.client.base_module, sys; print({{'aiohttp', 'sqlite3'}} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=15)
    assert ended.stdout == "set()\n"


def test_the_keys_of_web_modules_are_always_the_same_objects():
    from joule.client import base_module

    assert base_module.state_key is base_module.state_key
    assert base_module.state_key is not base_module.task_key


def test_errors_of_every_era_are_caught_by_either_name():
    assert errors.ApiError is errors.NodeError
    assert errors.ConnectionError is errors.NodeUnreachableError
    assert errors.StreamNotFound is errors.NotFoundError
    assert errors.DataError is errors.LogError
    for name in ("SubscriptionError", "InvalidDataStreamParameter", "InvalidEventStreamParameter", "StreamNotFound"):
        assert issubclass(getattr(errors, name), errors.ApiError)
    assert issubclass(errors.DecimationError, errors.DataError)


def test_every_code_of_the_error_tree_names_one_class_and_survives_the_wire():
    known = {}
    waiting = [errors.JouleError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__ == "joule.errors":
            assert known.setdefault(kind.code, kind) is kind
            told = errors.from_wire({"error": {"code": kind.code, "message": "what", "detail": {}}})
            assert (type(told), told.message) == (kind, "what")
            assert f" {kind.code}" in errors.__doc__


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("from joule.models.pipes import LocalPipe; pipe = LocalPipe('float32_1', name='x')", (1, 1)),
        ("from joule.models.pipes import LocalPipe; pipe = LocalPipe('x', layout='float32_1')", (1, 1)),
        ("from joule.models import LocalPipe; pipe = LocalPipe(layout='float32_1', name='x')", (1, 1)),
        ("from joule import LocalNumpyPipe; pipe = LocalNumpyPipe('x', layout='float32_1')", (1,)),
        ("from joule.utils.localnumpypipe import LocalNumpyPipe; pipe = LocalNumpyPipe('x', 'float32_1')", (1,)),
        ("from joule.utils.numpypipe import LocalNumpyPipe; pipe = LocalNumpyPipe('x', 'float32_1', 100, True)", (1,)),
    ],
)
def test_the_name_of_a_pipe_decides_the_shape_of_one_element_rows(line, shape):
    names = {}
    exec(line, names)
    pipe = names["pipe"]
    pipe.write_nowait(np.array([[1.0, 2.0]]))
    assert pipe.name == "x"
    assert pipe.read_nowait()["data"].shape == shape


def test_the_stream_pipes_of_the_page_read_the_pages_shape():
    from joule.utils.numpypipe import StreamNumpyPipeReader, StreamNumpyPipeWriter

    assert StreamNumpyPipeReader("float32_1").dtype["data"].shape == ()
    assert StreamNumpyPipeWriter("float32_1", name="out").dtype["data"].shape == ()


@pytest.mark.parametrize("package", [joule, joule.client])
@pytest.mark.parametrize("kind", ["ReaderModule", "FilterModule", "CompositeModule", "FIRFilterModule"])
def test_a_name_for_the_constructor_means_the_first_era_and_its_shape(package, kind):
    base = getattr(package, kind)

    class Demo(base):
        def __init__(self):
            super().__init__("Demo Module")

    assert (Demo().name, Demo().column_data) == ("Demo Module", False)
    assert base().column_data is (package is joule.client)


def test_a_method_or_attribute_that_an_author_called_as_a_later_era_calls_its_hooks_stays_the_authors(caplog):
    class Early(joule.ReaderModule):
        def __init__(self):
            self.routes = ["north", "south"]
            self.node = "sensor node 5"
            self.setup("/dev/ttyUSB0")

        def setup(self, port):
            self.port = port

        async def run(self, parsed_args, output):
            self.seen = (self.port, self.routes, self.node)

    module = Early()
    module.start(argparse.Namespace(pipes="unset"))
    assert module.seen == ("/dev/ttyUSB0", ["north", "south"], "sensor node 5")
    assert "Early.setup is not called before run()" in caplog.text


def test_a_hook_that_is_no_coroutine_is_still_told(caplog):
    class Forgetful(joule.FilterModule):
        def setup(self, parsed_args, app, inputs, outputs):
            pass

        async def run(self, parsed_args, inputs, outputs):
            raise AssertionError("not reached")

    Forgetful().start(argparse.Namespace(pipes='{"inputs": {}, "outputs": {}}'))
    assert "Forgetful.setup is not a coroutine" in caplog.text
