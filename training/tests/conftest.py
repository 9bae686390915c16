"""Corrections and reviewers, as the tests of feedback make them."""

from feedback.tests.conftest import make_correction, reviewer, reviewer_client

__all__ = ["make_correction", "reviewer", "reviewer_client"]
