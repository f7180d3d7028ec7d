"""Paths of the first eras, before `joule.utilities` and `joule.models` were: their modules import from below here."""
