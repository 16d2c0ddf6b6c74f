# The playground and its workers in one image. docker-compose.yml says how they run.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY celery/package.json celery/
COPY server/package.json server/
COPY client/package.json client/
RUN npm ci --ignore-scripts
COPY tsconfig.base.json ./
COPY celery celery
COPY server server
COPY client client
RUN node_modules/.bin/tsc -b server && npm run build --workspace celery --workspace client

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json .npmrc ./
COPY celery/package.json celery/
COPY server/package.json server/
COPY client/package.json client/
# No program of a package is run at installation: everything here comes ready from the registry.
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY celery/bin celery/bin
COPY --from=build /app/celery/dist celery/dist
COPY --from=build /app/server/dist server/dist
COPY --from=build /app/client/dist client/dist
COPY lessons lessons
# The learner's files; a volume made from here belongs to the user below.
RUN mkdir .workspace && chown node:node .workspace
USER node
EXPOSE 7480
CMD ["node", "server/dist/main.js", "--no-open"]
