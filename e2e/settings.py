"""The product's settings, but that a browser keeps style sheets and scripts for a while, as it does in production."""

from instagrowth.settings import *  # noqa: F403

WHITENOISE_MAX_AGE = 600
