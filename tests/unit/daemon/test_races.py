"""Starts, stops, restarts, crashes and impatient askers race with each other, thousands of times (F8).

The processes are made up, so that a life costs a millisecond: what is tested is that no order of events leaves a module
stuck, or with two processes.
"""

import asyncio
import contextlib
import itertools
import random

import pytest

from joule.daemon import _backoff, _keeper, _supervisor
from joule.daemon._states import ModuleState
from joule.daemon._supervisor import Supervisor

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

            def __init__(self, *facts):
                pass

            async def __aenter__(self):
                return self

            async def __aexit__(self, *exc):
                await asyncio.sleep(0)

            def say(self, text):
                pass

        async def end_processes(targets, *, hurry, grace_s=5.0):
            await asyncio.sleep(world.chance.random() * 0.001)
            for child in list(world.living.values()):
                if child.mark in targets.marks or child.pid in targets.groups:
                    child.die()
            await asyncio.sleep(world.chance.random() * 0.001)
            return 0

        self.child, self.output, self.end_processes = FakeChild, FakeOutput, end_processes


@pytest.fixture
def world(monkeypatch):
    world = World(random.Random(8))
    monkeypatch.setattr(_keeper, "Child", world.child)
    monkeypatch.setattr(_keeper, "ModuleOutput", world.output)
    for module in (_keeper, _supervisor):
        monkeypatch.setattr(module, "end_processes", world.end_processes)
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
