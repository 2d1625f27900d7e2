"""Fuzzing: whatever bytes a decoder is given, it answers in form, soon, and in little memory.

A `Target` is one decoder with valid bytes to begin from; `mutation` spoils them, by the byte and by
the structure they have; `campaign` looks for what raises outside a decoder's own errors, hangs or
swells. CI tries a little of it, the same each time; `python -m tests.fuzz` goes on for as long as
it is told to.
"""
