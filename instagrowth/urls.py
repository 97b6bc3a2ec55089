"""Every door of the house."""

from allauth.account import views as allauth
from django.conf import settings
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView, TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts import google
from accounts.mails import CATCHER
from accounts.pages import emails, mails, second_factor, sessions
from adminpanel.pages import visit
from adminpanel.site import site
from instagrowth import views

# Its script comes from a second address of the same view; it has no answer to OPTIONS but a fault.
api_docs = require_safe(SpectacularSwaggerSplitView.as_view(url_name="schema"))

urlpatterns = [
    path("", views.home, name="home"),
    path("login", allauth.login, name="account_login_short"),
    path("signup", allauth.signup, name="account_signup_short"),
    path("logout", allauth.logout, name="account_logout_short"),
    path("profile/change-password", allauth.password_change, name="account_change_password_short"),
    path("accounts/2fa/totp/activate/", second_factor.turn_on, name="mfa_activate_totp"),
    path("accounts/2fa/totp/deactivate/", second_factor.turn_off, name="mfa_deactivate_totp"),
    # Before allauth's own under the same addresses and names, which check less.
    path("accounts/oidc/<str:provider_id>/login/", google.enter, name="openid_connect_login"),
    path("accounts/oidc/<str:provider_id>/login/callback/", google.come_back, name="openid_connect_callback"),
    path("accounts/email/", emails.emails_page, name="account_email"),
    path("accounts/sessions/", sessions.sessions_page, name="usersessions_list"),
    path("accounts/sessions/sign-out-others/", sessions.sign_out_others, name="sign_out_others"),
    path("accounts/sessions/<int:key>/sign-out/", sessions.sign_out_one, name="sign_out_one"),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("", include("bots.urls")),
    path("", include("content.analytics_urls")),
    path("", include("content.calendar_urls")),
    path("", include("content.inbox_urls")),
    path("", include("content.studio_urls")),
    path("help/errors/", include("errors.urls")),
    path("api/", include("instagrowth.api_urls")),
    path("visit/stop/", visit.stop, name="visit_stop"),
    path("admin/", site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", api_docs, name="api_docs"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics_page, name="metrics"),
    path("healthz/", RedirectView.as_view(url="/healthz")),
    path("readyz/", RedirectView.as_view(url="/readyz")),
    path("sw.js", TemplateView.as_view(template_name="sw.js", content_type="text/javascript"), name="service_worker"),
    path("offline", TemplateView.as_view(template_name="offline.html"), name="offline"),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", TemplateView.as_view(template_name="styleguide.html"), name="styleguide"))
if settings.MAIL_BACKEND == CATCHER:  # never in production
    urlpatterns += [
        path("mails/", mails.mails_page, name="mails"),
        path("mails/<uuid:key>/", mails.mail_page, name="mail"),
        path("mails/<uuid:key>/html/", mails.mail_html, name="mail_html"),
    ]

handler400 = "errors.views.bad_request"
handler403 = "errors.views.forbidden"
handler404 = "errors.views.not_found"
handler500 = "errors.views.server_error"
