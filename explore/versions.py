"""The choice of a model: a registered version, or a folder that nobody registered."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.marks import sabotage_of
from classifier.core.model import GenreModel
from explore import site
from explore.reading import load_model, model_folders, model_label


@dataclass(frozen=True)
class Choice:
    """A model one may choose; ``number`` is that of its version, None when it has none."""

    label: str
    folder: Path
    number: int | None = None


def model_choices() -> list[Choice]:
    """Return the registered versions, newest first, then the other folders under GENRE_MODEL_DIR."""
    choices = [] if site.trouble() else list(_versions())
    known = {choice.folder.resolve() for choice in choices}
    others = [folder for folder in model_folders() if folder.resolve() not in known]
    return [*choices, *(Choice(model_label(folder), folder) for folder in others)]


def _versions() -> Iterator[Choice]:
    from classifier.models import ModelVersion
    from classifier.registry import folder_of

    for version in ModelVersion.objects.order_by("-number"):
        yield Choice(f"{version}, {version.get_state_display().lower()}", folder_of(version), version.number)


def choose_model(key: str, title: str = "Model", *, skip: int = 0) -> Choice | None:
    """Draw the choice of a model, at first number ``skip`` of the list; None, with what to do, when there is none."""
    choices = {choice.label: choice for choice in model_choices()}
    if not choices:
        st.info("No model yet. Run `make setup` or `manage.py train`, then reload this page.")
        return None
    chosen = st.selectbox(title, list(choices), index=min(skip, len(choices) - 1), key=key)
    return choices[chosen]


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
