# The worker in a container of its own, or beside an application: see docs/containers.md. Mount configuration and handlers at
# /etc/clink-worker (config.yaml, handlers/), and give the key as CLINK_API_KEY, or as a file that CLINK_API_KEY_FILE names. The root
# file system can be read-only: what the worker remembers is in the one volume, /var/lib/clink-worker.
#
# BASE needs Node and npm, nothing else. Where packages come from another registry, pass its settings: --secret id=npmrc,src=.npmrc
ARG BASE=node:24-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The scripts of dependencies fetch a Node for development, and our own build needs the sources that are not here yet.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY .ci ./.ci
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts
# What only people who build on the package read.
RUN find dist node_modules -name '*.map' -delete && find dist node_modules -name '*.d.ts' -delete

FROM ${BASE}
ARG VERSION=unreleased
LABEL org.opencontainers.image.title="clink-worker" \
      org.opencontainers.image.description="Works a Clink inbox: claims clinks, runs your handlers, renews, completes or releases" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
ENV NODE_ENV=production STATE_DIRECTORY=/var/lib/clink-worker
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
# What `init` hands out.
COPY systemd /app/systemd
# The user of official Node images. By its number: Kubernetes does not know that a name is not root.
RUN ln -s /app/dist/cli.js /usr/local/bin/clink-worker \
    && mkdir -p /var/lib/clink-worker /etc/clink-worker \
    && chown 1000:1000 /var/lib/clink-worker
VOLUME /var/lib/clink-worker
WORKDIR /etc/clink-worker
USER 1000:1000
# Alive also while Clink is away: only a worker that hangs should be started again.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["clink-worker", "health", "live"]
# The exec form: Node is process 1 and gets the signals itself, without a shell or npm between.
ENTRYPOINT ["node", "/app/dist/cli.js"]
CMD ["run"]
