"""`joule service --system` as root, in a mount namespace whose /etc is its own, beside a stand-in of `systemctl`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from joule.config import init_node

pytestmark = pytest.mark.timeout(60)

BIN = Path(sys.executable).parent
SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
[ "$1" = show ] && printf 'ActiveState=active\\nSubState=running\\n'
exit 0
"""


def test_a_service_of_the_system_is_installed_and_removed_by_root(in_namespace, tmp_path):
    init_node(tmp_path / "node")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL)
    (programs / "systemctl").chmod(0o755)
    joule = f"'{BIN}/joule' service"
    script = tmp_path / "script"
    unit = "/etc/systemd/system/joule-node.service"
    script.write_text(
        f"set -e\n{joule} install --system '{tmp_path}/node'\ncat {unit}\n"
        f"{joule} uninstall --system '{tmp_path}/node'\n! test -e {unit}\n"
    )
    ended = subprocess.run(
        [*in_namespace("mount -t tmpfs none /etc"), "sh", "-e", str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{programs}:/usr/bin:/bin"},
    )
    assert ended.returncode == 0, ended.stderr
    first, *text, last = ended.stdout.splitlines()
    assert first == f"{unit}: written; enabled and active"
    assert f'ExecStart="{BIN}/jouled" --config "{tmp_path}/node/main.conf"' in text
    assert last.startswith(f"{unit}: stopped and removed")
    calls = [line for line in (programs / "calls").read_text().splitlines() if not line.startswith("show")]
    name = "joule-node.service"
    assert calls == [
        *("daemon-reload", f"enable {name}", f"start {name}"),
        *(f"disable --now {name}", "daemon-reload"),
    ]
