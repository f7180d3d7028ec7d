"""Options that other eras' supervisors and users give to every module, as far as they mean something here.

They are not shown by `-h`, and are taken off the command line before the author's own parser sees it, unless the author
has an option of that name: then the name, and each of its abbreviations, is the author's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from joule.errors import ModuleError

__all__ = ["UsageError", "WebOptions", "refuse", "take_options"]

_WEB = frozenset({"--socket", "--host", "--port"})
_IDLE = frozenset({"--api-socket", "--node"})  # for a client of the node, which is another matter than running
_FLAGS = frozenset({"--live", "--new", "--force"})
_ISOLATION = _FLAGS | {
    *("--module_config", "--data_stream_configs", "--stream_configs"),
    *("--start_time", "--end_time", "--start", "--end"),
}
_MAX_PORT = 65535


class UsageError(ValueError):
    """An option has no value, or one that it cannot have; for the parser to say."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """Where a module's web pages are served, as its command line says.

    Attributes:
        socket: Path of a unix socket; None for a network port.
        host: Address of the network to serve; by default this machine alone.
        port: Number; None takes the first of 8000 to 8999 that is free.
    """

    socket: str | None = None
    host: str = "127.0.0.1"
    port: int | None = None


def take_options(
    arguments: Sequence[str], is_authors: Callable[[str], bool]
) -> tuple[list[str], WebOptions, list[str]]:
    """Return what is left of a command line for the author, what it says about web pages, and refused options.

    Args:
        arguments: Without the program's name.
        is_authors: Whether an option such as `--port` is the author's, perhaps abbreviated.

    Returns:
        The author's arguments; our options; those that ask for what this version does not do, see `refuse`.

    Raises:
        UsageError: An option of ours has no value, or a wrong one.
    """
    left: list[str] = []
    found: dict[str, str] = {}
    waiting = iter(arguments)
    for argument in waiting:
        option, equals, value = argument.partition("=")
        if argument == "--":
            left += [argument, *waiting]
        elif option not in _WEB | _IDLE | _ISOLATION or is_authors(option):
            left.append(argument)
        elif option in _FLAGS or equals:
            found[option] = value
        else:
            found[option] = _next_value(option, waiting)
    web = {option.removeprefix("--"): value for option, value in found.items() if option in _WEB}
    return left, _web_options(**web), sorted(found.keys() & _ISOLATION)


def refuse(options: Sequence[str]) -> None:
    """Say that options have no meaning here yet.

    Raises:
        ModuleError: There are some.
    """
    if options:
        raise ModuleError(
            f"{', '.join(options)}: running a module by hand on the streams of a node is not in this version yet; "
            "leave the option out to run it alone, or put a file for the module into a node's module_configs"
        )


def _next_value(option: str, waiting: Iterator[str]) -> str:
    value = next(waiting, None)
    if value is None or value.startswith("--"):
        raise UsageError(f"argument {option}: expected one argument")
    return value


def _web_options(socket: str = "", host: str = "", port: str = "") -> WebOptions:
    number = None
    if port:
        if not port.isdecimal() or not 0 < int(port) <= _MAX_PORT:
            raise UsageError(f"argument --port: {port!r} is no port, a number from 1 to {_MAX_PORT}")
        number = int(port)
    path = None if socket in ("", "unset", "none") else socket  # what another supervisor passes where there is none
    return WebOptions(socket=path, host=host or WebOptions().host, port=number)
