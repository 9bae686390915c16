"""The HTTP API under /api/v1/: the apps' routers, one way to read bodies, one way to say errors."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from pydantic_core import from_json

from classifier.api import router as genres
from classifier.problems import CONTENT_TYPE, Problem
from classifier.registry import CHAMPION
from feedback.api import by_receipt
from feedback.api import router as corrections

_DESCRIPTION = (
    "Genres of English texts, and corrections of them. Send “Authorization: Bearer KEY”. Errors are "
    "application/problem+json (RFC 9457), whose type never changes."
)


class _Strictly(Parser):
    """JSON as RFC 8259 has it: UTF-8, no NaN, no lone surrogate, no depth that breaks the reader."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            body = from_json(request.body, allow_inf_nan=False)
        except ValueError as error:
            raise Problem("invalid-json", "The body must be one JSON object in UTF-8.") from error
        if not isinstance(body, dict):
            raise Problem("invalid", "The body must be a JSON object.")
        return body


class _Api(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> Any:
        """Return the schema, in which errors have the content type that they have."""
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400 and "application/json" in answer.get("content", {}):
                        answer["content"] = {CONTENT_TYPE: answer["content"].pop("application/json")}
        _complete(schema)
        return schema


def _complete(schema: Any) -> None:
    """Say which models there are to ask, and that the receipt of a correction reads and deletes it."""
    paths = schema["paths"]
    for path in paths.values():
        for parameter in (each for operation in path.values() for each in operation.get("parameters", [])):
            if parameter["name"] == "alias":
                parameter["schema"]["pattern"] = f"^({CHAMPION}|[1-9][0-9]{{0,3}})$"
    (sent,) = (
        path["post"] for path in paths.values() if path.get("post", {}).get("operationId") == "feedback_api_create"
    )
    by_receipt = next(path for name, path in paths.items() if name.endswith("/feedback/{receipt}"))
    sent["responses"][201]["links"] = {
        method: {"operationId": operation["operationId"], "parameters": {"receipt": "$response.body#/receipt"}}
        for method, operation in by_receipt.items()
    }


api = _Api(title="Genre Detector", version="1", description=_DESCRIPTION, urls_namespace="api", parser=_Strictly())
api.add_router("", genres)
api.add_router("", corrections)
api.add_router("", by_receipt)


@api.exception_handler(Problem)
def problem(request: HttpRequest, error: Problem) -> HttpResponse:
    """Answer a problem."""
    return error.response()


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Tell which values are wrong, and never repeat them: they may be somebody's text."""
    # ninja names first what it reads (body, path), and a body's parameter after that, which is called body too.
    places = [found["loc"][2 if found["loc"][0] == "body" else 1 :] for found in error.errors]
    errors = [
        {"where": ".".join(map(str, place)) or "body", "what": found["msg"]}
        for place, found in zip(places, error.errors, strict=True)
    ]
    first = errors[0] if errors else {"where": "", "what": ""}
    return Problem("invalid", f"{first['where']}: {first['what']}", more={"errors": errors}).response()


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what ninja itself can't read; it hides what the parser said."""
    if isinstance(error.__cause__, Problem):
        return error.__cause__.response()
    return Problem("bad-request", "The request can't be read. See the documentation at /api/v1/docs.").response()
