# syntax=docker/dockerfile:1
# Builds the program, then leaves everything but the program behind.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/provost /provost

# glibc, the CA certificates, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /provost /usr/local/bin/provost
# The only folder that is written to; everything else works on a read-only root file system.
WORKDIR /data
VOLUME /data
USER 65532:65532
EXPOSE 9464
ENTRYPOINT ["/usr/local/bin/provost"]
CMD ["run", "--config", "/etc/provost/provost.toml"]
