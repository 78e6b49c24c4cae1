# The server over stdio: docker run -i --rm -e ARCHIVE_APP_TOKEN -v archive-mcp:/data IMAGE
# Any base with Python 3.11 or newer, its `venv` and the system's certificates will do.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
# A team's server needs team (compose.yaml). Commas between them; empty leaves out charts and sheets of thumbnails, and makes an image 115 MB smaller.
ARG EXTRAS=charts,pictures
WORKDIR /source
RUN python3 -m venv /opt/archive-mcp
COPY pyproject.toml requirements-dev.lock README.md LICENSE archive_mcp.py ./
COPY server server
COPY tools tools
COPY prompts prompts
COPY scripts/package scripts/package
# The versions that the tests run with, as constraints: their hashes would need every package named.
RUN sed -n 's/^\([a-zA-Z0-9._-]*==[^\\]*[^ \\]\).*/\1/p' requirements-dev.lock > constraints.txt \
    && /opt/archive-mcp/bin/pip install --no-cache-dir --no-compile --constraint constraints.txt ".${EXTRAS:+[$EXTRAS]}" \
    # Installing is over: what did it is of no use to the server.
    && /opt/archive-mcp/bin/pip uninstall --yes --quiet setuptools pip

FROM ${BASE}
# The MCP registry compares it with server.json, as a proof of who publishes the image.
ARG SERVER_NAME=archive-mcp
ARG VERSION=0
LABEL io.modelcontextprotocol.server.name="${SERVER_NAME}" \
      org.opencontainers.image.title="archive-mcp" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/archive-mcp /opt/archive-mcp
# By number, because an orchestrator that forbids root cannot look a name up. The group is root's, so
# that platforms which choose a user themselves can write here too.
# `exports` is there so that a volume which is mounted on it belongs to this user too.
RUN mkdir -p /data/exports && chown -R 10001:0 /data && chmod -R 770 /data
ENV HOME=/data \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ARCHIVE_MCP_STATE_DIR=/data/state \
    ARCHIVE_MCP_EXPORT_DIR=/data/exports
VOLUME /data
WORKDIR /data
USER 10001:0
# No HEALTHCHECK: over stdio the client sees at once when the server is gone, and `doctor` would
# spend API calls for ever.
ENTRYPOINT ["/opt/archive-mcp/bin/archive-mcp"]
