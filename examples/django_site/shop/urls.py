"""Orders, and the admin with the pages of taskito."""
# ruff: noqa: TID252 - a site is imported from its own folder

from django.contrib import admin
from django.urls import path

from taskito.contrib.django.admin import register_taskito_admin

from . import views

register_taskito_admin()

urlpatterns = [
    path("admin/", admin.site.urls),
    path("orders/", views.place),
    path("orders/<int:number>/", views.show, name="order"),
]
