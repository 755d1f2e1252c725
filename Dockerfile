# One image for every role: `api`, `stream`, `work`, `up`, `migrate`. The role is the command.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY medianest medianest
COPY projections projections
COPY migrations migrations
RUN python3 -m venv /opt/medianest && /opt/medianest/bin/pip install --no-cache-dir -c constraints.txt .

FROM ${BASE}
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/medianest medianest
COPY --from=build /opt/medianest /opt/medianest
ENV PATH=/opt/medianest/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MEDIANEST_DATA=/var/lib/medianest \
    MEDIANEST_HOST=0.0.0.0 \
    MEDIANEST_LOG_FORMAT=json
USER medianest
VOLUME /var/lib/medianest
EXPOSE 8484
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["medianest", "alive"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["medianest"]
CMD ["up"]
