"""Web pages of modules: alone in a terminal, under a supervisor, under `jouled`, and in somebody else's server."""

import argparse
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from joule.client import CompositeModule, FilterModule, ReaderModule
from joule.client._interface import open_interface
from joule.client._options import WebOptions
from joule.client._web_keys import interface_key
from joule.client.base_module import state_key, task_key
from joule.errors import ModuleError

from .web import get, port_of

pytestmark = pytest.mark.timeout(60)

COUNTER = """
import asyncio
from aiohttp import web
from joule.client import ReaderModule
from joule.client.base_module import state_key
from joule.utilities import time_now

class Counter(ReaderModule):
    "Shows how many rows it has written"

    async def setup(self, parsed_args, app, output):
        app[state_key]["title"] = "rows"
        app.add_routes([web.get("/late", self.index)])  # as template engines do

    async def run(self, parsed_args, output):
        self.count = 0
        while not self.stop_requested:
            await output.write([[time_now(), self.count]])
            self.count += 1
            await asyncio.sleep(0.02)

    def routes(self):
        return [web.get("/", self.index), web.get("/slow", self.slow)]

    async def index(self, request):
        return web.Response(text=request.app[state_key]["title"])

    async def slow(self, request):
        await asyncio.sleep(60)

if __name__ == "__main__":
    r = Counter()
    r.start()
"""
SECONDS = 20


def wait_for(condition, program):
    deadline = time.monotonic() + SECONDS
    while (found := condition()) is None:
        assert time.monotonic() < deadline, program.stderr
        assert program.popen.poll() is None, program.stderr
        time.sleep(0.02)
    return found


@pytest.fixture
def counter(programs):
    return programs.file(COUNTER, "counter.py", header="")


def test_alone_in_a_terminal_pages_are_on_a_port_of_this_machine_and_rows_on_stdout(programs, counter):
    first, second = programs.start(counter), programs.start(counter)
    ports = [wait_for(lambda program=program: port_of(program.stderr), program) for program in (first, second)]
    assert len(set(ports)) == 2  # the first that is free
    assert all(8000 <= port < 9000 for port in ports)
    assert get(ports[0]) == get(ports[0], "/late") == (200, "rows")
    assert get(ports[1], "/nothing")[0] == 404
    assert first.read_line().endswith(" 0")
    first.signal(signal.SIGINT)
    assert first.end().returncode == 0
    assert "Warning" not in first.stderr


def test_a_request_that_never_ends_does_not_keep_a_module_from_ending(programs, counter):
    program = programs.start(counter)
    port = wait_for(lambda: port_of(program.stderr), program)
    with socket.create_connection(("127.0.0.1", port)) as hanging:
        hanging.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert get(port)[0] == 200  # the other request has been taken
        began = time.monotonic()
        program.signal(signal.SIGTERM)
        assert program.end().returncode == 0
    assert time.monotonic() - began < 15  # aiohttp itself would wait for a minute


def test_a_socket_is_for_owner_and_group_replaces_a_dead_one_and_goes_with_the_module(programs, counter):
    path = programs.directory / "module.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    program = programs.start(counter, "--socket", str(path))
    wait_for(lambda: f"starting web server at {path}" in program.stderr or None, program)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert get(path) == (200, "rows")
    second = programs.run(counter, "--socket", str(path))
    assert second.returncode == 1
    assert "another process has it" in second.stderr
    assert get(path) == (200, "rows")
    program.signal(signal.SIGINT)
    assert program.end().returncode == 0
    assert not path.exists()


def taken_port():
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


@pytest.mark.parametrize("case", ["port", "file", "directory", "long", "host"])
def test_an_address_that_cannot_be_had_is_told_in_a_sentence_before_anything_happens(programs, counter, case):
    listener, port = taken_port()
    (programs.directory / "file").write_text("precious")
    option, what = {
        "port": (f"--port={port}", f"port {port} of 127.0.0.1: another process has it"),
        "file": (f"--socket={programs.directory / 'file'}", "a file of that name that is no socket"),
        "directory": ("--socket=/nowhere/module.sock", "No such file or directory"),
        "long": (f"--socket={'/x' * 60}", "path too long"),
        "host": ("--host=no.such.host.invalid", "of no.such.host.invalid: "),
    }[case]
    ended = programs.run(counter, option)
    listener.close()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Counter cannot serve its web pages on" in ended.stderr
    assert what in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (programs.directory / "file").read_text() == "precious"


