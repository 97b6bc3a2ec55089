"""Doors for programs."""

from django.urls import path

from accounts import api, api_factor, api_password, api_team, api_tokens

urlpatterns = [
    path("auth/login", api.Login.as_view(), name="api_login"),
    path("auth/logout", api.Logout.as_view(), name="api_logout"),
    path("auth/me", api.WhoAmI.as_view(), name="api_me"),
    path("auth/verify-otp", api_factor.VerifyOtp.as_view(), name="api_verify_otp"),
    path("auth/2fa/enable", api_factor.Enable.as_view(), name="api_factor_enable"),
    path("auth/2fa/confirm", api_factor.Confirm.as_view(), name="api_factor_confirm"),
    path("auth/2fa/disable", api_factor.Disable.as_view(), name="api_factor_disable"),
    path("auth/password/reset", api_password.Reset.as_view(), name="api_reset"),
    path("auth/password/reset/confirm", api_password.ConfirmReset.as_view(), name="api_reset_confirm"),
    path("users/<uuid:user_id>/change-password", api.ChangePassword.as_view(), name="api_change_password"),
    path("tokens/", api_tokens.Tokens.as_view(), name="api_tokens"),
    path("tokens/<slug:key>/", api_tokens.OneToken.as_view(), name="api_token"),
    path("workspaces/", api_team.Workspaces.as_view(), name="api_workspaces"),
    path("team/", api_team.WholeTeam.as_view(), name="api_team"),
    path("team/invitations", api_team.Invitations.as_view(), name="api_invite"),
    path("team/invitations/<uuid:invitation>", api_team.OneInvitation.as_view(), name="api_invitation"),
    path("team/<uuid:person>", api_team.OnePerson.as_view(), name="api_teammate"),
]
