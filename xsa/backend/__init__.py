"""Django's PostgreSQL backend, which tells the database in whose name it is asked."""
