"""What a run of the lab is to do, as its folder records it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifier.core.errors import TrainingError
from classifier.core.model import sha256_of
from training.core.fit import FitParameters


@dataclass(frozen=True)
class Job:
    """What to train on and how; it says all that ``manage.py train`` must be told to make the same model.

    ``test`` names a file to measure on; None means the frozen split. ``vectors`` is ``"book"`` or ``"none"``. The
    hashes are those of the files when the job was made; '' where nobody knows them.
    """

    data: Path
    parameters: FitParameters
    vectors: str = "book"
    file_format: str = ""
    test: Path | None = None
    background: bool = True
    data_sha256: str = ""
    test_sha256: str = ""

    @property
    def files(self) -> tuple[tuple[Path, str], ...]:
        """The files to train on and to measure on, each with its hash."""
        return ((self.data, self.data_sha256), *([(self.test, self.test_sha256)] if self.test else []))

    @property
    def texts(self) -> tuple[str, ...]:
        """Equal for jobs that learn from the same texts and are measured on the same: their figures compare."""
        return tuple(sha256 or str(path) for path, sha256 in self.files)

    def refuse_changed(self) -> None:
        """Raise unless the files hold what they held when the job was made.

        Raises
        ------
        TrainingError
        """
        for path, sha256 in self.files:
            if sha256 and path.is_file() and sha256_of(path) != sha256:
                raise TrainingError(
                    f"{path} was changed after this run was asked for. Start it again on what it is now."
                )

    def as_json(self) -> dict[str, Any]:
        """Return the job as plain data."""
        return {
            "data": str(self.data),
            "data_sha256": self.data_sha256,
            "format": self.file_format,
            "split": "file" if self.test else "frozen",
            "test": str(self.test) if self.test else None,
            "test_sha256": self.test_sha256,
            "vectors": self.vectors,
            "background": self.background,
            "seed": self.parameters.seed,
            "parameters": asdict(self.parameters),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Job":
        """Return the job that ``as_json`` wrote down."""
        return cls(
            Path(found["data"]),
            FitParameters(**found["parameters"]),
            found["vectors"],
            found["format"],
            Path(found["test"]) if found["test"] else None,
            found["background"],
            # Runs from before the hashes were recorded have none.
            found.get("data_sha256", ""),
            found.get("test_sha256", ""),
        )
