"""Marked injections and ordinary texts, as data, against which the markers are measured."""
