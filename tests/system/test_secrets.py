"""A secret reaches its module, and nothing else: no file of the node, no list of processes, no message."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(60)

CANARY = "canary-7f3a'9\\x"
OUTSIDE = "outside-canary-55d1"

USER = """
    import asyncio, hashlib, os, sys
    import joule

    class User(joule.ReaderModule):
        def custom_args(self, parser):
            parser.add_argument("word")
            parser.add_argument("--token")
            parser.add_argument("--outside")

        async def run(self, parsed_args, output):
            print("token", hashlib.sha256(parsed_args.token.encode()).hexdigest())
            print("word", hashlib.sha256(parsed_args.word.encode()).hexdigest())
            print("outside", hashlib.sha256(parsed_args.outside.encode()).hexdigest())
            print("environment", sorted(os.environ.items()), "arguments", sys.argv)
            while not self.stop_requested:
                await output.write([[joule.time_now(), 1]])
                await asyncio.sleep(0.01)

    User().start()
"""
WRONG = """
    import joule

    class Wrong(joule.ReaderModule):
        def custom_args(self, parser):
            parser.add_argument("--number", type=int)

    Wrong().start()
"""


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def command_lines():
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_bytes())
    return found


def configure(kit):
    secrets = kit.directory / "secrets.conf"
    secrets.write_text(f"TOKEN = {CANARY}\n")
    secrets.chmod(0o600)
    kit.add("user", USER, outputs="output = /a:int64[x]")
    kit.add("wrong", WRONG, outputs="output = /b:int64[x]")
    for name, word, arguments in (
        ("user", " ${TOKEN}", "token = <${TOKEN}>\noutside = ${OUTSIDE}"),
        ("wrong", "", "number = ${TOKEN}"),
    ):
        file = kit.directory / "module_configs" / f"{name}.conf"
        text = file.read_text().replace(f"{name}.py", f"{name}.py{word}")
        file.write_text(f"{text}[Arguments]\n{arguments}\n")


def test_a_secret_is_found_nowhere_but_in_its_module(kit):
    configure(kit)
    jouled = kit.start(environment={"OUTSIDE": OUTSIDE, "JOULE_DEBUG": "1"})
    kit.wait(lambda: "arguments [" in kit.log("user"), "the module's output")
    kit.wait(lambda: "invalid int value" in kit.log("wrong"), "the usage error of the other module")
    lines = command_lines()
    bystanders = [pid for pid, line in kit.processes() if "--pipes" not in line]
    environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in bystanders]
    answers = [json.dumps([info.to_json() for info in kit.ask("modules")]), *map(str, kit.ask("streams"))]
    jouled.stop()

    said = kit.log("user")
    assert f"token {digest(f'<{CANARY}>')}" in said
    assert f"word {digest(CANARY)}" in said
    assert f"outside {digest(OUTSIDE)}" in said
    assert any(b"--token=<${TOKEN}>" in line for line in lines)
    assert 'invalid int value: "${TOKEN}"' in kit.log("wrong")

    assert len(environments) >= 2, "jouled and a logger at least"
    assert not any(b"canary-7f3a" in content for content in environments)

    written = [file.read_bytes() for file in kit.directory.rglob("*") if file.is_file() and file.name != "secrets.conf"]
    assert len(written) > 10
    for content in [*written, *lines, jouled.output.read_bytes(), *(answer.encode() for answer in answers)]:
        assert b"canary-7f3a" not in content
    # The environment that jouled was given is the module's as well: what it prints of it is its own affair.
    for content in [*lines, jouled.output.read_bytes(), *(answer.encode() for answer in answers)]:
        assert OUTSIDE.encode() not in content
