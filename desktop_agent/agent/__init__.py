"""The process behind a program with a face: it has queue and keys, and no window."""
