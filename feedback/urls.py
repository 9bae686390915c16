"""Addresses of corrections, of the audit, and of what a person sent or shared."""

from django.urls import path

from feedback import share_views, views

app_name = "feedback"
urlpatterns = [
    path("", views.create, name="correction-create"),
    # Before the receipts, which are longer than these words.
    path("audit/", views.audit, name="audit-create"),
    path("audit/thanks/", views.audit_thanks, name="audit-thanks"),
    path("mine/", share_views.mine, name="yours-read"),
    path("share/", share_views.create, name="share-create"),
    path("share/<str:secret>/", share_views.manage, name="share-manage"),
    path("<str:receipt>/", views.receipt, name="correction-read"),
]
