# The product for a server: web, worker and commands in one image, PostgreSQL beside it (see compose.yaml).
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY requirements/ requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/uv.txt
ENV UV_PROJECT_ENVIRONMENT=/opt/regulars UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/regulars
RUN python -m venv --without-pip /opt/regulars \
    && uv pip sync --no-cache --require-hashes requirements/product.txt
COPY pyproject.toml README.md ./
COPY src/ src/
RUN uv pip install --no-cache --no-deps .

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Regulars" \
      org.opencontainers.image.description="The open-source, self-hosted CRM and workflow engine for online shops" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /var/lib/regulars --create-home --shell /usr/sbin/nologin regulars
COPY --from=build /opt/regulars /opt/regulars
ENV PATH=/opt/regulars/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    REGULARS_HOME=/var/lib/regulars \
    REGULARS_BIND=0.0.0.0 \
    PORT=8000
USER regulars
WORKDIR /var/lib/regulars
VOLUME /var/lib/regulars
EXPOSE 8000
STOPSIGNAL SIGTERM
# The web server's own; compose.yaml gives the worker another.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["regulars"]
CMD ["serve"]
