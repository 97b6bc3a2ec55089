"""The addresses of a person."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import limits, notices
from accounts.entrance_forms import AddEmailForm
from accounts.refusals import sentence
from errors.exceptions import BotException


class Emails(EmailView):
    """allauth's page, counted; only a confirmed address becomes the main one, and each change is told by mail."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Do what a button says, or say why not."""
        try:
            answer: HttpResponse = super().post(request, *args, **kwargs)
        except BotException as refused:
            messages.error(request, sentence(refused))
            return self._back()
        return answer

    def get_context_data(self, **kwargs: object) -> dict[str, Any]:
        """Tell too whether an address waits to be confirmed."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"unconfirmed": any(not address.verified for address in context["emailaddresses"])}

    def form_valid(self, form: AddEmailForm) -> HttpResponse:
        """Add one."""
        answer: HttpResponse = super().form_valid(form)
        notices.notify(self.request.user, "email_added", self.request, email=form.cleaned_data["email"])
        return answer

    def _action_send(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse | None:
        address = self._chosen(request)
        if address is None or address.verified:
            return self._back()
        limits.take(limits.CONFIRM, address.email)
        return super()._action_send(request)

    def _action_remove(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse | None:
        limits.take(limits.MANAGE_EMAIL, request.user.pk)
        address = self._chosen(request)
        answer = super()._action_remove(request)
        if answer is not None and address is not None and address.verified:
            notices.notify(address.user, "email_deleted", request, to=address.email, deleted_email=address.email)
        return answer

    def _action_primary(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse | None:
        limits.take(limits.MANAGE_EMAIL, request.user.pk)
        address = self._chosen(request)
        if address is not None and not address.verified:
            messages.error(request, f"{address.email} is not confirmed yet: open the link that we sent there first.")
            return self._back()
        return super()._action_primary(request)

    def _chosen(self, request: HttpRequest) -> EmailAddress | None:
        return EmailAddress.objects.filter(user=request.user, email=request.POST.get("email", "").lower()).first()

    def _back(self) -> HttpResponse:
        return redirect(self.get_success_url())


emails_page = Emails.as_view()
