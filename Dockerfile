# One image for web, worker and beat; docker-compose.yml says which it is.
FROM python:3.11-slim
# The SDKs trust the system's certificates, which a slim image lacks.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV PYTHONUNBUFFERED=1 PYTHONUTF8=1
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt
COPY . .
# DATA_DIR holds beat's clock and the collected static files.
RUN useradd --system --create-home --uid 10001 instagrowth && mkdir /data && chown instagrowth /data
USER instagrowth
ENV DATA_DIR=/data DJANGO_SETTINGS_MODULE=instagrowth.settings
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "instagrowth.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--no-server-header", "--no-proxy-headers", "--limit-concurrency", "1000", "--ws-max-size", "65536", \
     "--ws-per-message-deflate", "false"]
