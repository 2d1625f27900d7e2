"""The escape artist: a run's program that tries everything, in a real installation.

Each attempt is one function that returns what it got, or raises. It is made twice: by a
program without walls, where it must succeed to be known as real, and by the runtime.
"""
