"""Addresses of corrections and of the audit."""

from django.urls import path

from feedback import views

app_name = "feedback"
urlpatterns = [
    path("", views.create, name="correction-create"),
    # Before the receipts, which are longer than these words.
    path("audit/", views.audit, name="audit-create"),
    path("audit/thanks/", views.audit_thanks, name="audit-thanks"),
    path("<str:receipt>/", views.receipt, name="correction-read"),
]
