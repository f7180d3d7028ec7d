"""One error shape, whatever went wrong."""

import logging

import pytest


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nothing", 404, "not_found"),
        ("/module.json?name=absent", 404, "not_found"),
        ("/module/logs.json?name=absent", 404, "not_found"),
        ("/module/logs?name=absent&follow=1", 404, "not_found"),
        ("/stream.json?path=/absent", 404, "not_found"),
        ("/stream.json?id=8", 404, "not_found"),
        ("/data?path=/absent", 404, "not_found"),
        ("/module.json", 400, "bad_request"),
        ("/module/logs.json?name=reader&lines=x", 400, "bad_request"),
        ("/module/logs.json?name=reader&lines=-1", 400, "bad_request"),
        ("/module/logs?name=reader&follow=2", 400, "bad_request"),
        ("/module/logs.json?name=reader&since=yesterday", 400, "bad_request"),
        ("/module/logs?name=reader&follow=1&until=5", 400, "bad_request"),
        ("/logs?follow=1&until=5", 400, "bad_request"),
        ("/logs.json?lines=100001", 400, "bad_request"),
        ("/stream.json", 400, "bad_request"),
        ("/stream.json?id=x", 400, "bad_request"),
        ("/stream.json?id=7&path=/a/b", 400, "bad_request"),
        ("/data?path=/a/b&start=yesterday", 400, "bad_request"),
        ("/data?path=/a/b&start=99999999999999999999", 400, "bad_request"),
        ("/data?path=/a/b&start=1&subscribe=1", 400, "bad_request"),
        ("/data?path=/a/b", 500, "log"),
    ],
)
async def test_every_refusal_has_the_one_shape(raw, path, status, code):
    got, _, body = await raw(path)
    assert (got, body["error"]["code"]) == (status, code)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "detail"}
    assert isinstance(body["error"]["detail"], dict)
    assert body["error"]["message"]


async def test_a_wrong_method_says_which_are_right(raw):
    status, headers, body = await raw("/modules.json", "POST")
    assert status == 405
    assert "GET" in headers["Allow"]
    assert body["error"]["code"] == "bad_request"
    assert "GET" in body["error"]["message"]


async def test_an_unforeseen_fault_is_in_the_log_and_not_in_the_answer(raw, caplog):
    status, _, body = await raw("/module.json?name=broken")
    assert status == 500
    assert body["error"]["code"] == "node"
    assert "secret" not in str(body)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "a secret" in record.exc_text or record.exc_info[0] is RuntimeError
