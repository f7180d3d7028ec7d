"""`FIRFilterModule` where module files of the newest era import it from."""

from joule.client._column_fir_filter import FIRFilterModule

__all__ = ["FIRFilterModule"]
