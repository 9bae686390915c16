"""Addresses of corrections."""

from django.urls import path

from feedback import views

app_name = "feedback"
urlpatterns = [
    path("", views.create, name="correction-create"),
    path("<str:receipt>/", views.receipt, name="correction-read"),
]
