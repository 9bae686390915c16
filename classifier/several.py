"""The page for several texts at once: a table goes in, and comes back with genres."""

import logging
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from classifier.batch import MOST_ROWS, SHOWN_ROWS, Answers, answer
from classifier.core.errors import CorpusError, ModelError, TextError
from classifier.core.sheet import Sheet, read_sheet
from classifier.forms import file_of
from classifier.http import page_or_partial
from classifier.turns import Busy, a_turn
from classifier.wording import refusal, whole

logger = logging.getLogger(__name__)
PAGE = "classifier/several.html"
BUSY = _("Another table is being read just now. Yours is still chosen: send it again in a few seconds.")
NO_MODEL = _("No model answers yet. Whoever runs this site needs to train a model first.")


class SheetForm(forms.Form):
    """A table, and which of its columns holds the texts."""

    table = forms.FileField(required=False, allow_empty_file=True)
    column = forms.CharField(required=False, max_length=80)
    sheet: Sheet

    def clean(self) -> dict[str, Any]:
        """Read the table."""
        cleaned = super().clean() or {}
        upload = cleaned.get("table")
        if not upload:
            raise forms.ValidationError(_("Choose a CSV file first."))
        try:
            self.sheet = read_sheet(file_of(upload), column=cleaned.get("column", ""), most_rows=MOST_ROWS)
        except (CorpusError, TextError) as error:
            raise forms.ValidationError(refusal(error)) from error
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def several(request: HttpRequest) -> HttpResponse:
    """Show the form; with a table, show what is said of its rows, and give it back."""
    context: dict[str, Any] = {"most_rows": whole(MOST_ROWS), "column": request.POST.get("column", "")[:80]}
    if request.method == "POST":
        form = SheetForm(request.POST, request.FILES)
        if form.is_valid():
            context |= _answered(form.sheet)
        else:
            context["problems"] = [error for errors in form.errors.values() for error in errors]
    return page_or_partial(request, PAGE, context, partial="several-result")


def _answered(sheet: Sheet) -> dict[str, Any]:
    try:
        with a_turn():
            return _context(answer(sheet))
    except Busy:
        return {"problems": [BUSY]}
    except ModelError as error:
        logger.error("No model answers: %s", error)
        return {"problems": [NO_MODEL]}


def _context(answers: Answers) -> dict[str, Any]:
    sheet = answers.sheet
    return {
        "n_rows": len(answers.lines),
        "n_unanswered": sum(bool(line.problem) for line in answers.lines),
        "text_column": sheet.header[sheet.column] or _("column %(number)s") % {"number": sheet.column + 1},
        "lines": answers.uncertain_first()[:SHOWN_ROWS],
        "link": answers.link(),
    }
