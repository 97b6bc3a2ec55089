"""The members' pages, one module each. Doors: fetch, check, call one function, answer."""
