"""The desktop program with its real agent: its machine, its screens."""
