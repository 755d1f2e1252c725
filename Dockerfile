# One image for every role. The role is the command: `up`, `api`, `stream`, `work`, `migrate`, `demo`.
# With podman: `podman build --format docker`, or the health check is left out.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY medianest medianest
COPY projections projections
COPY migrations migrations
RUN python3 -m venv /opt/medianest && /opt/medianest/bin/pip install --no-cache-dir -c constraints.txt .

FROM ${BASE}
# A new volume takes over the owner of the folder it is mounted on.
RUN groupadd --gid 10001 medianest \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /var/lib/medianest medianest \
    && install --directory --owner medianest --group medianest /media \
    && install --directory --owner medianest --group medianest --mode 750 /var/lib/medianest
COPY --from=build /opt/medianest /opt/medianest
ENV PATH=/opt/medianest/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MEDIANEST_DATA=/var/lib/medianest \
    MEDIANEST_HOST=0.0.0.0 \
    MEDIANEST_LOG_FORMAT=json
USER medianest
VOLUME /var/lib/medianest
EXPOSE 8484 8485
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["medianest", "alive"]
ENTRYPOINT ["medianest"]
CMD ["up"]
