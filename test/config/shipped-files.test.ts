import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parse, parseDocument } from 'yaml'
import { z } from 'zod'
import { jsonSchemaText } from '../../src/config/json-schema.ts'
import { configSchema } from '../../src/config/schema.ts'
import { knownPaths, shapeOf, schemaAt } from '../../src/config/schema-paths.ts'
import { statusSchemaText } from '../../src/control/status.ts'
import { envelopeSchemaText } from '../../src/runners/envelope.ts'
import { loadText } from '../support/config-files.ts'

const EXAMPLE = new URL('../../config.example.yaml', import.meta.url)
const SCHEMA = new URL('../../schema/config.schema.json', import.meta.url)
const ENVELOPE = new URL('../../schema/envelope.schema.json', import.meta.url)
const STATUS = new URL('../../schema/status.schema.json', import.meta.url)
const REGENERATE =
  'node -e "import(\'./src/config/json-schema.ts\').then((m) => process.stdout.write(m.jsonSchemaText()))"' +
  ' > schema/config.schema.json'

describe('schema/config.schema.json', () => {
  it('is what the schema in the code says', async () => {
    expect(await readFile(SCHEMA, 'utf8'), `regenerate it: ${REGENERATE}`).toBe(jsonSchemaText())
  })

  it('describes every single key and has its default', () => {
    const schema = JSON.parse(jsonSchemaText())
    for (const path of knownPaths().filter(isLeaf)) {
      const node = path.reduce((around: Node, key) => groupOf(around).properties?.[key] ?? {}, schema)
      expect(node.description, path.join('.')).toMatch(/\.$/)
      expect(node, path.join('.')).toHaveProperty('default')
    }
  })
})

describe('schema/envelope.schema.json', () => {
  it('is what the schema in the code says', async () => {
    const regenerate = REGENERATE.replace('config/json-schema', 'runners/envelope').replaceAll(
      'config.schema',
      'envelope.schema',
    )
    const advice = `regenerate it: ${regenerate.replace('jsonSchemaText', 'envelopeSchemaText')}`
    expect(await readFile(ENVELOPE, 'utf8'), advice).toBe(envelopeSchemaText())
  })
})

describe('schema/status.schema.json', () => {
  it('is what the schema in the code says', async () => {
    const regenerate = REGENERATE.replace('config/json-schema', 'control/status').replaceAll(
      'config.schema',
      'status.schema',
    )
    const advice = `regenerate it: ${regenerate.replace('jsonSchemaText', 'statusSchemaText')}`
    expect(await readFile(STATUS, 'utf8'), advice).toBe(statusSchemaText())
  })
})

interface Node {
  readonly anyOf?: readonly Node[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly default?: unknown
  readonly description?: string
}

/** A group that may be switched off is one of two. */
function groupOf(node: Node): Node {
  return node.anyOf?.find((one) => 'properties' in one) ?? node
}

describe('config.example.yaml', () => {
  it('shows every key with its default', async () => {
    const shown: unknown = parse(await readFile(EXAMPLE, 'utf8'))
    const schema = JSON.parse(jsonSchemaText())
    const defaults = (given: Node): unknown => {
      const { properties, default: value } = groupOf(given)
      if (properties === undefined) return value
      return Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, defaults(child)]))
    }
    expect(shown, 'received: config.example.yaml; expected: the schema').toEqual(defaults(schema))
  })

  it('loads to the same as nothing at all', async () => {
    const text = await readFile(EXAMPLE, 'utf8')
    const { config, warnings } = await loadText(text)
    const empty = await loadText('')
    const paths = { handlers: { directory: '' }, state: { directory: '' } }
    const comparable = (loaded: typeof config) => ({
      ...loaded,
      handlers: { ...loaded.handlers, ...paths.handlers },
      state: { ...loaded.state, ...paths.state },
    })
    expect(comparable(config)).toEqual(comparable(empty.config))
    expect(warnings).toEqual([])
  })

  it('names the schema in its first line, and explains each group', async () => {
    const text = await readFile(EXAMPLE, 'utf8')
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/schema\/config\.schema\.json\n/)
    const document = parseDocument(text)
    const uncommented = Object.keys(configSchema.shape).filter((key) => {
      const before = text.slice(0, text.search(RegExp(`^${key}:`, 'm'))).trimEnd()
      const inside = JSON.stringify(document.get(key, true))
      return !before.split('\n').at(-1)?.startsWith('#') && !inside.includes('#') && key !== 'log' && key !== 'replies'
    })
    expect(uncommented).toEqual([])
  })

  it('shows routes that can be taken as they are', async () => {
    const text = await readFile(EXAMPLE, 'utf8')
    const commented = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line]) => line).join('\n')
    const routes = commented.slice(commented.indexOf('routes:'))
    const { config } = await loadText(routes)
    expect(config.routes).toEqual([
      expect.objectContaining({ name: 'deploy', timeout: 600_000, with: { environment: 'staging' } }),
      expect.objectContaining({ name: 'answer', exec: expect.objectContaining({ written: 'python3' }) }),
      expect.objectContaining({ name: 'agent', exec: expect.objectContaining({ maxOutput: 1_048_576 }) }),
      expect.objectContaining({
        name: '127.0.0.1:8080/clinks',
        http: expect.objectContaining({ connectTimeout: 5_000 }),
      }),
      expect.objectContaining({ name: 'deployments', timeout: 1_200_000 }),
    ])
  })
})

function isLeaf(path: readonly string[]): boolean {
  const schema = schemaAt(path)
  return schema instanceof z.ZodType && Object.keys(shapeOf(schema)).length === 0
}
