FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/client/package.json ./packages/client/
# Without the packages for traces. With them: docker build --build-arg OMIT=dev
ARG OMIT="dev --omit=optional"
RUN npm ci --omit=$OMIT --ignore-scripts
# What nobody runs: maps and types.
RUN find node_modules -type f \( -name "*.map" -o -name "*.d.ts" -o -name "*.d.mts" -o -name "*.d.cts" \) -delete

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/client/package.json ./packages/client/
RUN npm ci --include=dev --ignore-scripts
COPY tsconfig.json ./
COPY packages ./packages
COPY scripts ./scripts
COPY src ./src
RUN node scripts/build.mjs
RUN find dist packages/client/dist -type f \( -name "*.map" -o -name "*.d.ts" -o -name "*.d.mts" -o -name "*.d.cts" \) -delete

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The broker takes its tables of the protocol from the client library.
COPY --from=build /app/packages/client/dist ./packages/client/dist
USER node
# 8080: clients. 9090: admin, on the loopback address unless SOLESEAT_ADMIN_HOST says otherwise.
EXPOSE 8080 9090
# /livez, at the host and port of SOLESEAT_ADMIN_HOST and SOLESEAT_ADMIN_PORT: a node must outlive an outage of Redis.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=6 \
  CMD ["node", "dist/cli/health-check.js"]
# REDIS_URL and the token keys come from outside: serve says which are missing.
CMD ["node", "dist/cli/main.js", "serve"]
