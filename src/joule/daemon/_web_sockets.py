"""Where the web pages of modules are served: a unix socket each, below the node's runtime directory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from joule.config import ModuleConfig

__all__ = ["web_socket"]


def web_socket(module: ModuleConfig, run_directory: Path) -> Path | None:
    """Return the path of a module's socket, None for one without web pages.

    The path of a socket is limited to 107 bytes, so the name is a hash of the module's.
    """
    if not module.is_app:
        return None
    digest = hashlib.sha256(module.name.encode()).hexdigest()[:12]
    return run_directory / "web" / f"{digest}.sock"
