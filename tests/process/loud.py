"""A process that writes more to standard error than anybody would keep."""

import sys

if __name__ == "__main__":
    for _ in range(20):
        sys.stderr.buffer.write(b"x" * 1024 * 1024)
