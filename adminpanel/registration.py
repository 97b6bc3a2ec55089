"""All pages of tables: importing this registers them."""

from adminpanel.pages import staff as staff
