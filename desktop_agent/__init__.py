"""The desktop agent: speech becomes redacted text on the rep's own machine.

Audio lives in the memory of one process that has no route to any network. What leaves that
process is text, and what leaves the machine is redacted text that the rep could look at.
"""
