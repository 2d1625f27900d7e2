"""Reading fetched pages. From outside: `read_page`, what it gives, and what it can read."""

from sidecar.pages.page import Page, readable
from sidecar.pages.reader import read_page

__all__ = ["Page", "read_page", "readable"]
