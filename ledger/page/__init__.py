"""The page that verifies and shows an export in a browser, with no network."""

from ledger.page.assembling import page

__all__ = ["page"]
