# Builds upline and runs it on its embedded PostgreSQL, or on DATABASE_URL when that is set.
#
#   docker build -t upline .
#   docker run --init -p 8080:8080 -v upline:/var/lib/upline upline
#   docker run --init -p 8080:8080 -e DATABASE_URL=postgres://user:secret@db/upline upline
#
# `--init` gives the container a first process that reaps what a killed database leaves.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin upline

FROM debian:bookworm-slim
# Debian would make and start a cluster of its own; upline keeps its own under /var/lib/upline.
RUN mkdir -p /etc/postgresql-common \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
       -o Dpkg::Options::=--force-confold ca-certificates postgresql-15 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/upline --shell /usr/sbin/nologin upline \
    && install -d -o upline -g upline -m 0700 /var/lib/upline
COPY --from=build /src/target/release/upline /usr/local/bin/upline

USER upline
WORKDIR /var/lib/upline
ENV UPLINE_DATA_DIR=/var/lib/upline
VOLUME /var/lib/upline
EXPOSE 8080
# The first start makes the database; a stop lets it write its checkpoint.
STOPSIGNAL SIGTERM
# No HTTP client is installed: bash asks whether the server is ready.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["/usr/local/bin/upline"]
CMD ["serve", "--listen", "0.0.0.0:8080"]
