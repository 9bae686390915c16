"""The address of a shared result, as anybody who has its link opens it."""

from django.urls import path

from feedback import share_views

app_name = "shared"
urlpatterns = [
    path("<str:token>/", share_views.read, name="result-read"),
]
