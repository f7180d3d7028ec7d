"""What the running node tells its API."""

import pytest

from joule.api import catalog_path
from joule.catalog import Catalog
from joule.config import init_node, load_node
from joule.daemon._clock import open_clock
from joule.daemon._log_removal import LogRemover
from joule.daemon._node import ManagedNode
from joule.daemon._node_view import RunningNode
from joule.daemon._preparation import Preparation
from joule.daemon._states import ModuleState, ModuleStatus
from joule.daemon._system_clock import find_system_clock
from joule.daemon._usage_history import UsageHistory
from joule.errors import NotFoundError

CONF = "[Main]\nname = reader\nexec_cmd = true\ndescription = reads\n[Outputs]\noutput = /a/b:float32[x]\n"


class FakeSupervisor:
    def __init__(self, **statuses):
        self.statuses = statuses

    def status(self, name):
        return self.statuses.get(name)

    def keeper(self, name):
        return None

    def keepers(self):
        return []

    def places(self):
        return {"reader": 3}


@pytest.fixture
def view(tmp_path):
    init_node(tmp_path / "node")
    (tmp_path / "node" / "module_configs" / "reader.conf").write_text(CONF)
    setup = load_node(tmp_path / "node")
    with Catalog.open(catalog_path(setup.config.data_directory)) as catalog:
        remover = LogRemover(catalog, setup.config.data_directory)

        def make(status, **outdated):
            preparation = Preparation(launches=(), problems={"bad": "its configuration has a fault: bad.conf:3: no"})
            node = ManagedNode(setup, preparation, catalog, FakeSupervisor(reader=status), tmp_path / "run")
            node.outdated.update(outdated)
            return RunningNode(node, catalog, tmp_path / "run", remover, clock, UsageHistory())

        with open_clock(tmp_path, find_system_clock()) as clock:
            yield make


async def test_a_module_that_backs_off_counts_down(view):
    status = ModuleStatus(state=ModuleState.BACKING_OFF, reason="it ended", next_start_s=0.0, restarts=2, exit_code=-9)
    info = view(status).module("reader")
    assert (info.state, info.reason) == ("backing off", "it ended; starts again in 0s")
    assert (info.restarts, info.exit_code, info.pid, info.uptime_s) == (2, -9, None, None)
    assert info.outputs == {"output": "/a/b"}


async def test_a_module_that_cannot_be_started_says_why(view):
    bad, reader = view(ModuleStatus()).modules()
    assert (bad.name, bad.state) == ("bad", "failed")
    assert "bad.conf:3" in bad.reason
    assert (reader.state, reader.description) == ("waiting", "reads")
    assert reader.reason.endswith("3 modules start before it")


async def test_a_module_that_is_not_there_names_a_near_one(view):
    with pytest.raises(NotFoundError, match="did you mean 'reader'"):
        view(ModuleStatus()).module("raeder")
    with pytest.raises(NotFoundError, match="joule module list"):
        view(ModuleStatus()).module_log("../../etc/passwd")


async def test_the_clock_is_told_with_the_version_and_by_itself(view):
    node = view(ModuleStatus())
    assert (node.version().clock, node.version().clock_note) == ("following", "")
    assert node.clock().state == node.clock_confirm().state == "following"


async def test_a_module_that_goes_on_as_it_was_says_why(view):
    status = ModuleStatus(state=ModuleState.RUNNING, reason="its process runs")
    info = view(status, reader="reader.conf:3: no").module("reader")
    assert info.outdated == "reader.conf:3: no"
    assert info.reason == "its process runs; what its file says now is not in effect: reader.conf:3: no"
