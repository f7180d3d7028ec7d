"""INI files in, checked values out: `main.conf`, module files and stream files of a node.

Reading touches nothing, starts nothing, and does not stop at a fault: `load_node` returns what can be used together
with every fault of every file, each with its line and a remedy. See docs/reference/configuration.md for the files.
"""

from joule.config._faults import Fault
from joule.config._init import default_node_directory, init_node
from joule.config._load import load_node
from joule.config._model import Limits, ModuleConfig, NodeConfig, NodeSetup, PipeConfig
from joule.config._module_arguments import ModuleArguments, load_module_arguments
from joule.config._pipes import PipeFaultError, parse_pipe
from joule.config._secrets import Secret
from joule.config._settings import Origin, Setting

__all__ = [
    "Fault",
    "Limits",
    "ModuleArguments",
    "ModuleConfig",
    "NodeConfig",
    "NodeSetup",
    "Origin",
    "PipeConfig",
    "PipeFaultError",
    "Secret",
    "Setting",
    "default_node_directory",
    "init_node",
    "load_module_arguments",
    "load_node",
    "parse_pipe",
]
