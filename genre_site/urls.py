"""All addresses of the site."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from django.views.i18n import set_language

from genre_site.api import api

urlpatterns = [
    # First, since they are asked most.
    path("api/v1/", api.urls),
    path("", include("classifier.urls")),
    path("corrections/", include("feedback.urls")),
    path("shared/", include("feedback.shared_urls")),
    path("review/", include("feedback.review.urls")),
    path("", include("training.urls")),
    path("admin/", admin.site.urls),
    # Without a token: a forged choice of language harms nobody, and with one each page would set a cookie.
    path("language/", csrf_exempt(set_language), name="language-set"),
    # Browsers ask for it on pages that name no icon, the admin's among them.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("img/icon.svg"))),
]

handler400 = "genre_site.errors.bad_request"
handler403 = "genre_site.errors.forbidden"
handler404 = "genre_site.errors.not_found"
handler500 = "genre_site.errors.server_error"
