"""All addresses of the site."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

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
    # Browsers ask for it on pages that name no icon, the admin's among them.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("img/icon.svg"))),
]

handler400 = "genre_site.errors.bad_request"
handler403 = "genre_site.errors.forbidden"
handler404 = "genre_site.errors.not_found"
handler500 = "genre_site.errors.server_error"
