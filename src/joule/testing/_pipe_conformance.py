"""The conformance kit of pipes: a new kind of pipe inherits every behavioural test of the contract.

    class TestMyPipe(PipeConformance):
        holds_any_amount = False  # and so on, see PipeKind

        @contextlib.asynccontextmanager
        async def open_pair(self, layout):
            writer, reader = connect(layout)
            yield writer, reader
            await writer.close()
            await reader.close()

Run it with pytest, or mix in `unittest.TestCase`. Only the model test needs a package of its own: hypothesis.
"""

from __future__ import annotations

from joule.testing._pipe_breaks import BreakConformance
from joule.testing._pipe_caching import CachingConformance
from joule.testing._pipe_carrying import CarryingConformance
from joule.testing._pipe_endings import EndingConformance
from joule.testing._pipe_model import ModelConformance
from joule.testing._pipe_read_all import ReadAllConformance
from joule.testing._pipe_reading import ReadingConformance
from joule.testing._pipe_subscribing import SubscribingConformance
from joule.testing._pipe_waiting import WaitingConformance
from joule.testing._pipe_writing import WritingConformance

__all__ = ["PipeConformance"]


class PipeConformance(
    CarryingConformance,
    ReadingConformance,
    ReadAllConformance,
    BreakConformance,
    EndingConformance,
    WaitingConformance,
    WritingConformance,
    CachingConformance,
    SubscribingConformance,
    ModelConformance,
):
    """Everything that `joule.pipes` promises about every pipe; a subclass supplies `open_pair` and its flags."""
