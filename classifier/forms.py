"""The form that takes a text."""

from typing import Any

from django import forms
from django.conf import settings

from classifier.core.errors import TextError
from classifier.core.text import check_text, decode


class TextForm(forms.Form):
    """A pasted text or a .txt file; the file wins when both are given."""

    text = forms.CharField(required=False, strip=False)
    file = forms.FileField(required=False, allow_empty_file=True)

    def clean_text(self) -> str:
        """Drop NUL, which no database stores."""
        return str(self.cleaned_data["text"]).replace("\x00", "")

    def clean(self) -> dict[str, Any]:
        """Read the file, if any, and refuse what can't be classified, saying why."""
        cleaned = super().clean() or {}
        upload = cleaned.get("file")
        limit = settings.GENRE_MAX_TEXT_BYTES
        try:
            if upload:
                cleaned["text"] = decode(upload.read())
            check_text(cleaned.get("text", ""), max_bytes=limit)
        except TextError as error:
            raise forms.ValidationError(str(error), code=type(error).__name__) from error
        return cleaned

    @property
    def pasted(self) -> str:
        """The text to put back into the box: what was read, or else what was sent."""
        read = self.cleaned_data.get("text") if hasattr(self, "cleaned_data") else None
        return str(read if read is not None else self.data.get("text", ""))
