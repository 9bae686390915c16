"""The HTTP API of the classifier: genres, the model that answers, and the genres of texts."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Field, Path, Router, Schema
from pydantic import BeforeValidator, ConfigDict

from classifier.answers import UNEXPLAINED, reference, suggestion
from classifier.api_guard import Needs, Scope, caller
from classifier.core.errors import ModelError, TextTooLong
from classifier.core.explain import explain
from classifier.core.highlight import word_places
from classifier.core.marks import sabotage_of
from classifier.core.text import UNREADABLE, Reading, check_text
from classifier.models import Genre, Prediction
from classifier.predictions import Asked, ask
from classifier.problems import Problem
from classifier.registry import CHAMPION, ActiveModel, champion

router = Router(tags=["genres"], auth=Needs(Scope.PREDICT))
MOST_TEXTS = 256
EXPLAINED_WORDS = 10
# Of a word that a long text repeats.
EXPLAINED_PLACES = 20


class ProblemOut(Schema):
    """An error, as RFC 9457 says it; ``type`` never changes, ``detail`` says what to do."""

    type: str
    title: str
    status: int
    detail: str


class Strict(Schema):
    """A body in which a misspelt field is an error and not a default."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _whole(value: Any) -> Any:
    """Take 5.0 for 5, as JSON does not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Its limit is in bytes, which a schema can't say.
Text = Annotated[str, Field(description=f"At most {settings.GENRE_MAX_TEXT_BYTES:,} bytes of UTF-8.")]
Limit = Annotated[int, Field(ge=1, le=100, description="How many genres at most."), BeforeValidator(_whole)]
Alias = Annotated[str, Path(description=f"“{CHAMPION}”, or the number of the version that is.")]
Threshold = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="The smallest score that is told.")]


class SuggestIn(Strict):
    """A text and what is asked of it."""

    text: Text
    limit: Limit = 5
    threshold: Threshold = 0.0
    explain: Annotated[bool, Field(description="Tell what words add to each genre, and what it reads like.")] = False


class DocumentIn(Strict):
    """One of several texts."""

    text: Text
    document_id: Annotated[str, Field(max_length=200, description="Comes back with the answer.")] | None = None


class SuggestBatchIn(Strict):
    """Several texts and what is asked of each."""

    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=MOST_TEXTS)]
    limit: Limit = 5
    threshold: Threshold = 0.0


class ClassifyParameters(Strict):
    """As Hugging Face names them."""

    top_k: Limit | None = None


class ClassifyIn(Strict):
    """The request of Hugging Face's text-classification task."""

    inputs: Text | Annotated[list[Text], Field(min_length=1, max_length=MOST_TEXTS)]
    parameters: ClassifyParameters = ClassifyParameters()


class GenreOut(Schema):
    """A genre people and models may name."""

    slug: str
    name: str
    description: str


class GenresOut(Schema):
    """All genres, by name."""

    genres: list[GenreOut]


class ModelRef(Schema):
    """Which version said it."""

    alias: str
    version: int
    sabotage: Annotated[str | None, Field(description="How it was made bad on purpose; null for an honest one.")]


class ModelOut(ModelRef):
    """The version that answers."""

    sha256: str
    genres: list[str]
    language: str | None


class ModelsOut(Schema):
    """The models that may be asked."""

    models: list[ModelOut]


class ResultOut(Schema):
    """A genre and its score, a probability from 0 to 1."""

    slug: str
    name: str
    score: float
    chosen: Annotated[
        bool, Field(description="Whether it reaches the genre's own threshold; never in a model without.")
    ]


class WordOut(Schema):
    """What a word adds to a genre's logit."""

    word: str
    contribution: float
    places: Annotated[
        list[tuple[int, int]],
        Field(description="Where the text holds it, [start, end) in Unicode characters; the first of many."),
    ]


class ExplanationOut(Schema):
    """The words that speak most for and against a genre."""

    slug: str
    total: Annotated[float, Field(description="What all words add: the genre's logit less the mean of all genres'.")]
    words: list[WordOut]


class PassageOut(Schema):
    """A passage of the site's own starter corpus that the text reads like, in the eyes of the model."""

    title: str
    text: str
    genres: list[str]
    similarity: Annotated[float, Field(description="The cosine, at most 1.")]


class SuggestionOut(Schema):
    """What the model says of one text."""

    document_id: str | None = None
    prediction_id: Annotated[str | None, Field(description="Names it in a correction; null when no model read it.")]
    results: list[ResultOut]
    abstained: Annotated[bool, Field(description="True where no genre is sure enough; results are the nearest.")]
    reason: Annotated[str | None, Field(description="Why the model abstained.")]


class SuggestOut(SuggestionOut):
    """What the model says of the text."""

    model: ModelRef
    explanation: list[ExplanationOut] | None = None
    reads_like: list[PassageOut] | None = None


class SuggestBatchOut(Schema):
    """What the model says of each text, in the order they came in."""

    model: ModelRef
    documents: list[SuggestionOut]


class LabelOut(Schema):
    """A label as Hugging Face gives it."""

    label: str
    score: float


ERRORS: dict[int, Any] = dict.fromkeys((400, 401, 403, 413, 422, 429, 500, 503), ProblemOut)
MODEL_ERRORS = ERRORS | {404: ProblemOut}


@router.get(
    "/genres", auth=Needs(Scope.PREDICT, Scope.FEEDBACK), response={200: GenresOut} | ERRORS, summary="All genres"
)
def genres(request: HttpRequest) -> dict[str, Any]:
    """Tell the genres that people and models may name."""
    caller(request).take()
    return {"genres": list(Genre.objects.filter(retired=False).values("slug", "name", "description"))}


