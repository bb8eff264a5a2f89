"""What a mail says: bytes in, frozen values out. Nothing is kept, fetched or run, and nothing of Django is needed."""

from .letter import MAX_MAIL, Head, Letter, Part, Unreadable, read

__all__ = ["MAX_MAIL", "Head", "Letter", "Part", "Unreadable", "read"]
