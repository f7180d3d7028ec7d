"""A reader of this machine: processor, memory, disks and network, with units."""

from joule.builtins.system_reader._configs import module_config, stream_config
from joule.builtins.system_reader._gauges import Selection, select
from joule.builtins.system_reader._reader import SystemReader, main

__all__ = ["Selection", "SystemReader", "main", "module_config", "select", "stream_config"]