@router.get("/models", response={200: ModelsOut} | ERRORS, summary="The models that answer")
def models(request: HttpRequest) -> dict[str, Any]:
    """Tell which version answers as which alias."""
    caller(request).take()
    active = _champion()
    meta = active.model.meta
    about = {
        "sha256": meta["model_sha256"],
        "genres": sorted(active.model.slugs),
        "language": meta.get("language"),
    }
    return {"models": [_reference(active) | about]}


@router.post("/models/{alias}/suggest", response={200: SuggestOut} | MODEL_ERRORS, summary="Genres of a text")
def suggest(request: HttpRequest, alias: Alias, body: SuggestIn) -> HttpResponse:
    """Tell the genres of a text; ``alias`` is ``champion`` or the number of the version that is."""
    caller(request).take()
    active, reading = _named(alias), Reading(body.text)
    asked = _ask(reading)
    said = _suggestion(asked, body.limit, body.threshold)
    if isinstance(asked, Asked):
        active = asked.active
    wanted = body.explain and said["results"]
    told = _explained(active, reading, said["results"]) if wanted else UNEXPLAINED
    return _json({"model": _reference(active)} | said | told)


@router.post(
    "/models/{alias}/suggest-batch", response={200: SuggestBatchOut} | MODEL_ERRORS, summary="Genres of many texts"
)
def suggest_batch(request: HttpRequest, alias: Alias, body: SuggestBatchIn) -> HttpResponse:
    """Tell the genres of up to 256 texts."""
    caller(request).take(len(body.documents))
    active, documents = _named(alias), []
    for document in body.documents:
        asked = _ask(Reading(document.text))
        active = asked.active if isinstance(asked, Asked) else active
        documents.append({"document_id": document.document_id} | _suggestion(asked, body.limit, body.threshold))
    return _json({"model": _reference(active), "documents": documents})


@router.post(
    "/models/{alias}/text-classification",
    response={200: list[list[LabelOut]] | list[LabelOut]} | MODEL_ERRORS,
    summary="Genres in Hugging Face's shape",
)
def text_classification(request: HttpRequest, alias: Alias, body: ClassifyIn) -> HttpResponse:
    """Tell labels and scores, a list for each text; of a single text the list itself."""
    texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    caller(request).take(len(texts))
    _named(alias)
    found = []
    for text in texts:
        asked = _ask(Reading(text))
        scores = asked.prediction.top(body.parameters.top_k or 5, 0.0) if isinstance(asked, Asked) else []
        found.append([{"label": genre.slug, "score": genre.score} for genre in scores])
    return _json(found[0] if isinstance(body.inputs, str) else found)


@contextmanager
def a_model_answers() -> Iterator[None]:
    """Say as a problem that no model does."""
    try:
        yield
    except ModelError as error:
        raise Problem("no-model", "No model answers at the moment. Try again later.") from error


def _champion() -> ActiveModel:
    with a_model_answers():
        return champion()


def _named(alias: str) -> ActiveModel:
    active = _champion()
    if alias not in (CHAMPION, str(active.number)):
        raise Problem("unknown-model", f"Ask “{CHAMPION}”; GET models tells which version that is.")
    return active


def _ask(reading: Reading) -> Asked | str:
    """Return what the champion says; the reason why, where the text is not one to be read."""
    try:
        check_text(reading, max_bytes=settings.GENRE_MAX_TEXT_BYTES)
    except TextTooLong as error:
        raise Problem("too-large", str(error)) from error
    except tuple(UNREADABLE) as error:
        return UNREADABLE[type(error)]
    with a_model_answers():
        return ask(reading, source=Prediction.Source.API, at_once=False)


def _suggestion(asked: Asked | str, limit: int, threshold: float) -> dict[str, Any]:
    if isinstance(asked, str):
        return suggestion(uid=None, scores=(), abstained=asked)
    prediction = asked.prediction
    chosen = {genre.slug for genre in prediction.chosen}
    top = prediction.top(limit, threshold)
    scores = ((genre.slug, genre.score, genre.slug in chosen) for genre in top)
    return suggestion(uid=asked.shown.uid, scores=scores, abstained=prediction.abstained)


def _explained(active: ActiveModel, reading: Reading, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the words that weigh most for each result, and what the text reads like."""
    try:
        found = explain(active.model, reading)
    except ModelError:
        return UNEXPLAINED
    places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for place in word_places(reading):
        for word in place.words:
            places[word].append((place.start, place.end))
    explained = []
    for result in results:
        parts = found.contributions(result["slug"], against_others=True)
        heaviest = sorted(parts, key=lambda part: (-abs(part[1]), part[0]))[:EXPLAINED_WORDS]
        words = [
            {"word": word, "contribution": round(value, 6), "places": places.get(word, [])[:EXPLAINED_PLACES]}
            for word, value in heaviest
        ]
        total = sum(value for _, value in parts)
        explained.append({"slug": result["slug"], "total": round(total, 6), "words": words})
    near = active.neighbours.nearest(found.direction, reading) if active.neighbours else []
    passages = [asdict(alike.passage) | {"similarity": round(alike.cosine, 6)} for alike in near]
    return {"explanation": explained, "reads_like": passages}


def _reference(active: ActiveModel) -> dict[str, Any]:
    return reference(active.number, sabotage_of(active.model.meta))


def _json(body: Any) -> HttpResponse:
    # Built here, so it need not be checked against its own schema with every request; tests do.
    return HttpResponse(json.dumps(body), content_type="application/json")
