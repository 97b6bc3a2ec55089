"""Local stand-ins for the outside services, in their real wire formats: the real libraries run against them."""
