"""Starts, stops, restarts, crashes and impatient askers race with each other, thousands of times (F8).

The processes are made up, so that a life costs a millisecond: what is tested is that no order of events leaves a module
stuck, or with two processes.
"""

import asyncio
import contextlib
import itertools
import random

import pytest

from joule.api import catalog_path
from joule.catalog import Catalog
from joule.config import init_node, load_node
from joule.daemon import _backoff, _keeper, _supervisor
from joule.daemon._node import ManagedNode
from joule.daemon._preparation import prepare
from joule.daemon._states import ModuleState
from joule.daemon._supervisor import Supervisor
from joule.daemon._turns import StartTurns
from joule.errors import ConfigurationError, NotFoundError

PERSONS = 8
CHANGES_EACH = 300


class World:
    """Processes that exist in memory, and what would start and end real ones."""

    def __init__(self, chance):
        self.chance = chance
        self.living = {}
        self.pids = itertools.count(1_000_000)
        world = self

        class FakeChild:
            def __init__(self, command, *, stdout, environment, directory):
                if world.chance.random() < 0.02:
                    raise FileNotFoundError(2, "No such file", command[0])
                self.mark = environment["JOULE_MODULE_MARK"]
                assert self.mark not in world.living, "two processes of one module"
                self.pid, self.start_ticks = next(world.pids), 1
                self.ended = asyncio.Event()
                world.living[self.mark] = self
                if world.chance.random() < 0.3:  # it crashes, now or soon
                    asyncio.get_running_loop().call_later(world.chance.random() * 0.005, self.die)

            def die(self):
                self.ended.set()
                if world.living.get(self.mark) is self:
                    del world.living[self.mark]

            async def wait(self):
                await self.ended.wait()

            def reap(self):
                return -15

            def leave(self):
                pass

        class FakeOutput:
            descriptor = -1

            def __init__(self, *facts, **more_facts):
                pass

            async def __aenter__(self):
                return self

            async def __aexit__(self, *exc):
                await asyncio.sleep(0)

            def say(self, text):
                pass

        async def end_processes(targets, *, hurry, grace_s=5.0):
            while meant := [
                child for child in world.living.values() if child.mark in targets.marks or child.pid in targets.groups
            ]:  # like the real one: what comes after a look that finds nothing is not seen
                await asyncio.sleep(world.chance.random() * 0.001)
                for child in meant:
                    child.die()
            return 0

        async def wait_for_start(pid, lock):
            await asyncio.sleep(world.chance.random() * 0.002)

        self.child, self.output = FakeChild, FakeOutput
        self.end_processes, self.wait_for_start = end_processes, wait_for_start


@pytest.fixture
def world(monkeypatch):
    world = World(random.Random(8))
    monkeypatch.setattr(_keeper, "Child", world.child)
    monkeypatch.setattr(_keeper, "ModuleOutput", world.output)
    for module in (_keeper, _supervisor):
        monkeypatch.setattr(module, "end_processes", world.end_processes)
    monkeypatch.setattr(_keeper, "wait_for_start", world.wait_for_start)
    monkeypatch.setattr(_supervisor, "StartTurns", lambda: StartTurns(2))  # for four modules, so that some wait
    monkeypatch.setattr(_backoff, "restart_delay_s", lambda failures, chance: chance * 0.002)
    return world


async def test_no_order_of_events_leaves_a_module_stuck_or_twice(world, records, tasks, launch):
    modules = [launch(["true"], f"m{number}") for number in range(4)]
    chance = world.chance

    async def person(supervisor):
        for _ in range(CHANGES_EACH):
            name = chance.choice(supervisor.names())
            await asyncio.sleep(chance.random() * 0.001)
            verb = chance.choice(["start", "stop", "restart", "end", "impatient"])
            if verb == "start":
                await supervisor.start(name)
            elif verb == "stop":
                await supervisor.stop(name, "chance")
            elif verb == "restart":
                await supervisor.restart(name, "chance")
            elif verb == "end":
                await supervisor.keeper(name).end("chance")
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(supervisor.restart(name, "chance"), chance.random() * 0.002)

    async with Supervisor(modules, records, tasks, asyncio.Event()) as supervisor:
        await asyncio.gather(*(person(supervisor) for _ in range(PERSONS)))
        for module in modules:
            await supervisor.stop(module.name, "the end")
        assert world.living == {}
        chance.random = lambda: 1.0  # nothing crashes any more
        for module in modules:
            assert await supervisor.start(module.name)
            assert supervisor.status(module.name).state is ModuleState.RUNNING
    assert world.living == {}


CONF = "[Main]\nname = {name}\nexec_cmd = true\n[Arguments]\nn = {n}\n[Outputs]\noutput = /a/{name}:float32[x]\n"


async def test_reloads_race_with_everything_else(world, records, tasks, tmp_path):
    directory, chance = tmp_path / "node", world.chance
    init_node(directory)
    names = [f"m{number}" for number in range(4)]
    files = {name: directory / "module_configs" / f"{name}.conf" for name in names}

    def configure(name, n):
        files[name].write_text(CONF.format(name=name, n=n))

    async def change(node, name):
        verb = chance.choice(["start", "stop", "restart", "change", "remove", "break"])
        if verb == "change":
            configure(name, chance.randrange(3))
        elif verb == "remove":
            files[name].unlink(missing_ok=True)
        elif verb == "break":
            files[name].write_text("[Main]\n")
        else:
            await getattr(node, f"{verb}_module")(name)
            return
        await node.reload()

    async def person(node):
        for _ in range(60):
            await asyncio.sleep(chance.random() * 0.001)
            with contextlib.suppress(NotFoundError, ConfigurationError):
                await change(node, chance.choice(names))

    for name in names:
        configure(name, 0)
    setup = load_node(directory)
    with Catalog.open(catalog_path(setup.config.data_directory)) as catalog:
        preparation = prepare(setup, catalog, tmp_path)
        async with (
            Supervisor(preparation.launches, records, tasks, asyncio.Event()) as supervisor,
            ManagedNode(setup, preparation, catalog, supervisor, tmp_path) as node,
        ):
            await asyncio.gather(*(person(node) for _ in range(PERSONS)))
            chance.random = lambda: 1.0  # nothing crashes any more
            for name in names:
                configure(name, 9)
            assert (await node.reload()).faults == ()
            for name in names:
                await node.start_module(name)
                assert node.status(name).state is ModuleState.RUNNING
                assert "--n=9" in supervisor.keeper(name).launch.command
            assert node.names() == names
            assert len(world.living) == len(names)
    assert world.living == {}
