"""Contract 1A: the package's surface and the minimal reader."""

import http.server
import re
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule import LocalNumpyPipe, ReaderModule, time_now

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\d{16}( \S+)+$")

ISOLATED_IMPORT = """\
import sys
class OnlyNumpy:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"aiohttp", "pydantic", "click", "rich", "psutil", "dateparser", "sqlite3"}:
            raise ImportError(f"{name} is optional")
sys.meta_path.insert(0, OnlyNumpy())
def no_network(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen"):
        raise RuntimeError(event)
sys.addaudithook(no_network)
from joule import ReaderModule, time_now
print(ReaderModule.__name__, time_now())
"""


def test_r01_the_import_line_needs_nothing_but_numpy(programs):
    ended = programs.run(programs.file(ISOLATED_IMPORT, header=""))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("ReaderModule 1")
    assert list(programs.home.iterdir()) == []


def test_r02_a_docstring_and_run_are_a_complete_reader(programs, page_reader):
    program = programs.start(programs.file(page_reader, header=""))
    assert ROW.match(program.read_line())


def test_r03_a_reader_is_constructed_without_arguments():
    class ExampleReader(ReaderModule):
        "Example reader"

        async def run(self, parsed_args, output):
            pass

    assert isinstance(ExampleReader(), ReaderModule)
    assert isinstance(ExampleReader("Demo Reader"), ReaderModule)  # as the first era had it


def test_r04_the_file_is_the_program_for_the_interpreter_and_by_its_shebang(programs, page_reader):
    file = programs.file(page_reader, header=f"#!{sys.executable}\n")
    file.chmod(0o755)
    assert ROW.match(programs.start(file).read_line())
    direct = subprocess.Popen([f"./{file.name}"], stdout=subprocess.PIPE, env=programs.env, cwd=programs.directory)
    try:
        assert ROW.match(direct.stdout.readline().decode().rstrip("\n"))
    finally:
        direct.kill()
        direct.communicate()


async def test_r05_a_row_is_a_line_of_a_2d_array_with_its_timestamp_first():
    pipe = LocalNumpyPipe("output", layout="float64_2")
    await pipe.write(np.array([[time_now(), 0.25, -1.5]]))
    rows = await pipe.read()
    assert rows["data"].tolist() == [[0.25, -1.5]]
    assert abs(rows["timestamp"][0] - time.time() * 1e6) < 5e6


def test_r06_time_now_is_a_python_int_of_unix_microseconds():
    before = time.time()
    now = time_now()
    after = time.time()
    assert type(now) is int
    assert len(str(now)) == 16
    assert before * 1e6 - 5_000 < now < after * 1e6 + 5_000


@given(st.lists(st.integers(0, 2**53), min_size=1, max_size=20))
def test_r07_a_timestamp_survives_a_float64_column_exactly(stamps):
    pipe = LocalNumpyPipe("output", layout="float32_1")
    pipe.write_nowait(np.array([[stamp, 0.0] for stamp in stamps], np.float64))
    assert [int(stamp) for stamp in pipe.read_nowait()["timestamp"]] == stamps


@pytest.mark.parametrize(("layout", "value", "stored"), [("int32_1", 7.0, 7), ("float32_1", 0.1, np.float32(0.1))])
def test_r08_values_are_cast_to_the_streams_datatype(layout, value, stored):
    pipe = LocalNumpyPipe("output", layout=layout)
    pipe.write_nowait(np.array([[1.0, value]]))
    assert pipe.read_nowait()["data"][0] == stored
    assert pipe.read_nowait()["data"].dtype == layout.partition("_")[0]


ANY_SOURCE = """
    class AnySource(ReaderModule):
        def custom_args(self, parser):
            parser.add_argument("--port", type=int)
            parser.add_argument("--log")

        async def run(self, parsed_args, output):
            self.values = asyncio.Queue()
            polling = asyncio.create_task(self.poll_http(parsed_args.port))
            tailing = asyncio.create_task(self.tail(parsed_args.log))
            while not self.stop_requested:
                await output.write([[time_now(), await self.values.get()]])

        async def poll_http(self, port):
            while True:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /value HTTP/1.0\\r\\n\\r\\n")
                answer = await reader.read()
                writer.close()
                await writer.wait_closed()
                await self.values.put(float(answer.rpartition(b"\\r\\n\\r\\n")[2]))
                await asyncio.sleep(0.02)

        async def tail(self, path):
            with open(path) as log:
                while True:
                    line = await asyncio.to_thread(log.readline)
                    if line:
                        await self.values.put(float(line))
                    else:
                        await asyncio.sleep(0.02)

    AnySource().start()
"""


