"""From configuration to what can be started: streams in the catalog, their logs, cursors, and a manifest each module.

All of it is done before the first module starts, so that no consumer misses a producer's first row. Whatever a stream
or a module cannot have costs that stream or module only; the node runs the rest, and says why.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import logging
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from joule.api import log_directory, module_log_file
from joule.catalog import Catalog, StreamRecord
from joule.config import Fault, ModuleConfig, NodeSetup, PipeConfig
from joule.daemon._launch import Launch
from joule.daemon._unknown_logs import find_unknown_logs
from joule.daemon._web_sockets import web_socket
from joule.errors import JouleError, LogError
from joule.log import SEGMENT_US, LogReader, clock_path, create_log, cursor_path, ensure_cursors, relabel_log
from joule.pipes import Manifest, PipeEntry

__all__ = [
    "Preparation",
    "forget_cursors",
    "make_cursors",
    "node_mark",
    "plan",
    "prepare",
    "segment_us",
]

_SHORTEST_SEGMENT_US = 1_000_000
_TRANSIENT_SEGMENT_US = 60_000_000  # a stream that keeps nothing: its newest two segments stay readable

_OF_THE_NODE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)

_NAME_LINE = re.compile(r"^[ \t]*name[ \t]*[=:](.*)$", re.IGNORECASE | re.MULTILINE)

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What can be started, and what cannot.

    Attributes:
        launches: Modules to start, in order.
        problems: Why a module cannot be started, by its name.
    """

    launches: tuple[Launch, ...]
    problems: Mapping[str, str]


def node_mark(directory: Path) -> str:
    """Return how the marks of all modules of a node begin; the same under every name of its directory."""
    status = directory.stat()
    return f"{status.st_dev}:{status.st_ino}:"


