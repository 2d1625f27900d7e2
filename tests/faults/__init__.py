"""Faults on real processes: kill -9 at any moment, with the far server's log as the judge."""
