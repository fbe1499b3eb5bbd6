"""The shop, and two admin sites: one that was extended, one that is ours."""

from django.contrib import admin
from django.urls import path

from taskito.contrib.django.admin import TaskitoAdminSite, register_taskito_admin
from tests.django.project.shop import views

register_taskito_admin()
register_taskito_admin(admin.site)
own = TaskitoAdminSite(name="own")

urlpatterns = [
    path("admin/", admin.site.urls),
    path("own/", own.urls),
    path("orders/", views.order),
    path("orders/later/", views.order_later),
    path("process/", views.process),
]
