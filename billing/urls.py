"""Addresses of plans and payments."""

from django.urls import path

from billing import pages, webhooks

app_name = "billing"
urlpatterns = [
    path("pricing/", pages.pricing, name="pricing"),
    path("billing/", pages.billing, name="billing"),
    path("billing/paid/", pages.paid, name="paid"),
    path("billing/stripe/checkout/", pages.checkout, name="checkout"),
    path("billing/stripe/change/", pages.change, name="change"),
    path("billing/stripe/cancel/", pages.cancel, name="cancel"),
    path("billing/stripe/resume/", pages.resume, name="resume"),
    path("billing/stripe/coupon/", pages.coupon, name="coupon"),
    path("billing/stripe/card/", pages.card, name="card"),
    path("billing/stripe/ask/", pages.ask_stripe, name="ask_stripe"),
    path("webhooks/stripe/", webhooks.stripe_webhook, name="stripe"),
]
