"""Mail that comes in: kept first, then opened, and then acted on, quarantined or refused; never lost."""
