"""Addresses of the monitor."""

from django.urls import path

from training.monitor import views

app_name = "training"
urlpatterns = [
    path("monitor/", views.monitor, name="monitor-read"),
    path("metrics", views.metrics, name="metrics-read"),
]
