"""The form of a card: it starts with nothing ticked, because prefilled answers bias people."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from classifier.models import Genre
from feedback.review.deciding import Said


class CardForm(forms.Form):
    """What a reviewer says of a card. Whether it makes sense is for ``Said`` to judge."""

    card = forms.IntegerField(min_value=1)
    uid = forms.UUIDField()
    genres = forms.ModelMultipleChoiceField(
        Genre.objects.all(),
        to_field_name="slug",
        required=False,
        error_messages={"invalid_choice": _("There is no genre “%(value)s” in the list any more.")},
    )
    none_fits = forms.BooleanField(required=False)
    unusable = forms.BooleanField(required=False)

    def said(self) -> Said:
        """Return the answer of a valid form."""
        data = self.cleaned_data
        return Said(tuple(genre.slug for genre in data["genres"]), data["none_fits"], data["unusable"])

    def problem(self) -> str:
        """Return the first of the form's errors as a sentence."""
        if "card" in self.errors or "uid" in self.errors:
            return gettext("The browser did not say which card this is. Here is the one before you.")
        return next(str(error) for errors in self.errors.values() for error in errors)


class SettleForm(CardForm):
    """What a third person says of a conflict: there is no claim."""

    uid = None  # type: ignore[assignment]
