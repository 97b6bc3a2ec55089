"""A program that knows the product by its addresses alone."""

from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        """Give one field of the answer."""
        return self.body[name]

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Status, name and code of what was refused."""
        return self.status, self["error"], self["error_code"]


class Program:
    """Speaks JSON with a site. Whatever the answer, it must carry its correlation id."""

    def __init__(self, site: str, token: str = "") -> None:
        self.site = site
        self._line = requests.Session()
        self._line.trust_env = False
        if token:
            self._line.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: object) -> Answer:
        return self._ask("GET", path, params=query)

    def post(self, path: str, **body: object) -> Answer:
        return self._ask("POST", path, json=body)

    def patch(self, path: str, **body: object) -> Answer:
        return self._ask("PATCH", path, json=body)

    def log(self, **query: object) -> list[dict[str, Any]]:
        """The activity log, oldest first."""
        return self.get("/api/activity/", page_size=100, **query)["results"][::-1]

    def page(self, path: str) -> tuple[int, str]:
        """Status and text of what is not JSON."""
        came = self._line.get(self.site + path, timeout=30)
        return came.status_code, came.text

    def _ask(self, method: str, path: str, **more: Any) -> Answer:
        came = self._line.request(method, self.site + path, timeout=30, **more)
        answer = Answer(came.status_code, came.json())
        assert answer["correlation_id"] == came.headers["X-Correlation-ID"] != "", answer
        return answer
