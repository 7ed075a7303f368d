# The production image: one for `serve`, `worker` and `migrate`.
# not run here: no Docker engine on the machine it was written on

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/boxoffice
COPY requirements.txt ./
RUN /opt/boxoffice/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.txt
COPY . ./
RUN /opt/boxoffice/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
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
