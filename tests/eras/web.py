"""Asking a module's web pages, on a unix socket or a port, as a browser would."""

import contextlib
import http.client
import re
import socket


def get(where, path="/"):
    """Return status and body."""
    with contextlib.closing(http.client.HTTPConnection("module", timeout=10)) as connection:
        if isinstance(where, int):
            connection.sock = socket.create_connection(("127.0.0.1", where), timeout=10)
        else:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(10)
            connection.sock.connect(str(where))
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def port_of(text):
    """Return the port that a module said it serves, None where it has not said so yet."""
    found = re.search(r"starting web server at http://127\.0\.0\.1:(\d+)", text)
    return int(found[1]) if found else None
