"""Settings pages, and the pages of workspaces and invitations."""

from django.urls import include, path

from accounts.pages import approvals, brand, invitation, notifications, person, places, privacy, team, tokens, workspace

app_name = "accounts"
settings = [
    path("", person.settings_page, name="settings"),
    path("person/", person.save_person, name="save_person"),
    path("notifications/", notifications.choice_page, name="notice_choice"),
    path("notifications/save/", notifications.save_choice, name="save_notice_choice"),
    path("notifications/test/", notifications.try_hook, name="try_hook"),
    path("workspace/", workspace.workspace_page, name="workspace"),
    path("workspace/brand/", brand.save_brand, name="save_brand"),
    path("workspace/brand/remove-logo/", brand.remove_logo, name="remove_logo"),
    path("tokens/", tokens.tokens_page, name="tokens"),
    path("tokens/new/", tokens.new_token, name="new_token"),
    path("tokens/revoke-all/", tokens.revoke_all_tokens, name="revoke_all_tokens"),
    path("tokens/<slug:key>/revoke/", tokens.revoke_token, name="revoke_token"),
    path("team/", team.team_page, name="team"),
    path("team/invite/", team.invite, name="invite"),
    path("team/invitations/<uuid:invitation>/resend/", team.resend, name="resend_invitation"),
    path("team/invitations/<uuid:invitation>/take-back/", team.take_back, name="take_back_invitation"),
    path("team/transfer/", team.transfer, name="transfer"),
    path("team/leave/", team.leave, name="leave"),
    path("team/<uuid:person>/role/", team.change_role, name="change_role"),
    path("team/<uuid:person>/remove/", team.remove, name="remove"),
    path("privacy/", privacy.privacy_page, name="privacy"),
    path("privacy/archive/", privacy.archive, name="archive"),
    path("privacy/archive/<uuid:key>/", privacy.download, name="download_archive"),
    path("privacy/delete-workspace/", privacy.delete_workspace, name="delete_workspace"),
    path("privacy/delete-account/", privacy.delete_account, name="delete_account"),
    path("privacy/keep-workspace/", privacy.keep_workspace, name="keep_workspace"),
    path("privacy/keep-account/", privacy.keep_account, name="keep_account"),
    path("approvals/", approvals.approvals_page, name="approvals"),
    path("approvals/want/", approvals.want, name="want_approval"),
    path("approvals/<uuid:proposal>/decide/", approvals.decide, name="decide"),
    path("approvals/<uuid:proposal>/withdraw/", approvals.withdraw, name="withdraw"),
]
urlpatterns = [
    path("settings/", include(settings)),
    path("notifications/", notifications.notifications_page, name="notifications"),
    path("notifications/bell/", notifications.bell, name="bell"),
    path("notifications/read/", notifications.read_all, name="read_all"),
    path("notifications/<int:number>/open/", notifications.open_notification, name="open_notification"),
    path("announcements/<int:number>/put-away/", notifications.put_away, name="put_away"),
    path("workspace/mine", places.mine, name="mine"),
    path("workspace/switch", places.switch, name="switch"),
    path("workspace/new", places.new, name="new_workspace"),
    path("invitations/<str:token>/", invitation.invitation_page, name="invitation"),
    path("brand/preview.css", brand.preview, name="brand_preview"),
    path("brand/<uuid:workspace>.css", brand.stylesheet, name="brand_css"),
    path("brand/<uuid:workspace>/logo.png", brand.logo, name="brand_logo"),
]
