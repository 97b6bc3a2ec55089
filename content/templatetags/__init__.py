"""Tags of the content tools' pages."""
