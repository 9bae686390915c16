"""Where the answers of a batch job go: Cortex throws the body of an answer away, so that they are written to a store.

Below ``BATCH_URI`` each job has a folder: a file for each batch, named by what was asked, so that a batch which is delivered
twice is written once; and at the job's end ``job.json``, with counts and a list of what could not be read. No text is written.
"""

import hashlib
import json
import re
import time
from typing import Any

from cortex.wire import Problem

# A batch that is not answered with 200 is deleted by Cortex, so a store that is away for a moment must not fail it.
ATTEMPTS = 3
WAIT_SECONDS = 0.5
SUMMARY = "job.json"
# It becomes the name of a folder.
_JOB = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BatchStore:
    """The answers of batch jobs below one address."""

    def __init__(self, uri: str) -> None:
        self._uri = uri.rstrip("/")

    def keep(self, job: str, asked: Any, answers: list[dict[str, Any]]) -> None:
        """Write the answers of one batch.

        Raises
        ------
        Problem
            When the job's id can't name a folder, or the store takes nothing.
        """
        name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        self._write(job, f"{name}.json", {"batch": name, "predictions": answers})

    def finish(self, job: str) -> dict[str, Any]:
        """Count what the job's batches say, write it, and return it without the list.

        Raises
        ------
        Problem
        """
        batches = self._read(job)
        failures = [
            {"batch": batch["batch"], "item": number, "error": answer["error"]}
            for batch in batches
            for number, answer in enumerate(batch["predictions"])
            if "error" in answer
        ]
        texts = sum(len(batch["predictions"]) for batch in batches)
        summary = {"job_id": job, "batches": len(batches), "texts": texts, "failed": len(failures)}
        self._write(job, SUMMARY, {**summary, "failures": failures})
        return summary

    def _write(self, job: str, name: str, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()

        def write(store: Any, folder: str) -> None:
            store.makedirs(folder, exist_ok=True)
            store.pipe_file(f"{folder}/{name}", data)

        self._try(job, write)

    def _read(self, job: str) -> list[dict[str, Any]]:
        def read(store: Any, folder: str) -> list[dict[str, Any]]:
            paths = sorted(store.glob(f"{folder}/*.json"))
            return [json.loads(store.cat_file(path)) for path in paths if not path.endswith(f"/{SUMMARY}")]

        return list(self._try(job, read))

    def _try(self, job: str, work: Any) -> Any:
        # Imported late: without batch jobs none of it is needed.
        from fsspec.core import url_to_fs

        if not _JOB.fullmatch(job):
            raise Problem(400, "X-Cortex-Job-ID is needed: letters, digits, - and _, 64 at most.")
        for attempt in range(ATTEMPTS):
            try:
                return work(*url_to_fs(f"{self._uri}/{job}"))
            except Exception as error:  # noqa: BLE001 - each store has errors of its own, which have no common root
                kind = type(error).__name__
            if attempt < ATTEMPTS - 1:
                time.sleep(WAIT_SECONDS * 2**attempt)
        raise Problem(503, f"The answers can't be kept at BATCH_URI: {kind}.")
