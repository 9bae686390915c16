# The site as a container: what `make run` needs, its static files collected, no root, no secret.
# Everything that is written lies below /data (a volume), /tmp and /dev/shm, so the rest may be mounted read-only.
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python3 -m venv .venv
# Before the code, so that a change of the code does not install everything again.
COPY requirements.txt ./
RUN .venv/bin/pip install -r requirements.txt
COPY manage.py ./
COPY classifier classifier
COPY feedback feedback
COPY training training
COPY genre_site genre_site
COPY cortex cortex
COPY templates templates
COPY static static
# Django does not start without a key; this one signs nothing, and the image has none.
RUN SECRET_KEY=signs-nothing DATABASE_URL=sqlite://:memory: .venv/bin/python manage.py collectstatic --no-input \
    && .venv/bin/python -m compileall -q classifier feedback training genre_site cortex

FROM ${PYTHON_IMAGE}
# A volume that is made of /data gets its owner.
RUN groupadd --gid 10001 genre \
    && useradd --uid 10001 --gid genre --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin genre \
    && install --directory --owner=genre --group=genre --mode=0750 /data
COPY --from=build /app /app
WORKDIR /app
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/db.sqlite3 \
    GENRE_MODEL_DIR=/data/models \
    GENRE_DATA_DIR=/data/books \
    GENRE_LAB_DIR=/data/lab \
    GENRE_LIMITS_FILE=/data/limits.sqlite3
USER 10001:10001
VOLUME /data
EXPOSE 8000
# Whether the process answers: that the database does not is no reason to start the site again. /readyz tells that.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD [".venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Workers show gunicorn that they live by touching a file, which must not wait for a disk.
CMD [".venv/bin/gunicorn", "genre_site.wsgi", "--config", "genre_site/gunicorn_config.py", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]
