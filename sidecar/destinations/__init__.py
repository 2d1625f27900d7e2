"""Who may be written to: names, who owns them, and when that is checked again.

`resolver` is the only file here that reaches the outside; the gate imports the others.
"""
