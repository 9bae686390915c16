"""Addresses of the classifier's pages."""

from django.urls import path

from classifier import several, views

app_name = "classifier"
urlpatterns = [
    path("", views.classify, name="text-classify"),
    path("why/", views.explain, name="text-explain"),
    path("several/", several.several, name="texts-classify"),
    path("about/", views.about, name="model-about"),
    path("privacy/", views.privacy, name="privacy-read"),
]
