"""Deterministic simulation: all deciders on the simulated bus, seed by seed."""
