"""Doors for programs."""

from django.urls import path

from adminpanel import api, api_bots, api_pairs, api_sessions

urlpatterns = [
    path("login", api.AdminLogin.as_view(), name="api_admin_login"),
    path("verify", api.AdminVerify.as_view(), name="api_admin_verify"),
    path("initialize-password", api.InitializePassword.as_view(), name="api_admin_initialize_password"),
    path("users/create", api.CreateUser.as_view(), name="api_admin_create_user"),
    path("sessions/upload", api_sessions.UploadSessions.as_view(), name="api_admin_upload_sessions"),
    path("sessions/list", api_sessions.ListSessions.as_view(), name="api_admin_list_sessions"),
    path("sessions/verify", api_sessions.VerifySession.as_view(), name="api_admin_verify_session"),
    path("sessions/move", api_sessions.MoveSession.as_view(), name="api_admin_move_session"),
    path("sessions/<str:filename>", api_sessions.DeleteSession.as_view(), name="api_admin_delete_session"),
    path("api-pairs/list", api_pairs.ListPairs.as_view(), name="api_admin_list_pairs"),
    path("api-pairs/add", api_pairs.AddPair.as_view(), name="api_admin_add_pair"),
    path("api-pairs/assign", api_pairs.AssignPair.as_view(), name="api_admin_assign_pair"),
    path("api-pairs/<str:api_id>", api_pairs.DeletePair.as_view(), name="api_admin_delete_pair"),
    path("bots/create", api_bots.CreateBot.as_view(), name="api_admin_create_bot"),
]
