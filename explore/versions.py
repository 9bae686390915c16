"""The choice of a model: a registered version, a folder that nobody registered, or a run of the lab."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.marks import sabotage_of
from classifier.core.model import GenreModel
from explore import site
from explore.reading import load_model, model_folders, model_label
from training.lab import DONE, Run, runs


@dataclass(frozen=True)
class Choice:
    """A model one may choose; ``number`` is that of its version and ``run`` the id of its run, where it has one."""

    label: str
    folder: Path
    number: int | None = None
    run: str = ""


def model_choices() -> list[Choice]:
    """Return the champion, the other versions, the other folders under GENRE_MODEL_DIR, then the lab's runs.

    Each kind has its newest first.
    """
    if site.unset():
        return []
    choices = [] if site.trouble() else list(_versions())
    known = {choice.folder.resolve() for choice in choices}
    others = [folder for folder in model_folders() if folder.resolve() not in known]
    return [*choices, *(Choice(model_label(folder), folder) for folder in others), *_runs()]


def _runs() -> Iterator[Choice]:
    for run in runs():
        if run.state == DONE:
            yield Choice(run_label(run), run.model, run=run.id)


def run_label(run: Run) -> str:
    """Return what to call a run that is done."""
    return f"{run.name}, accuracy {run.result['accuracy']:.3f}"


def _versions() -> Iterator[Choice]:
    from classifier.models import ModelVersion
    from classifier.registry import folder_of

    newest = ModelVersion.objects.order_by("-number")
    for version in sorted(newest, key=lambda version: version.state != ModelVersion.State.CHAMPION):
        yield Choice(f"{version}, {version.get_state_display().lower()}", folder_of(version), version.number)


def choose_model(key: str, title: str = "Model", *, skip: int = 0) -> Choice | None:
    """Draw the choice of a model, at first number ``skip`` of the list; None, with what to do, when there is none."""
    choices = {choice.label: choice for choice in model_choices()}
    if choices:
        chosen = st.selectbox(title, list(choices), index=min(skip, len(choices) - 1), key=key)
    else:
        st.info(site.unset() or "No model yet. Run `make setup` or `manage.py train`, then reload this page.")
    named = st.text_input("Or the path of a model folder", key=f"{key}-folder", placeholder="empty: the one above")
    if named.strip():
        folder = Path(named.strip()).expanduser().resolve()
        return next(
            (choice for choice in choices.values() if choice.folder.resolve() == folder), Choice(str(folder), folder)
        )
    return choices[chosen] if choices else None


def open_model(choice: Choice) -> GenreModel | None:
    """Return the chosen model, marked when it was made bad on purpose; None, with the reason, when it can't be used."""
    try:
        model: GenreModel = load_model(choice.folder, choice.number)
    except GenreError as error:
        st.error(f"{error} Choose another model above.")
        return None
    if bad := sabotage_of(model.meta):
        st.warning(f"This model was made bad on purpose: {bad}.")
    return model
