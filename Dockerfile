# The production image: one for `serve`, `worker` and `migrate`.
# not run here: no Docker engine on the machine it was written on

# Give the bases by their digests: a tag can be moved. No digest stands here, because no image registry was in reach
# where this was written. Look them up, and review them like dependencies:
#   docker buildx imagetools inspect python:3.11-slim-bookworm
#   docker build --build-arg BASE=python:3.11-slim-bookworm@sha256:... --build-arg NODE=node:22-bookworm-slim@sha256:... .
ARG BASE=python:3.11-slim-bookworm
ARG NODE=node:22-bookworm-slim

# ALTCHA's widget for our pages, without the packages of developers and without running a script of any. It solves
# a challenge in workers beside the page; a page without it tries the numbers by itself, which takes longer.
FROM $NODE AS widget
WORKDIR /web
COPY web/package.json web/package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM $BASE AS build
WORKDIR /src
RUN python -m venv /opt/boxoffice
COPY requirements.txt ./
RUN /opt/boxoffice/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.txt
COPY . ./
COPY --from=widget /web/node_modules/altcha/dist_external web/node_modules/altcha/dist_external
RUN /opt/boxoffice/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM $BASE
RUN useradd --system --uid 10001 --no-create-home boxoffice
COPY --from=build /opt/boxoffice /opt/boxoffice
ENV PATH=/opt/boxoffice/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    BOXOFFICE_ENVIRONMENT=production \
    BOXOFFICE_HOST=0.0.0.0 \
    BOXOFFICE_PORT=8000 \
    BOXOFFICE_METRICS_PORT=9464 \
    BOXOFFICE_DATA_DIR=/tmp/boxoffice
USER 10001
EXPOSE 8000 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["boxoffice"]
CMD ["serve"]
