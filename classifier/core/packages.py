"""Packages that only some uses need, and that need not be installed for the others."""

import importlib
from typing import Any

from classifier.core.errors import GenreError


def needed(module: str, *, what: str, requirements: str, error: type[GenreError]) -> Any:
    """Import a module of a package that need not be installed.

    Parameters
    ----------
    module : str
    what : str
        What needs it, as the beginning of a sentence.
    requirements : str
        The file that names the package.
    error : type of GenreError
        What to raise when it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as cause:
        package = module.partition(".")[0]
        raise error(f"{what} needs the package {package}: pip install -r {requirements}") from cause
