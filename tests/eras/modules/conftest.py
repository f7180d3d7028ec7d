"""Lets the unit tests of each era import the modules beside them, as they did where they were written."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
