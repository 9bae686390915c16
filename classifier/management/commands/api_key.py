"""``manage.py api_key``."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from classifier.commands import CommandError, GenreCommand, Table, operator_name
from classifier.keys import KeyRefused, create_key, revoke_key, rotate_key
from classifier.models import ApiKey


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


class Command(GenreCommand):
    """Make, list, rotate and revoke the keys of programs."""

    help = "Make, list, rotate and revoke keys for the HTTP API. Only a hash is stored: a key is shown once."
    examples = """
  manage.py api_key create "library catalogue" --scope predict --scope feedback --days 365
  manage.py api_key list
  manage.py api_key rotate gd_Ab12Cd --overlap-hours 24
  manage.py api_key revoke gd_Ab12Cd
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be done, and the options of each."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="create|list|rotate|revoke")
        create = actions.add_parser("create", help="make a key and show it, once")
        create.add_argument("name", help="whose it is and what for")
        create.add_argument(
            "--scope",
            action="append",
            choices=ApiKey.Scope.values,
            required=True,
            dest="scopes",
            help="what it opens; may be repeated",
        )
        create.add_argument("--days", type=_positive, default=None, help="when it expires (default: never)")
        create.add_argument(
            "--per-minute",
            type=_positive,
            default=None,
            help="texts and corrections a minute (default: GENRE_API_PER_MINUTE)",
        )
        actions.add_parser("list", help="list all keys, without their secrets")
        rotate = actions.add_parser("rotate", help="make a key with the same rights; the old one ends")
        rotate.add_argument("prefix", help="as `list` shows it")
        rotate.add_argument(
            "--overlap-hours", type=_positive, default=0, help="how long the old one still works (default: not at all)"
        )
        revoke = actions.add_parser("revoke", help="take a key back, for ever")
        revoke.add_argument("prefix", help="as `list` shows it")

    def handle(self, *, action: str, **options: Any) -> None:
        """Do it and say so."""
        try:
            getattr(self, f"_{action}")(**options)
        except KeyRefused as error:
            raise CommandError(str(error)) from error

    def _create(self, *, name: str, scopes: list[str], days: int | None, per_minute: int | None, **_: Any) -> None:
        end = timezone.now() + timedelta(days=days) if days else None
        self._show(*create_key(name, scopes, by=operator_name(), expires_at=end, per_minute=per_minute))

    def _rotate(self, *, prefix: str, overlap_hours: int, **_: Any) -> None:
        self._show(*rotate_key(_find(prefix), by=operator_name(), overlap=timedelta(hours=overlap_hours)))
        until = f"works for {overlap_hours} more hours" if overlap_hours else "opens nothing any more"
        self.stdout.write(f"The old key, {prefix}…, {until}.")

    def _revoke(self, *, prefix: str, **_: Any) -> None:
        key = _find(prefix)
        did = revoke_key(key)
        self.stdout.write(f"The key {key} is revoked." if did else f"The key {key} was revoked already.")

    def _list(self, **_: Any) -> None:
        keys = list(ApiKey.objects.all())
        if not keys:
            self.stdout.write('There are no keys. Make one: manage.py api_key create "whose" --scope predict')
            return
        table = Table("prefix", "name", "scopes", "a minute", "state", "expires", "last used")
        for key in keys:
            table.add_row(
                key.prefix,
                key.name,
                ", ".join(key.scopes),
                str(key.per_minute or ""),
                key.state,
                f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
                f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
            )
        self.out.print(table)

    def _show(self, key: ApiKey, secret: str) -> None:
        self.stdout.write(f"The key for {key.name}, shown this once:\n\n  {secret}\n", self.style.SUCCESS)
        self.stdout.write("Send it as “Authorization: Bearer KEY”. Keep it like a password.")


def _find(prefix: str) -> ApiKey:
    key = ApiKey.objects.filter(prefix=prefix).first()
    if key is None:
        raise CommandError(f"No key begins with {prefix}. `manage.py api_key list` lists them.")
    return key
