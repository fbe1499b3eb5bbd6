"""The application."""

from importlib import import_module

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "tests.django.project.shop"
    label = "shop"

    def ready(self) -> None:
        import_module("tests.django.project.shop.receivers")
