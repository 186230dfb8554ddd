# One image for one centre: the pages, then the binary that carries them, then nothing but it.
#
#   docker build -t bandeau .
#   docker run --network host -v /srv/bandeau:/srv/bandeau bandeau serve --config /srv/bandeau/bandeau.toml

FROM node:20-bookworm-slim AS pages
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

FROM rust:1-bookworm AS binary
WORKDIR /build
COPY . .
COPY --from=pages /build/web/dist web/dist
RUN cargo build --release --locked --bin bandeau

FROM debian:bookworm-slim
# Media ports are many and consecutive: run it on the host's network. Nobody in here is root.
RUN useradd --system --uid 10015 --home-dir /srv/bandeau --create-home bandeau
COPY --from=binary /build/target/release/bandeau /usr/local/bin/bandeau
USER bandeau
WORKDIR /srv/bandeau
STOPSIGNAL SIGTERM
ENTRYPOINT ["bandeau"]
CMD ["serve", "--config", "/srv/bandeau/bandeau.toml"]
