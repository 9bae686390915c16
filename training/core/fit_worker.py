"""The training process: read one job (a JSON line) from standard input, write the model, exit.

fastText's ``train`` can't be interrupted and prints its progress to standard error, so it runs here,
where the parent can read the one and kill the other.
"""

import json
import os
import shutil
import sys
import threading
from pathlib import Path

import fasttext


def main() -> int:
    """Train and save; print the reason to standard error and return 1 when fastText fails."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, args=[job["scratch"]], daemon=True).start()
    try:
        engine = fasttext.train_supervised(input=job["input"], verbose=2, **job["arguments"])
    except (RuntimeError, ValueError, MemoryError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    finally:
        # People's texts are not left on the disk, whatever becomes of the parent.
        Path(job["input"]).unlink(missing_ok=True)
    engine.save_model(job["output"])
    return 0


def _end_with_parent(scratch: str) -> None:
    """Wait until the parent closes the pipe; if it was killed, remove the texts it left on the disk."""
    sys.stdin.read()
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
