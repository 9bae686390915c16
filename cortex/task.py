"""One task of Cortex: read a file of texts, write a file of answers, end.

``/cortex/spec/job.json`` is what Cortex says of the job; its ``config`` names ``input`` and ``output``, paths or addresses of
fsspec. A line of the input is a text as a JSON string, or an object as for ``POST /``; a line of the output is the answer to it.
"""

import json
import logging
import logging.config
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from classifier.core.model import GenreModel
from cortex import logs
from cortex.noting import Notes
from cortex.predicting import predict_each
from cortex.served import NotReady, ServedModel
from cortex.settings import Settings
from cortex.wire import Problem

JOB = Path("/cortex/spec/job.json")
# The model is asked for so many at once; more would only take memory.
_TEXTS = 500
logger = logging.getLogger(__name__)


def run(model: GenreModel, source: str, target: str) -> dict[str, int]:
    """Answer each line of ``source`` in ``target``, which is there whole or not at all, and count them."""
    # Imported late, as everywhere in the service.
    from fsspec.core import url_to_fs

    (read_from, path), (write_to, end) = url_to_fs(source), url_to_fs(target)
    texts = failed = 0
    with read_from.open(path, "rt", encoding="utf-8") as lines, write_to.open(f"{end}.part", "wt") as answers:
        for items in _batches(lines):
            # Not traffic of people: nothing of it is noted for the site.
            said = predict_each(model, items, Notes(b"", are_kept=False))
            answers.writelines(f"{json.dumps(each)}\n" for each in said)
            texts, failed = texts + len(said), failed + sum("error" in each for each in said)
    write_to.mv(f"{end}.part", end)
    return {"texts": texts, "failed": failed}


def _batches(lines: IO[str]) -> Iterator[list[Any]]:
    items = (_item(line) for line in lines if line.strip())
    while batch := list(islice(items, _TEXTS)):
        yield batch


def _item(line: str) -> Any:
    """Return what a line says; nothing, which gets an error as its answer, for one that is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def main() -> int:
    """Run the job that Cortex describes."""
    settings = Settings.from_environ()
    logging.config.dictConfig(logs.config(settings.log_level))
    try:
        config = json.loads(JOB.read_text(encoding="utf-8")).get("config") or {}
        found = run(ServedModel(settings).get(), config["input"], config["output"])
    except KeyError as error:
        logger.error("The job's config must name %s.", error)
    except (NotReady, Problem) as error:
        logger.error("The task can't be done: %s", error)
    except Exception:
        # Each store has errors of its own, without a common root; their words may hold an address.
        logger.exception("The task failed")
    else:
        logger.info("The task is done.", extra={"fields": found})
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