def segment_us(keep_us: int | None) -> int:
    """Return the time after which a log begins a new segment, so that trimming keeps within a tenth of `keep`."""
    if keep_us is None:
        return SEGMENT_US
    if keep_us == 0:
        return _TRANSIENT_SEGMENT_US
    return min(SEGMENT_US, max(_SHORTEST_SEGMENT_US, keep_us // 10))


def prepare(setup: NodeSetup, catalog: Catalog, run_directory: Path) -> Preparation:
    """Make streams, logs and cursors as the configuration wants them, before anything runs.

    Args:
        setup: The configuration.
        catalog: Open for writing.
        run_directory: For FIFOs and sockets.

    Raises:
        CatalogError: The catalog cannot be written.
        OSError: The disk is full, or may not be written.
    """
    planned = plan(setup, catalog, run_directory)
    faults = make_cursors(planned.launches)
    forget_cursors(setup, kept=())
    launches = tuple(launch for launch in planned.launches if launch.name not in faults)
    return Preparation(launches=launches, problems={**planned.problems, **faults})


def plan(
    setup: NodeSetup, catalog: Catalog, run_directory: Path, in_use: Collection[Path] = frozenset()
) -> Preparation:
    """Make streams and logs as the configuration wants them; say what can then be started. See `prepare`.

    Args:
        setup: The configuration.
        catalog: Open for writing.
        run_directory: For FIFOs and sockets.
        in_use: Directories of logs that modules have open: there is no need to look whether they can be read.
    """
    streams, faults = _make_streams(setup, catalog, in_use)
    told = _faults_by_name(setup)
    unknown = "see jouled's log, or 'joule check'"
    problems = {name: f"its configuration has a fault: {told.get(name, unknown)}" for name in setup.broken_modules}
    launches = []
    for module in setup.modules:
        try:
            _check_streams(module, streams, faults)
        except JouleError as error:
            problems[module.name] = error.message
            _log.error("module %s cannot be started: %s", module.name, error.message)
        else:
            launches.append(_launch(module, setup, streams, run_directory))
    return Preparation(launches=tuple(launches), problems=problems)


def make_cursors(launches: Iterable[Launch]) -> dict[str, str]:
    """Make the cursors of modules that do not run, before any of their producers starts.

    Returns:
        Why a module has none and so cannot be started, by its name.

    Raises:
        OSError: The disk is full, or may not be written.
    """
    faults = {}
    for launch in launches:
        if launch.manifest is None:
            continue
        logs = (launch.manifest.inputs, launch.manifest.outputs)
        inputs, outputs = ({name: entry.log for name, entry in entries.items()} for entries in logs)
        try:
            with _own_trouble(launch.manifest.cursor):
                ensure_cursors(launch.manifest.cursor, launch.name, inputs, outputs)
        except JouleError as error:
            faults[launch.name] = error.message
            _log.error("module %s cannot be started: %s", launch.name, error.message)
    return faults


def _make_streams(
    setup: NodeSetup, catalog: Catalog, in_use: Collection[Path]
) -> tuple[dict[str, StreamRecord], dict[str, JouleError]]:
    streams, faults = _enter_streams(setup, catalog)
    for path, record in streams.items():
        directory = log_directory(setup.config.data_directory, record.id)
        if directory in in_use:
            continue
        try:
            with _own_trouble(directory):
                _make_log(directory, record)
        except JouleError as error:
            faults[path] = error
    for path, fault in faults.items():
        file = setup.stream_files.get(path)
        _log.error("%sstream %s cannot be used: %s", f"{file}: " if file else "", path, fault.message)
    return streams, faults


def _enter_streams(setup: NodeSetup, catalog: Catalog) -> tuple[dict[str, StreamRecord], dict[str, JouleError]]:
    """Enter the configured streams in the catalog; returns them, and why others cannot be, by path."""
    streams: dict[str, StreamRecord] = {}
    faults: dict[str, JouleError] = {}
    unknown = find_unknown_logs(catalog, setup.config.data_directory)
    with catalog.transaction():
        catalog.reserve_ids(unknown.highest_id)
        known = {record.spec.path: record for record in catalog.streams()}
        for spec in setup.streams:
            if spec.path in known and known[spec.path].spec == spec:
                streams[spec.path] = known[spec.path]
                continue
            try:
                # A pipe's line gives a layout and names; a stream's file gives all, also what it leaves to defaults.
                names_only = spec.path not in setup.stream_files
                streams[spec.path] = unknown.ensure_stream(catalog, spec, names_only=names_only)
            except JouleError as error:
                faults[spec.path] = error
    return streams, faults


def _make_log(directory: Path, record: StreamRecord) -> None:
    identity = create_log(directory, record.spec.layout, record.spec.path)
    if identity.stream != record.spec.path:  # its stream was moved by a jouled that was killed then
        relabel_log(directory, record.spec.path)
    with LogReader(directory) as log:  # so that damage is told here, by name, and not only by a module that ends
        log.head()


@contextlib.contextmanager
def _own_trouble(path: Path) -> Iterator[None]:
    """Let what one file cannot have cost its stream or module; what no file could have is for the whole node."""
    try:
        yield
    except OSError as error:
        if error.errno in _OF_THE_NODE:
            raise
        raise LogError(
            f"{error.filename or path} cannot be used: {error.strerror or error}; check what is there and its "
            "permissions",
            path=str(error.filename or path),
        ) from error


def _check_streams(module: ModuleConfig, streams: Mapping[str, StreamRecord], faults: Mapping[str, JouleError]) -> None:
    for pipe in (*module.inputs.values(), *module.outputs.values()):
        if pipe.stream in faults:
            raise faults[pipe.stream]
        assert pipe.stream in streams, "the configuration gives a sound module sound streams only"


def _launch(module: ModuleConfig, setup: NodeSetup, streams: Mapping[str, StreamRecord], run_directory: Path) -> Launch:
    config = setup.config
    inputs = {
        # What only a writer needs is left out: a change of it is no reason to start the readers anew.
        name: dataclasses.replace(entry, out_of_order="raise", segment_us=SEGMENT_US, is_transient=False)
        for name, entry in _entries(module.inputs, streams, config.data_directory).items()
    }
    outputs = _entries(module.outputs, streams, config.data_directory)
    socket = web_socket(module, run_directory)
    if socket is not None:
        socket.parent.mkdir(mode=0o700, exist_ok=True)
    manifest = Manifest(
        module=module.name,
        cursor=cursor_path(config.data_directory, module.name),
        run=run_directory,
        on_restart=module.on_restart,
        max_ahead_us=config.max_ahead_us,
        clock=clock_path(config.data_directory),
        inputs=inputs,
        outputs=outputs,
        variables=tuple(module.variables),
        socket=socket,
    )
    return Launch(
        name=module.name,
        command=(*module.command, "--pipes", manifest.to_json()),
        directory=config.directory,
        log_file=module_log_file(config.log_directory, module.name),
        mark=node_mark(config.directory) + module.name,
        log_size_bytes=config.log_size_bytes,
        manifest=manifest,
        running_reason=_running_reason(module, setup),
        variables=module.variables,
        limits=module.limits,
        input_logs=tuple(entry.log for entry in inputs.values()),
        output_logs=tuple(entry.log for entry in outputs.values()),
    )


def _entries(
    pipes: Mapping[str, PipeConfig], streams: Mapping[str, StreamRecord], data_directory: Path
) -> dict[str, PipeEntry]:
    records = {name: streams[pipe.stream] for name, pipe in pipes.items()}
    return {
        name: PipeEntry(
            stream=record.spec.path,
            log=log_directory(data_directory, record.id),
            layout=str(record.spec.layout),
            out_of_order=record.spec.out_of_order,
            segment_us=segment_us(record.spec.keep_us),
            is_transient=record.spec.keep_us == 0,
            stream_id=record.id,
            elements=record.spec.elements,
        )
        for name, record in records.items()
    }


def _running_reason(module: ModuleConfig, setup: NodeSetup) -> str:
    written = {pipe.stream for other in setup.modules for pipe in other.outputs.values()}
    silent = sorted(pipe.stream for pipe in module.inputs.values() if pipe.stream not in written)
    return f"its process runs; no module of this node writes {', '.join(silent)}" if silent else "its process runs"


def _faults_by_name(setup: NodeSetup) -> dict[str, str]:
    """Return the first fault of the file that gives a module its name; the daemon's log has all of them."""
    first: dict[Path, Fault] = {}
    for fault in setup.errors:
        first.setdefault(fault.file, fault)
    faults: dict[str, str] = {}
    for file, fault in first.items():
        with contextlib.suppress(OSError):
            for name in _NAME_LINE.findall(file.read_text(errors="replace") if file.is_file() else ""):
                faults.setdefault(name.strip(), str(fault))
    return faults


def forget_cursors(setup: NodeSetup, kept: Collection[str]) -> None:
    """Remove the cursors of modules that are no longer configured; a file that cannot be read may be any module's.

    Args:
        setup: The configuration.
        kept: Modules that run although the configuration does not have them as they are.
    """
    if not setup.all_names_known:
        return
    names = {module.name for module in setup.modules} | setup.broken_modules | set(kept)
    wanted = {cursor_path(setup.config.data_directory, name) for name in names}
    directory = cursor_path(setup.config.data_directory, "x").parent
    for path in set(directory.glob("*.cursor")) - wanted:
        _log.info("removing %s: its module is no longer configured", path)
        try:
            os.unlink(path)
        except OSError as error:
            _log.error("%s cannot be removed: %s; until it is, its module's rows are kept", path, error.strerror)
