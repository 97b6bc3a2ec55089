"""The settings pages of people and workspaces."""
