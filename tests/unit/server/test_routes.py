"""What a client gets from a node, over a real socket."""

import asyncio
import os
import socket
import stat
from pathlib import Path

import numpy as np
import pytest

from joule.api import LogLine, LogQuery
from joule.api._http_node import HttpNode
from joule.core import Layout, parse_time
from joule.errors import BadRequestError, LogError, ModuleError, NodeUnreachableError, NotFoundError
from joule.log import BREAK, LogWriter
from joule.server import create_app, serve_unix


async def collect(blocks):
    return [block async for block in blocks]


async def test_values_arrive_as_they_were(client, fake):
    assert await client.version() == fake.version()
    assert await client.modules() == fake.modules()
    assert await client.module("reader") == fake.module("reader")
    assert await client.streams() == await fake.streams()
    assert await client.stream("/a/b") == await client.stream(7) == await fake.stream(7)
    assert await client.folders() == await fake.folders()


async def test_the_client_raises_what_the_server_raised(client):
    with pytest.raises(NotFoundError, match="no module 'absent'") as caught:
        await client.module("absent")
    assert caught.value.detail == {"module": "absent"}
    with pytest.raises(BadRequestError):
        await client.module_logs("reader", lines=-1)
    with pytest.raises(LogError, match="no stream log"):
        await collect(client.read_data("/a/b"))


async def test_modules_are_started_and_stopped_by_post_alone(client, raw, fake):
    assert await client.module_start("reader") == await fake.start_module("reader")
    assert await client.reload() == await fake.reload()
    assert await client.module_restart("reader") == await fake.restart_module("reader")
    with pytest.raises(ModuleError, match="cannot be ended") as caught:
        await client.module_stop("reader")
    assert caught.value.detail == {"modules": ["reader"]}
    with pytest.raises(NotFoundError):
        await client.module_stop("absent")
    assert (await raw("/module/stop.json?name=reader", "POST"))[0] == 409
    assert (await raw("/module/stop.json?name=reader"))[0] == 405


async def test_stored_rows_come_with_their_breaks(client, fake, make_rows):
    writer = fake.open_writer()
    writer.store(make_rows(10, 5))
    writer.mark_break()
    writer.store(make_rows(20, 3))
    first, between, second = await collect(client.read_data("/a/b"))
    np.testing.assert_array_equal(first, make_rows(10, 5))
    assert between is BREAK
    np.testing.assert_array_equal(second, make_rows(20, 3))
    first["timestamp"] = 0  # a private, writable array
    (part,) = await collect(client.read_data(7, start_us=11, end_us=13))
    np.testing.assert_array_equal(part["timestamp"], [11, 12])
    assert await collect(client.read_data(7, start_us=100)) == []
    writer.close()


async def test_many_blocks_come_whole_and_in_order(client, fake, make_rows):
    writer = fake.open_writer()
    writer.store(make_rows(0, 300_000))
    blocks = await collect(client.read_data("/a/b"))
    assert len(blocks) > 3
    np.testing.assert_array_equal(np.concatenate(blocks), make_rows(0, 300_000))
    writer.close()


async def test_a_stream_that_is_deleted_while_it_is_read_is_said_to_be_so(client, fake, make_rows):
    writer = LogWriter(fake.log, Layout("float32", 2), stream="/a/b", holder="test", segment_bytes=2**20)
    for start in range(0, 1_600_000, 50_000):  # 25 MB: more than is on its way between server and client
        writer.store(make_rows(start, 50_000))
    writer.close()
    reading = client.read_data("/a/b")
    await anext(reading)
    fake.log.rename(fake.log.with_name("7.removed"))
    with pytest.raises(NotFoundError, match="deleted while it was read"):
        await collect(reading)


