"""Write documents as YAML that every reader takes for the same: people, PyYAML (YAML 1.1), Go and JavaScript (1.2)."""

import re
from collections.abc import Iterable
from typing import Any

import yaml

# Words that no version of YAML reads as anything but text. Others (on, null, 1e3, 0x1f, 1:30) get quotes: PyYAML would leave
# them out of 1e3, which others read as a number, and a hash may look like one.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/._-]*(?<![.-])")
_NOT_TEXT = re.compile(r"(?:y|n|yes|no|on|off|true|false|null)", re.IGNORECASE)


class _Dumper(yaml.SafeDumper):
    """Never an alias: the same part twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True for anything."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value)
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if is_plain else '"')


_Dumper.add_representer(str, _text)


def as_yaml(documents: Iterable[dict[str, Any]]) -> str:
    """Return the documents, one after another, in their own order of keys; the same documents give the same text."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, explicit_start=True, allow_unicode=True, width=120)
