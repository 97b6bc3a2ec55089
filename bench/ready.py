"""Django, set up once for all processes that are forked from here."""

import django

django.setup()
