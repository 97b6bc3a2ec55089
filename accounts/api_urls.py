"""Doors for programs."""

urlpatterns: list = []
