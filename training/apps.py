"""The app that makes models: commands over the pure ``training.core``."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Settings of the app."""

    name = "training"