async def test_live_rows_begin_now(client, fake, make_rows):
    fake.open_writer().close()
    writer = fake.open_writer()
    writer.store(make_rows(0, 5))
    blocks = client.follow_data("/a/b")
    first = asyncio.ensure_future(anext(blocks))
    stored = 100
    while not first.done():  # rows stored before the subscription is in place are not its business
        writer.store(make_rows(stored, 2))
        stored += 2
        await asyncio.sleep(0.01)
    rows = await first
    assert rows["timestamp"][0] >= 100
    writer.mark_break()
    writer.store(make_rows(stored, 1))
    got = [rows]
    while BREAK not in [block for block in got if block is BREAK]:
        got.append(await anext(blocks))
    last = await anext(blocks)
    times = np.concatenate([block["timestamp"] for block in (*got, last) if block is not BREAK])
    np.testing.assert_array_equal(times, np.arange(rows["timestamp"][0], stored + 1))
    await blocks.aclose()
    writer.close()


async def test_live_rows_end_with_an_error_when_the_node_goes(fake, make_rows, tmp_path):
    fake.open_writer().close()
    path = tmp_path / "api.sock"
    async with HttpNode("the fake node", socket=path, remedy="start it") as client:
        async with serve_unix(create_app(fake), path):
            waiting = asyncio.ensure_future(anext(client.follow_data("/a/b")))
            await asyncio.sleep(0.1)
            assert not waiting.done()
        with pytest.raises(NodeUnreachableError, match="was stopped or has died"):
            await waiting


@pytest.mark.parametrize("sent", [0, 2, 4, 10, 44])
async def test_an_answer_that_breaks_off_is_no_end(tmp_path, sent):
    """A server that dies after some bytes, at every kind of place in the frames."""
    body = b"\2\0\0\0" + bytes(2 * 16) + b"\1\0\0\0" + bytes(16) + b"\xff\xff\xff\xff"
    assert len(body) > 44
    head = b"HTTP/1.1 200 OK\r\nJoule-Layout: float32_2\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + (b"%x\r\n" % sent + body[:sent] + b"\r\n" if sent else b""))
        await writer.drain()
        writer.close()

    path = tmp_path / "api.sock"
    async with (
        await asyncio.start_unix_server(serve, path),
        HttpNode("a dying node", socket=path, remedy="start it") as client,
    ):
        with pytest.raises(NodeUnreachableError):
            await collect(client.read_data("/a/b"))


async def test_a_whole_answer_without_an_end_frame_is_no_end_either(tmp_path):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nJoule-Layout: float32_2\r\nContent-Length: 4\r\n\r\n\0\0\0\0")
        await writer.drain()
        writer.close()

    path = tmp_path / "api.sock"
    async with (
        await asyncio.start_unix_server(serve, path),
        HttpNode("a dying node", socket=path, remedy="start it") as client,
    ):
        with pytest.raises(NodeUnreachableError):
            await collect(client.read_data("/a/b"))


async def test_nobody_there_says_what_to_do(tmp_path):
    async with HttpNode("the node", socket=tmp_path / "absent.sock", remedy="start it with 'jouled'") as client:
        with pytest.raises(NodeUnreachableError, match="start it with 'jouled'"):
            await client.version()


async def test_a_foreign_server_is_recognised(tmp_path):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<h1>")
        await writer.drain()
        writer.close()

    path = tmp_path / "api.sock"
    async with (
        await asyncio.start_unix_server(serve, path),
        HttpNode("somebody", socket=path, remedy="start it") as client,
    ):
        with pytest.raises(Exception, match="no Joule node"):
            await client.version()


async def test_log_lines_come_as_a_list_and_followed(client, fake):
    fake.output.write_text("one\ntwo\nthree\n")
    assert await client.module_logs("reader", lines=2) == ["two", "three"]
    lines = client.follow_module_logs("reader", lines=1)
    assert await anext(lines) == "three"
    with fake.output.open("a") as file:
        file.write("four\nfi")
        file.flush()
        assert await anext(lines) == "four"
        file.write("ve\n")
    assert await anext(lines) == "five"
    fake.output.rename(fake.output.with_name("reader.log.1"))
    fake.output.write_text("six\n")
    assert await anext(lines) == "six"
    await lines.aclose()


async def test_what_a_module_has_used_comes_back_as_it_was(client, fake):
    assert await client.module_usage("reader") == fake.module_usage("reader")
    with pytest.raises(NotFoundError):
        await client.module_usage("absent")


