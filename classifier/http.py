"""One way to answer both a plain request and an HTMX one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control, patch_vary_headers


def wants_partial(request: HttpRequest, partial: str) -> bool:
    """Return whether HTMX asks to fill the element of that id. A boosted navigation has another target."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and htmx.target == partial


def page_or_partial(request: HttpRequest, template: str, context: dict[str, Any], *, partial: str) -> TemplateResponse:
    """Render ``template`` whole, or only its partial when HTMX asks to fill the element of that id.

    A partial's name is the DOM id it fills.
    """
    wanted = f"{template}#{partial}" if wants_partial(request, partial) else template
    response = TemplateResponse(request, wanted, {**context, "is_partial": wanted != template})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def whole_page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """Render ``template`` whole, also where HTMX asked for a part: it then replaces all that the page holds."""
    response = TemplateResponse(request, template, context)
    if request.headers.get("HX-Request"):
        for header, value in (("Retarget", "#main"), ("Reselect", "#main"), ("Reswap", "outerHTML")):
            response[f"HX-{header}"] = value
    patch_vary_headers(response, ["HX-Request"])
    return response


def hold_back(request: HttpRequest, response: HttpResponse, seconds: int) -> HttpResponse:
    """Tell programs that it was too often, and when to come again; htmx swaps no answer of 4xx."""
    response["Retry-After"] = str(seconds)
    response.status_code = 200 if request.headers.get("HX-Request") else 429
    return response


def for_one_person(response: HttpResponse) -> HttpResponse:
    """Keep a page that a secret link opens out of caches and search engines."""
    patch_cache_control(response, private=True, no_store=True)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def bearer_token(request: HttpRequest) -> str | None:
    """Return what the request sends as a bearer; '' with another scheme, None without any."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    return token.strip() if scheme.lower() == "bearer" else ""
