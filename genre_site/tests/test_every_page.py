"""Every page, the admin's included, keeps to one strict policy and holds nothing that the policy forbids."""

from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.urls import reverse

from classifier.predictions import predict_text
from feedback.actions import Answer, submit_correction
from feedback.sharing import share_result

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# What the admin offers for each of its tables.
ADMIN_VIEWS = ("changelist", "add", "change", "history", "delete")


class Forbidden(HTMLParser):
    """Collects what runs or styles inside a page, and what comes from elsewhere."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        inline = tag == "style" or (tag == "script" and "src" not in given and given.get("type") != "application/json")
        named = [name for name in given if name == "style" or name.startswith("on")]
        sources = [given.get(name) or "" for name in ("src", "href", "action")]
        foreign = [source for source in sources if source.startswith(("javascript:", "//"))]
        loaded = [source for source in sources[:1] if source.startswith("http")]
        if inline or named or foreign or loaded:
            self.found.append((tag, attrs))


def problems_of(response):
    """Return what is wrong with a response."""
    told = {part.strip() for part in response.get("Content-Security-Policy", "").split(";")}
    # Of an address that is itself a secret nobody is told.
    headers = HEADERS | ({"Referrer-Policy": "no-referrer"} if "/shared/" in response.request["PATH_INFO"] else {})
    problems = [f"{name}: {response.get(name)}" for name, value in headers.items() if response.get(name) != value]
    if told != POLICY:
        problems.append(f"policy {told}")
    if "camera=()" not in response.get("Permissions-Policy", ""):
        problems.append("no Permissions-Policy")
    return problems + Forbidden(response.content.decode()).found


@pytest.fixture
def correction(champion):
    return submit_correction(
        shown=predict_text(TEXT, source="page"), text=TEXT, answer=Answer(genres=("fantasy",)), visitor="x"
    )


@pytest.fixture
def share(champion):
    return share_result(shown=predict_text(TEXT, source="page"), text=TEXT, visitor="x")


@pytest.fixture
def addresses(correction, share, admin_user):
    """Return the address of every page that can be opened by itself, and two that can't."""
    found = [
        "/",
        "/?example=nothing-is-called-so",
        "/several/",
        "/about/",
        "/privacy/",
        "/corrections/",
        "/corrections/audit/thanks/",
        f"/corrections/{correction.receipt}/",
        "/corrections/mine/",
        f"/corrections/share/{share.secret}/",
        f"/shared/{share.token}/",
        "/review/",
        "/review/labels/",
        "/review/conflicts/",
        "/review/agreement/",
        "/monitor/",
        "/metrics",
        "/no/such/page",
        *(reverse(f"admin:{name}") for name in ("index", "password_change", "password_change_done")),
        *(reverse("admin:app_list", args=[label]) for label in ("auth", "classifier", "feedback")),
        "/admin/no-such-page/",
    ]
    for model in admin.site._registry:
        first = model._default_manager.first()
        for view in ADMIN_VIEWS:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
            if view in ("changelist", "add"):
                found.append(reverse(name))
            elif first is not None:
                found.append(reverse(name, args=[first.pk]))
    return found


@pytest.mark.functional
def test_every_page_keeps_to_the_strict_policy(admin_client, addresses):
    assert len(addresses) > 40
    pages = {address: admin_client.get(address) for address in addresses}
    assert {response.status_code for response in pages.values()} <= {200, 302, 403, 404, 405}
    assert sum(response.status_code == 200 for response in pages.values()) > 25
    assert {address: found for address, page in pages.items() if (found := problems_of(page))} == {}


def test_what_a_post_answers_keeps_to_it_too(client, admin_client, champion, settings):
    answers = [
        client.post("/", {"text": TEXT}),
        client.post("/", {"text": "two words"}),
        client.post("/admin/login/", {"username": "nobody", "password": "x"}),
        admin_client.post("/admin/logout/"),
    ]
    settings.GENRE_MAX_FORM_BYTES = 10
    answers.append(client.post("/", {"text": TEXT}))
    assert [response.status_code for response in answers] == [200, 200, 200, 200, 413]
    assert [found for response in answers if (found := problems_of(response))] == []
