import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8')
const lines = read('Dockerfile')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))

test('the base image is an argument of every stage', () => {
  expect(lines[0]).toMatch(/^ARG BASE=[\w./-]+:[\w.-]+$/)
  expect(lines.filter((line) => line.startsWith('FROM '))).toEqual(['FROM ${BASE} AS build', 'FROM ${BASE}'])
})

test('the worker is process 1, gets the signals itself, and is not root', () => {
  expect(last).toContain('ENTRYPOINT ["node", "/app/dist/cli.js"]')
  expect(last).toContain('CMD ["run"]')
  // By its number: Kubernetes does not know that a name is not root.
  expect(last).toContain('USER 1000:1000')
})

test('what is for development stays in the build stage', () => {
  expect(lines.join('\n')).toContain('npm prune --omit=dev')
  expect(last.filter((line) => line.startsWith('COPY '))).toEqual([
    'COPY --from=build /app/package.json /app/',
    'COPY --from=build /app/node_modules /app/node_modules',
    'COPY --from=build /app/dist /app/dist',
    'COPY systemd /app/systemd',
  ])
})

test('everything that the build copies exists and gets past .dockerignore', () => {
  const allowed = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  const copied = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
    .flatMap((line) => line.split(' ').slice(1, -1))
  expect(copied.length).toBeGreaterThan(5)
  for (const name of copied) {
    expect(allowed).toContain(name.replace('./', ''))
    expect(existsSync(new URL(name, root)), name).toBe(true)
  }
})
