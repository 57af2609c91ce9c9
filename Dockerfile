# Two stages: the first builds the environment from the hash-pinned locks, the second runs it as a plain user.
# A test carries these very commands out outside of Docker, and serves from what they made.
FROM python:3.11-slim AS build
WORKDIR /srv
RUN python -m venv /opt/venv
RUN python -m venv /opt/build
COPY requirements.lock requirements-build.lock ./
RUN /opt/venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.lock
RUN /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE NOTICE alembic.ini ./
COPY app ./app
COPY migrations ./migrations
COPY openapi ./openapi
COPY docs ./docs
RUN /opt/build/bin/python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /opt/wheel .
RUN /opt/venv/bin/python -m pip install --no-deps --no-index --find-links /opt/wheel timerabbit-conta

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --no-create-home link
COPY --from=build /opt/venv /opt/venv
USER link
EXPOSE 8000
# The check asks process 1 what it runs: a service at its port, a worker at its metrics if it shows any.
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-m", "app.healthcheck", "1"]
ENTRYPOINT ["timerabbit-conta"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
