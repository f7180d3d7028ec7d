"""The power fails at any moment of a node's work: a thousand disks that this may leave, and what is true of each.

Each opens; its durable rows are all there bit for bit, its stored ones in order; no row index is used twice; and the
filters, started again, make exactly what one run over all rows of the source makes. Seeds are fixed: what fails once
fails again. JOULE_CRASH_SEEDS=500 in the environment makes it a long run, of over 70,000 power cuts.
"""

from __future__ import annotations

import os
import random

import pytest

from .crash_world import Truth, WatchedFiles, World, after_power_cut

RUNS = int(os.environ.get("JOULE_CRASH_SEEDS", "8"))
CLONES = 40  # of a run
pytestmark = pytest.mark.timeout(60)


def work(world: World, seed: int) -> list:
    """Let a node work; return disks that power cuts would leave at moments within it, and the truth of the moment."""
    when = random.Random(seed)
    clones: list = []

    def watch() -> None:
        if when.random() < 0.05:
            world.note_used()
            clones.append((world.files.crashed(when.getrandbits(32)), world.truth.copy()))

    world.files.watch = watch
    while len(clones) < CLONES:
        world.anything()
    world.files.watch = None
    return clones


@pytest.mark.parametrize("seed", range(RUNS))
def test_whatever_a_power_cut_leaves_the_node_goes_on_exactly(tmp_path, seed):
    chance = random.Random(seed)
    world = World(tmp_path, WatchedFiles(), Truth(), chance)
    world.start()
    clones = work(world, seed)
    world.close()
    cuts = 0
    for number, (files, truth) in enumerate(clones):
        try:
            for _ in range(chance.choice([1, 1, 2, 3])):  # a few power cuts, one after the other
                world = after_power_cut(tmp_path, files, truth, chance)
                for _ in range(chance.randint(0, 15)):
                    world.anything()
                cuts += world.cuts
                files, truth = world.files.crashed(chance.getrandbits(32)), truth.copy()
                world.close()
            world = after_power_cut(tmp_path, files, truth, chance)
            world.check_filters()
            world.close()
        except BaseException as problem:
            world.close()
            problem.add_note(f"clone {number} of seed {seed}")
            raise
    assert cuts > CLONES  # else there was nothing to recover from
