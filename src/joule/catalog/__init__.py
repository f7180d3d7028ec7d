"""The node's catalog, an SQLite file: folders, streams and elements, with ids that are never used again."""

from joule.catalog._catalog import Catalog
from joule.catalog._records import FolderRecord, Removal, StreamRecord

__all__ = ["Catalog", "FolderRecord", "Removal", "StreamRecord"]