def test_the_port_of_the_authors_own_is_not_the_web_servers(programs):
    source = COUNTER.replace(
        "    async def setup",
        "    def custom_args(self, parser):\n        parser.add_argument('--port')\n\n    async def setup",
    )
    program = programs.start(programs.file(source, header=""), "--port", "/dev/ttyUSB0")
    assert get(wait_for(lambda: port_of(program.stderr), program)) == (200, "rows")


def test_without_routes_there_is_no_server_and_no_app(programs):
    ended = programs.run("""
        class Plain(ReaderModule):
            async def setup(self, parsed_args, app, output):
                print(app, "aiohttp" in sys.modules)
            async def run(self, parsed_args, output):
                pass
        Plain().start()
    """)
    assert ended.stdout == "None False\n"
    assert "web server" not in ended.stderr


class Wrong(ReaderModule):
    async def run(self, parsed_args, output):
        pass

    def routes(self):
        return ["/index"]


def test_routes_that_are_none_are_refused_by_name(caplog):
    Wrong().start(argparse.Namespace())
    assert "Wrong.routes() must return a list of aiohttp routes" in caplog.text
    with pytest.raises(ModuleError, match="must return a list"):
        Wrong().create_dev_app()


# Under jouled


def test_a_port_in_the_arguments_of_a_modules_file_is_taken_without_is_app():
    listener, port = taken_port()
    listener.close()
    pipes = '{"inputs": {}, "outputs": {}}'
    with open_interface(Page(), argparse.Namespace(pipes=pipes), WebOptions()) as app:
        assert interface_key not in app
    with open_interface(Page(), argparse.Namespace(pipes=pipes), WebOptions(port=port)) as app:
        assert interface_key in app
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_jouled_gives_an_app_a_socket_and_a_killed_one_gets_it_back(kit):
    kit.add("counter", COUNTER, outputs="output = /test/count:float32[x]")
    file = kit.directory / "module_configs" / "counter.conf"
    file.write_text(file.read_text().replace("[Inputs]", "is_app = yes\n[Inputs]"))
    kit.start()
    path = kit.module("counter").socket
    kit.wait(lambda: f"starting web server at {path}" in kit.log("counter"), "the pages are served")
    assert get(path) == (200, "rows")
    shown = subprocess.run(
        [Path(sys.executable).with_name("joule"), "-n", kit.directory, "module", "info", "counter"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"unix socket {path}" in shown.stdout
    os.kill(kit.module("counter").pid, signal.SIGKILL)
    kit.wait(lambda: kit.log("counter").count("starting web server") == 2, "they are served again")
    assert get(path) == (200, "rows")


APP = """
    from aiohttp import web
    from joule.client import CompositeModule, FilterModule
    import asyncio

    class Part(FilterModule):
        async def run(self, parsed_args, inputs, outputs):
            await asyncio.Event().wait()

    class App(CompositeModule):
        STOP_TIMEOUT = 0

        async def setup(self, parsed_args, inputs, outputs):
            return [Part().run(parsed_args, inputs, outputs)]

        def routes(self):
            return [web.get("/", self.index)]

        async def index(self, request):
            return web.Response(text="composite")

    App().start()
"""
ASKED = """
    from aiohttp import web
    from joule.client import FilterModule
    import asyncio

    class Asked(FilterModule):
        STOP_TIMEOUT = 0

        async def setup(self, parsed_args, app, inputs, outputs):
            print("app is", type(app).__name__)

        async def run(self, parsed_args, inputs, outputs):
            await asyncio.Event().wait()

        def routes(self):
            return [web.static("/", ".")]

    Asked().start()
"""


def test_a_composite_has_pages_and_what_does_not_fit_its_file_says_so(kit):
    kit.add("app", APP)
    kit.add("asked", ASKED)
    kit.add("plain", APP.replace("def routes", "def no_routes"))
    for name, key in (("app", "has_interface"), ("plain", "is_app")):
        file = kit.directory / "module_configs" / f"{name}.conf"
        file.write_text(file.read_text().replace("[Inputs]", f"{key} = yes\n[Inputs]"))
    kit.start()
    kit.wait(lambda: "starting web server" in kit.log("app"), "the composite serves")
    assert get(kit.module("app").socket) == (200, "composite")
    kit.wait(lambda: "its routes() is empty" in kit.log("plain"), "an app without routes is told")
    kit.wait(lambda: "app is Application" in kit.log("asked"), "a module with routes has its app all the same")
    assert "add is_app = yes" in kit.log("asked")
    assert kit.module("asked").socket is None


# In somebody else's server


class Page(FilterModule):
    """Shows what its run has found; an app without pipes."""

    fails = False
    was_stopped = False

    def custom_args(self, parser):
        parser.add_argument("--title", default="untitled")

    async def setup(self, parsed_args, app, inputs, outputs):
        if self.fails:
            raise ValueError("no template")
        app[state_key]["title"] = parsed_args.title
        app.add_routes([web.get("/late", self.index)])

    async def run(self, parsed_args, inputs, outputs):
        import asyncio

        try:
            while not self.stop_requested:
                await asyncio.sleep(0.01)
        finally:
            self.was_stopped = self.stop_requested

    def routes(self):
        return [web.get("/", self.index)]

    async def index(self, request):
        assert self.parsed_args.title == request.app[state_key]["title"]
        return web.Response(text=request.app[state_key]["title"])


@pytest.fixture
def module_file(tmp_path, monkeypatch):
    path = tmp_path / "page.conf"
    monkeypatch.setenv("JOULE_MODULE_CONFIG", str(path))
    path.write_text("[Main]\nname = page\nexec_cmd = /nowhere/page.py\n[Arguments]\ntitle = a page\n[Inputs]\n")
    return path


@pytest.mark.parametrize("loop", [(), (None,)])
async def test_a_dev_app_runs_the_module_on_start_up_and_stops_it_on_clean_up(module_file, loop):
    module = Page()
    app = module.create_dev_app(*loop)
    async with TestClient(TestServer(app)) as client:
        assert await (await client.get("/")).text() == await (await client.get("/late")).text() == "a page"
        assert not app[task_key].done()
    assert app[task_key].done()
    assert module.was_stopped


async def test_a_dev_app_needs_no_file_and_each_has_a_state_of_its_own(monkeypatch):
    monkeypatch.delenv("JOULE_MODULE_CONFIG", raising=False)
    first, second = Page().create_dev_app(), Page().create_dev_app()
    assert first[state_key] is not second[state_key]
    async with TestClient(TestServer(first)) as client:
        assert await (await client.get("/")).text() == "untitled"


async def test_a_dev_app_of_a_reader_prints_its_rows(monkeypatch, capsys):
    monkeypatch.delenv("JOULE_MODULE_CONFIG", raising=False)

    class One(ReaderModule):
        async def run(self, parsed_args, output):
            await output.write([[1, 2.0]])

        def routes(self):
            return [web.static("/", ".")]

    async with TestClient(TestServer(One().create_dev_app())) as client:
        await client.app[task_key]
    assert capsys.readouterr().out == "1 2.0\n"


async def test_what_setup_raises_keeps_the_server_from_starting(module_file):
    module = Page()
    module.fails = True
    server = TestServer(module.create_dev_app())
    with pytest.raises(ValueError, match="no template"):
        await server.start_server()
    await server.close()


def test_pipes_that_cannot_be_given_are_named(module_file):
    with module_file.open("a") as file:
        file.write("voltage = /house/voltage\n")
    with pytest.raises(ModuleError, match=r"page\.conf gives pipes \(voltage\)"):
        Page().create_dev_app()


async def test_a_task_of_ones_own_with_an_app_of_ones_own_is_not_served():
    class Own(CompositeModule):
        async def setup(self, parsed_args, inputs, outputs):
            return []

    task = await Own().run_as_task(argparse.Namespace(pipes='{"inputs": {}, "outputs": {}}'), web.Application())
    await task