async def test_only_lines_that_are_looked_for_are_sent_and_followed(client, fake):
    fake.output.write_text("[2026-05-01T10:00:01.000+00:00] One\n[2026-05-01T10:00:02.000+00:00] two\n")
    since = LogQuery(since_us=parse_time("2026-05-01T10:00:02Z"))
    assert await client.module_logs("reader", query=since) == ["[2026-05-01T10:00:02.000+00:00] two"]
    until = LogQuery(until_us=parse_time("2026-05-01T10:00:02Z"))
    assert await client.module_logs("reader", query=until) == ["[2026-05-01T10:00:01.000+00:00] One"]
    lines = client.follow_module_logs("reader", query=LogQuery(text="o", ignores_case=True))
    assert [(await anext(lines))[-3:] for _ in range(2)] == ["One", "two"]
    with fake.output.open("a") as file:
        file.write("three\nfour\n")
    assert await anext(lines) == "four"
    await lines.aclose()


async def test_lines_of_all_modules_come_together_and_followed(client, fake):
    fake.output.write_text("[2026-05-01T10:00:02.000+00:00] two\n")
    fake.logs()["jouled"].write_text("2026-05-01T10:00:01+0000 INFO    one\n")
    found = [(line.module, line.line[-3:]) for line in await client.logs()]
    assert found == [("jouled", "one"), ("reader", "two")]
    lines = client.follow_logs(lines=1)
    assert (await anext(lines)).line.endswith("two")
    with fake.logs()["jouled"].open("a") as file:
        file.write("2026-05-01T10:00:03+0000 INFO    three\n")
    assert await anext(lines) == LogLine(module="jouled", line="2026-05-01T10:00:03+0000 INFO    three")
    await lines.aclose()


async def test_a_socket_is_for_its_owner_alone_and_replaces_a_stale_one(fake, tmp_path):
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    async with serve_unix(create_app(fake), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with HttpNode("the fake node", socket=path, remedy="") as client:
            assert (await client.version()).name == "fake"
    assert not path.exists()


async def test_a_slow_client_makes_the_server_wait(fake, served, make_rows):
    writer = fake.open_writer()
    writer.store(make_rows(0, 4_000_000))  # 64 MB, far more than any buffer on the way
    writer.close()
    with socket.socket(socket.AF_UNIX) as slow:
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, str(served))
        before = resident_bytes()
        await loop.sock_sendall(slow, b"GET /data?id=7 HTTP/1.1\r\nHost: node\r\n\r\n")
        await loop.sock_recv(slow, 1000)
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert resident_bytes() - before < 16_000_000


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def test_clients_that_go_away_leave_nothing_open(fake, served, make_rows):
    writer = fake.open_writer()
    writer.store(make_rows(0, 100_000))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        async with HttpNode("the fake node", socket=served, remedy="") as client:
            stored, live, logs = client.read_data(7), client.follow_data(7), client.follow_module_logs("reader", 1)
            fake.output.write_text("one\n")
            await anext(stored)
            waiting = asyncio.ensure_future(anext(live))
            await anext(logs)
            waiting.cancel()
            await asyncio.wait([waiting])
            await asyncio.gather(stored.aclose(), logs.aclose())
    async with asyncio.timeout(5):
        while len(os.listdir("/proc/self/fd")) > before:
            await asyncio.sleep(0.01)
    writer.close()


async def test_the_clock_is_told_and_confirmed(client, fake):
    assert (await client.clock()).unconfirmed_us == 7
    info = await client.clock_confirm()
    assert (info.state, info.unconfirmed_us, info.note) == ("own", 0, "look")
    assert fake.unconfirmed_us == 0


async def test_setting_the_clock_back_tells_what_it_did_and_beforehand_what_it_would_do(client):
    would, did = await client.clock_follow(dry_run=True), await client.clock_follow()
    assert (would.done, did.done) == (False, True)
    (aside,) = did.streams
    assert (aside.stream, aside.aside, aside.rows, did.modules) == ("/a/b", "/a/b-ahead", 3, ("reader",))
