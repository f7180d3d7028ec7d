"""The module and stream files with which a node runs the system reader on this machine."""

from __future__ import annotations

from joule.builtins.system_reader._gauges import Selection

__all__ = ["module_config", "stream_config"]


def module_config(
    selection: Selection, *, stream: str, rate_hz: float = 10, exec_cmd: str = "joule-system-reader"
) -> str:
    """Return the text of a module file.

    Args:
        selection: What is measured.
        stream: Path of the stream that it writes.
        rate_hz: Rows a second.
        exec_cmd: How the module is started.
    """
    return f"""\
[Main]
name = System Reader
exec_cmd = {exec_cmd}
description = load, memory, disk and network of this machine

[Arguments]
rate = {rate_hz:g}
cores = {selection.cores}
sensors = {",".join(selection.sensors) or "none"}

[Outputs]
output = {stream}
"""


def stream_config(selection: Selection, *, folder: str, name: str, keep: str = "1w", description: str = "") -> str:
    """Return the text of a stream file for rows of this selection, in `folder` under `name`.

    Any stream with these elements will do: the output of a filter on the system reader has the same ones.
    """
    described = f"description = {description}\n" if description else ""
    head = f"[Main]\nname = {name}\npath = {folder}\ndatatype = float32\nkeep = {keep}\n{described}"
    sections = [head]
    for number, element in enumerate(selection.elements, start=1):
        lines = [f"[Element{number}]", f"name = {element.name}", f"units = {element.units}"]
        if element.default_min is not None:
            lines.append(f"default_min = {element.default_min:g}")
        if element.default_max is not None:
            lines.append(f"default_max = {element.default_max:g}")
        sections.append("\n".join(lines) + "\n")
    return "\n".join(sections)
