"""Why a deployment does not happen, as one tree.

GenreError
└── DeployError
    ├── ReleaseError        (release.py) what was asked for is no release
    ├── SpecError           Cortex would refuse the specification
    ├── OperatorError       the operator says no; ``kind`` is its own word for it
    │   └── Unreachable     it says nothing
    ├── RolloutFailed       the replicas don't become ready
    └── SmokeFailed         what was deployed does not answer as the model here does
"""

from classifier.core.errors import GenreError


class DeployError(GenreError):
    """The root."""


class SpecError(DeployError):
    """Cortex would refuse the specification."""


class OperatorError(DeployError):
    """The operator says no."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Unreachable(OperatorError):
    """The operator says nothing, or nothing that it would say."""


class RolloutFailed(DeployError):
    """The replicas don't become ready."""


class SmokeFailed(DeployError):
    """What was deployed does not answer as the model here does."""
