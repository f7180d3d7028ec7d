"""Lets pytest find the modules beside this file, wherever it is started; unittest, started here, finds them itself."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
