"""`python -m ledger.checking FD`: a helper that checks batches of signatures until its pipe ends.

It holds no key and decides nothing: see `ledger.signatures`. `ledger.spread` starts it.
"""

import sys
from multiprocessing.connection import Connection

from ledger.signatures import Keys, decode_batch, encode_answers


def serve(pipe: Connection) -> None:
    """Answer each batch in turn."""
    keys = Keys()
    try:
        while True:
            batch = decode_batch(pipe.recv_bytes())
            keys.learn(batch.keys)
            pipe.send_bytes(encode_answers(keys.check(batch.bodies)))
    except (EOFError, OSError, KeyboardInterrupt):
        # Whoever asked is gone, or stops us all.
        return


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
