"""What `main.conf` of other eras says that has no effect here, each with what does its work or what to do about it."""

from __future__ import annotations

__all__ = ["IDLE_MAIN_KEYS", "IDLE_MAIN_SECTIONS"]

_GONE = "remove the line"
_ROWS = "rows are kept in DataDirectory, without a database: remove the line"
_SOCKET = "this version answers on a socket in the node's own directory: remove the line"
_EVENTS = "this version has no event streams: remove the line"
_TRANSFER = "this version moves no data between nodes by itself: remove the line"
_USERS = "this version is reached by users of its machine alone: remove the line"

IDLE_MAIN_KEYS = {
    "eventstreamdirectory": _EVENTS,
    "importerconfigsdirectory": _TRANSFER,
    "exporterconfigsdirectory": _TRANSFER,
    "importerdatadirectory": _TRANSFER,
    "exporterdatadirectory": _TRANSFER,
    "importerkey": _TRANSFER,
    "usersfile": _USERS,
    "ipaddress": _SOCKET,
    "port": _SOCKET,
    "socketdirectory": _SOCKET,
    "database": _ROWS,
    "insertperiod": f"rows are stored as they are written: {_GONE}",
    "cleanupperiod": f"what is older than a stream's keep is removed without being asked for: {_GONE}",
    "maxloglines": f"LogSize bounds logs, and joule module logs --lines N shows the newest N: {_GONE}",
    "echomodulelogs": f"joule module logs -f NAME shows what a module prints: {_GONE}",
    "moduledocs": f"a module's -h shows its documentation: {_GONE}",
}
"""By key, lower case."""

IDLE_MAIN_SECTIONS = {
    "nilmdb": _ROWS.replace("line", "section"),
    "procdb": "what runs is known without a database: remove the section",
    "security": _SOCKET.replace("line", "section"),
    "proxies": "this version passes no web pages on: remove the section",
}
"""By name, lower case."""
