"""What people ask of a node's modules, and what becomes of it when they go away."""

import asyncio
import logging

import pytest

from joule.api import catalog_path
from joule.catalog import Catalog
from joule.config import init_node, load_node
from joule.daemon._node import ManagedNode
from joule.daemon._preparation import prepare
from joule.daemon._supervisor import Supervisor
from joule.errors import ConfigurationError, ModuleError, NodeError
from joule.log import cursor_path

CONF = "[Main]\nname = {name}\nexec_cmd = sh -c 'exec sleep 60'\n[Outputs]\noutput = /a/{name}:{datatype}[x]\n"


@pytest.fixture
async def node(tmp_path, records, tasks):
    """A node that runs one module, `reader`."""
    init_node(tmp_path / "node")
    configure(tmp_path, "reader")
    setup = load_node(tmp_path / "node")
    with Catalog.open(catalog_path(setup.config.data_directory)) as catalog:
        preparation = prepare(setup, catalog, tmp_path)
        async with (
            Supervisor(preparation.launches, records, tasks, asyncio.Event()) as supervisor,
            ManagedNode(setup, preparation, catalog, supervisor, tmp_path) as node,
        ):
            yield node


def configure(tmp_path, name, datatype="float32"):
    file = tmp_path / "node" / "module_configs" / f"{name}.conf"
    file.write_text(CONF.format(name=name, datatype=datatype))


async def test_a_change_that_fails_behind_the_back_of_whoever_asked_is_logged(node, monkeypatch, caplog, until):
    asked = asyncio.Event()

    async def refuse(name, reason):
        asked.set()
        await asyncio.sleep(0)
        raise ModuleError("its process cannot be ended", module=name)

    monkeypatch.setattr(node.supervisor, "stop", refuse)
    asking = asyncio.ensure_future(node.stop_module("reader"))
    await asked.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await until(lambda: "did not wait for has failed: its process cannot be ended" in caplog.text)
    assert [record.levelno for record in caplog.records if "did not wait" in record.message] == [logging.ERROR]


async def test_a_stream_that_would_have_other_rows_leaves_its_module_as_it_is(node, tmp_path, until):
    await until(lambda: node.status("reader").pid is not None)
    pid = node.status("reader").pid
    configure(tmp_path, "reader", "int64")
    report = await node.reload()
    assert report.outdated == ("reader",)
    assert "float32_1" in report.faults[0] and "int64_1" in report.faults[0]
    assert node.status("reader").pid == pid


async def test_a_new_module_without_a_cursor_is_a_problem_and_runs_when_that_is_corrected(node, tmp_path):
    configure(tmp_path, "other")
    blocked = cursor_path(tmp_path / "node" / "data", "other")
    blocked.mkdir()
    report = await node.reload()
    assert (report.started, len(report.faults)) == ((), 1)
    with pytest.raises(ConfigurationError, match="joule reload"):
        await node.start_module("other")
    blocked.rmdir()
    assert (await node.reload()).started == ("other",)


async def test_a_node_that_stops_reads_no_files(node, tmp_path):
    await node.supervisor.close()
    configure(tmp_path, "other")
    with pytest.raises(NodeError, match="is stopping"):
        await node.reload()
    assert node.names() == ["reader"]


async def test_a_reload_tells_which_of_the_modules_that_it_started_did_not_stay_up(node, tmp_path):
    configure(tmp_path, "other")
    file = tmp_path / "node" / "module_configs" / "other.conf"
    file.write_text(file.read_text().replace("exec sleep 60", "exit 3"))
    report = await node.reload()
    assert (report.started, report.faults) == (("other",), ())
    assert len(report.ended) == 1
    assert report.ended[0].startswith("other: its process ended") and "exit code 3" in report.ended[0]