class Sensor(http.server.BaseHTTPRequestHandler):
    """An HTTP API with one value."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"101.5")

    def log_message(self, *args):
        pass


@pytest.fixture
def sensor_port():
    with http.server.HTTPServer(("127.0.0.1", 0), Sensor) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def test_r09_a_reader_polls_http_and_tails_a_file_in_the_same_loop(programs, sensor_port):
    log = programs.directory / "sensor.log"
    log.write_text("202.25\n")
    program = programs.start(ANY_SOURCE, f"--port={sensor_port}", f"--log={log}")
    values = set()
    while values != {101.5, 202.25, 203.25}:
        values.add(float(program.read_line().split()[1]))
        if values == {101.5, 202.25}:
            with log.open("a") as later:
                later.write("203.25\n")


def test_r10_the_sleep_sets_the_data_rate(programs, page_reader):
    program = programs.start(programs.file(page_reader.replace("sleep(0.05)", "sleep(1)"), header=""))
    stamps = [int(program.read_line().split()[0]) for _ in range(3)]
    for step in np.diff(stamps) / 1e6:
        assert 0.99 <= step < 2  # never early; how late is up to the machine's load


def test_r11_an_endless_loop_that_never_looks_at_a_flag_can_be_stopped(programs, page_reader):
    program = programs.start(programs.file(page_reader, header=""))
    program.read_line()
    program.signal(2)
    assert program.end().returncode == 0


def test_r11_even_one_that_never_waits(programs):
    program = programs.start(
        """
        class R(ReaderModule):
            STOP_TIMEOUT = 0

            async def run(self, parsed_args, output):
                count = 0
                while 1:
                    await output.write([[count, 1]])
                    count += 1

        R().start()
        """
    )
    program.read_line()
    program.signal(2)
    ended = program.end()
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)


def test_r12_a_reader_without_run_says_so_and_fails(programs):
    ended = programs.run("ReaderModule().start()")
    assert ended.returncode == 1
    assert "async def run(self, parsed_args, output)" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_r12_a_run_that_is_no_coroutine_is_named(programs):
    ended = programs.run("class R(ReaderModule):\n    def run(self, parsed_args, output):\n        pass\nR().start()")
    assert ended.returncode == 1
    assert "R.run is not a coroutine" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("kind", "method"), [("ReaderModule", "run"), ("FilterModule", "run"), ("CompositeModule", "setup")]
)
def test_r12_a_setup_that_is_no_coroutine_is_named(programs, kind, method):
    body = f"async def {method}(self, *_):\n        pass\n    def setup(self, *_):\n        pass"
    ended = programs.run(f"class M({kind}):\n    {body}\nM().start()")
    assert ended.returncode == 1
    assert "M.setup is not a coroutine: write `async def setup(" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_r13_the_docstring_of_a_module_changes_nothing(programs):
    module = "class R(ReaderModule):\n    {}async def run(self, parsed_args, output):\n        pass\nR().start()"
    plain = programs.run(module.format(""), "-h")
    documented = programs.run(module.format('"Reads 100 %s"\n    '), "-h")
    assert plain == documented
    assert plain.returncode == 0


@pytest.mark.parametrize("name", ["example_reader.py", "high_bandwidth_reader.py"])
def test_r14_the_templates_readers_run_as_they_are(programs, name):
    program = programs.start(ROOT / "examples" / name)
    assert ROW.match(program.read_line())
    program.signal(15)
    assert program.end().returncode == 0


@pytest.mark.parametrize("name", ["median_filter.py", "example_composite.py"])
def test_r14_the_templates_of_other_modules_load_and_explain_themselves(programs, name):
    ended = programs.run(ROOT / "examples" / name, "-h")
    assert ended.returncode == 0, ended.stderr
    assert "usage:" in ended.stdout


def test_r14_the_templates_configuration_has_no_fault():
    from joule.config import load_node

    setup = load_node(ROOT / "examples" / "main.conf")
    assert [str(fault) for fault in setup.faults] == []
    assert len(setup.modules) == 4


def test_r15_the_install_line_is_one_command_for_an_ordinary_user():
    lines = [
        line.strip()
        for page in (ROOT / "README.md", ROOT / "docs" / "reader_modules.md")
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
    ]
    installs = [line for line in lines if "pip install" in line]
    assert installs, "no page says how to install"
    with (ROOT / "pyproject.toml").open("rb") as project:
        name = tomllib.load(project)["project"]["name"]
    for line in installs:
        assert "sudo" not in line
        assert "://" not in line  # nothing to fetch from a host that may be gone
        assert re.search(rf"""pip install (-\S+ )*['"]?({name}|\.)(\[[\w,]+\])?['"]?( |$)""", line), line
