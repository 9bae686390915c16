"""The form that takes a text."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from classifier.arc import LOOK_FROM, Part, parts_of
from classifier.core.documents import read_document
from classifier.core.errors import TextError, TextTooLong
from classifier.core.text import Reading, check_size, check_text
from classifier.wording import refusal, whole


class TextForm(forms.Form):
    """A pasted text or a file with one; the file wins when both are given.

    ``may_look`` lets a very long text pass for a first look (``is_look``) before all of it is read.
    """

    text = forms.CharField(required=False, strip=False)
    file = forms.FileField(required=False, allow_empty_file=True)

    def __init__(self, *args: Any, may_look: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._may_look = may_look
        self.is_look = False
        # What people should know of a file that was read.
        self.notice = ""
        self.parts: list[Part] = []

    def clean_text(self) -> str:
        """Drop NUL, which no database stores."""
        return str(self.cleaned_data["text"]).replace("\x00", "")

    def clean(self) -> dict[str, Any]:
        """Read the file, if any, and refuse what can't be classified, saying why."""
        cleaned = super().clean() or {}
        limit = settings.GENRE_MAX_TEXT_BYTES
        try:
            if upload := cleaned.get("file"):
                document = read_document(file_of(upload), max_bytes=limit)
                cleaned["text"] = document.text
                if document.is_cut:
                    self.notice = _(
                        "This file holds more than can be read at once: its first %(limit)s bytes of text were read."
                    ) % {"limit": whole(limit)}
            self._check(cleaned.get("text", ""), limit)
        except TextError as error:
            raise forms.ValidationError(refusal(error), code=type(error).__name__) from error
        return cleaned

    def _check(self, text: str, limit: int) -> None:
        check_size(text, max_bytes=limit)
        self.is_look = self._may_look and len(text) >= LOOK_FROM
        if self.is_look:
            return
        self.reading = Reading(text)
        self.parts = parts_of(self.reading)
        check_text(self.reading, max_bytes=limit)

    @property
    def is_file(self) -> bool:
        """Whether the text came from a file, which htmx tells when it sends what the box was filled with."""
        return bool(self.files) or self.data.get("read") == "file"

    @property
    def pasted(self) -> str:
        """The text to put back into the box: what was read, or else what was sent."""
        read = self.cleaned_data.get("text") if hasattr(self, "cleaned_data") else None
        return str(read if read is not None else self.data.get("text", ""))


def file_of(upload: UploadedFile) -> bytes:
    """Return what a file holds.

    Raises
    ------
    TextTooLong
        When it has more than GENRE_MAX_UPLOAD_BYTES.
    """
    limit = settings.GENRE_MAX_UPLOAD_BYTES
    if (upload.size or 0) > limit:
        raise TextTooLong(
            "This file has %(size)s bytes; the most that can be sent is %(limit)s.", size=upload.size or 0, limit=limit
        )
    return bytes(upload.read())
