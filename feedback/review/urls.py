"""Addresses of the review queues."""

from django.urls import path

from feedback.review import views
from feedback.review.queue import CORRECTIONS, LABELS

app_name = "review"
urlpatterns = [
    path("", views.card, {"queue": CORRECTIONS}, name="card-read"),
    path("save/", views.save, {"queue": CORRECTIONS}, name="card-save"),
    path("skip/", views.skip_card, {"queue": CORRECTIONS}, name="card-skip"),
    path("undo/", views.undo_last, {"queue": CORRECTIONS}, name="card-undo"),
    path("labels/", views.card, {"queue": LABELS}, name="label-read"),
    path("labels/save/", views.save, {"queue": LABELS}, name="label-save"),
    path("labels/skip/", views.skip_card, {"queue": LABELS}, name="label-skip"),
    path("labels/undo/", views.undo_last, {"queue": LABELS}, name="label-undo"),
    path("agreement/", views.agreement, name="agreement-read"),
    path("conflicts/", views.conflicts, name="conflict-list"),
]
