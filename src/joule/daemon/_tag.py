"""A number that every process of a module carries, however it leaves its parent, group, session or environment.

It lies in a resource limit that concerns no ordinary process (RLIMIT_RTTIME: how long a process of real-time priority
may run without waiting; the number stands for tens of thousands of years). A limit is inherited by `fork`, kept by
`exec`, and nobody sets this one by accident. Reading it takes one system call of a microsecond, a thirtieth of what
reading a process's environment costs, so all processes of all modules are found in a pass that costs next to nothing
(see `docs/explanations/decisions/0008-a-tag-in-a-resource-limit.md`).

Where the kernel does not allow it, the other nets of `_ending` remain.
"""

from __future__ import annotations

import contextlib
import hashlib
import resource

__all__ = ["is_of_node", "node_tag", "put_tag", "read_tag", "tag_of"]

_LIMIT = getattr(resource, "RLIMIT_RTTIME", None)  # Linux only, as is `prlimit`
_BASE = 1 << 60
_MODULE_BITS = 32
_NODE_BITS = 28
_MODULE_MASK = (1 << _MODULE_BITS) - 1


def tag_of(mark: str) -> int:
    """Return the tag of a module, given its mark: that of its node, and 32 bits of its own."""
    name = _split(mark)[1]
    return node_tag(mark) | _hash(name, _MODULE_BITS)


def node_tag(mark: str) -> int:
    """Return what the tags of all modules of a node have in common: its mark's, or that of any of its modules."""
    return _BASE | _hash(_split(mark)[0], _NODE_BITS) << _MODULE_BITS


def is_of_node(tag: int, node: int) -> bool:
    """Return whether a tag is one of a node's."""
    return tag & ~_MODULE_MASK == node


def put_tag(pid: int, mark: str) -> bool:
    """Give a process its tag; what it starts from now on inherits it. Returns whether the kernel has allowed it."""
    if _LIMIT is not None:
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, _LIMIT, (tag_of(mark), tag_of(mark)))
            return True
    return False


def read_tag(pid: int) -> int | None:
    """Return the tag of a process; None where it has none, has ended, or is somebody else's."""
    if _LIMIT is None:
        return None
    try:
        soft, hard = resource.prlimit(pid, _LIMIT)
    except (OSError, ValueError):
        return None
    return hard if soft == hard and hard & _BASE and 0 < hard < 2 * _BASE else None


def _split(mark: str) -> tuple[str, str]:
    """Return what a mark, `device:inode:name`, says of the node, and of the module."""
    device, _, rest = mark.partition(":")
    inode, _, name = rest.partition(":")
    return f"{device}:{inode}", name


def _hash(text: str, bits: int) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> (64 - bits)
