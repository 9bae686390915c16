"""Documents as text."""

import json
from collections.abc import Sequence
from typing import Any

from classifier.core.packages import needed
from cortex.deploy.errors import DeployError


def as_yaml(documents: Sequence[dict[str, Any]]) -> str:
    """Return them as a list in YAML, in the order in which they were written."""
    return _dump(list(documents))


def as_stream(documents: Sequence[dict[str, Any]]) -> str:
    """Return them as a stream of YAML documents."""
    return "---\n".join(_dump(document) for document in documents)


def as_json(documents: Sequence[dict[str, Any]]) -> str:
    """Return them as a list in JSON."""
    return json.dumps(list(documents), indent=2)


def _dump(what: Any) -> str:
    yaml = needed("yaml", what="YAML", requirements="requirements-deploy.txt", error=DeployError)
    return str(yaml.safe_dump(what, sort_keys=False, default_flow_style=False, allow_unicode=True))
