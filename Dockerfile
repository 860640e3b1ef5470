# Mount configuration and handlers at /etc/clink-worker (config.yaml, handlers/), and give the key as CLINK_API_KEY, or as a
# file that CLINK_API_KEY_FILE names. The root file system can be read-only.
ARG BASE=node:24-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The scripts of dependencies fetch a Node for development, and our own build needs the sources that are not here yet.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY .ci ./.ci
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${BASE}
ENV NODE_ENV=production STATE_DIRECTORY=/var/lib/clink-worker
RUN mkdir -p /var/lib/clink-worker /etc/clink-worker && chown node:node /var/lib/clink-worker
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
# What `init` hands out.
COPY systemd /app/systemd
WORKDIR /etc/clink-worker
USER node
# The exec form: Node is process 1 and gets the signals itself, without a shell or npm between.
ENTRYPOINT ["node", "/app/dist/cli.js"]
CMD ["run"]
