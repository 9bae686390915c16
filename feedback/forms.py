"""The correction form: it starts with nothing ticked, because prefilled answers bias people."""

from django import forms
from django.utils.translation import gettext_lazy as _

from classifier.models import Genre
from feedback.actions import Answer


class CorrectionForm(forms.Form):
    """What a person says of a text. Whether it makes sense is for ``Answer`` to judge."""

    token = forms.CharField()
    text = forms.CharField(strip=False)
    genres = forms.ModelMultipleChoiceField(
        Genre.objects.filter(retired=False),
        to_field_name="slug",
        required=False,
        error_messages={"invalid_choice": _("There is no genre “%(value)s” in the list any more.")},
    )
    none_fits = forms.BooleanField(required=False)
    not_sure = forms.BooleanField(required=False)
    proposal = forms.CharField(required=False, max_length=80)
    note = forms.CharField(required=False, max_length=1000)

    def answer(self) -> Answer:
        """Return the answer of a valid form, the genres in the order they were sent."""
        data = self.cleaned_data
        known = {genre.slug for genre in data["genres"]}
        return Answer(
            genres=tuple(slug for slug in self.data.getlist("genres") if slug in known),
            none_fits=data["none_fits"],
            not_sure=data["not_sure"],
            proposal=data["proposal"].strip(),
            note=data["note"],
        )

    def problems(self) -> list[str]:
        """Return the form's errors as sentences."""
        names = {"proposal": _("The proposed genre"), "note": _("The note")}
        return [
            f"{names[field]}: {error}" if field in names else str(error)
            for field, errors in self.errors.items()
            for error in errors
        ]
