"""Load a model folder in a process of its own: exit 0 when it answers as recorded, 1 when it does not."""

import sys
from pathlib import Path

from classifier.core.errors import ModelError
from classifier.core.model import GenreModel


def main() -> int:
    """Load the folder named by the only argument."""
    try:
        GenreModel.load(Path(sys.argv[1]))
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
