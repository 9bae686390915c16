"""Names for operators, as the ``cortex`` program keeps them in ``cli.yaml`` (``cortex env configure``)."""

from pathlib import Path
from typing import Any

import yaml

from cortex.deploy.errors import DeployError

FILE = "cli.yaml"


def operator_of(name: str, folder: Path) -> str:
    """Return the operator's address of the environment called ``name``.

    Raises
    ------
    DeployError
        When there is none; names those that there are.
    """
    path = folder / FILE
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DeployError(
            f"{path} can't be read: {type(error).__name__}. Name the operator: --operator URL."
        ) from error
    known = _addresses(said)
    if name not in known:
        raise DeployError(f"{path} has no environment “{name}”; it has {', '.join(sorted(known)) or 'none'}.")
    address = known[name]
    return address if "://" in address else f"https://{address}"


def _addresses(said: Any) -> dict[str, str]:
    environments = said.get("environments") if isinstance(said, dict) else None
    return {
        str(each["name"]): str(each["operator_endpoint"])
        for each in environments or ()
        if isinstance(each, dict) and each.get("name") and each.get("operator_endpoint")
    }
