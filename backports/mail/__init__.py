"""Mail: what is written, and by which way it goes out."""
