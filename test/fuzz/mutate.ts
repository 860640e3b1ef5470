import * as fc from 'fast-check'
import { isRecord } from '../../src/base/record.ts'

/** Stands in a text for what no object of JavaScript can hold, or `JSON.stringify` cannot write. */
const RAW: Readonly<Record<string, string>> = {
  '"[deep list]"': `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  '"[deep object]"': `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  '"[1e999]"': '1e999',
  '"[-0]"': '-0',
  '"[many digits]"': '9'.repeat(400),
  '"[above all safe ones]"': '9007199254740993',
  '"[lone]"': String.raw`"\ud800"`,
  '"[escaped]"': String.raw`"\u0000\u001b[31m\u202e\u2028"`,
}

/** A place in JSON, as a share of all the places in it. */
const place = fc.nat(9_999)
const NAMES = ['__proto__', 'constructor', 'toString', 'then', 'clinks', 'data', 'error', 'message', 'length', '']
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e308, '', ' ', '.', '..', '../x', 'a/b', '0', 'null'),
  fc.constantFrom<unknown>([], {}, [[]], [null], { length: 3 }, 'x'.repeat(5_000), 'x'.repeat(300_000)),
  fc.constantFrom(...Object.keys(RAW).map((marker): unknown => JSON.parse(marker))),
  fc.constantFrom('2026-13-45T99:99:99Z', '0001-01-01T00:00:00Z', '+275760-09-13T00:00:00Z', '2999-01-01T00:00:00Z'),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.jsonValue({ maxDepth: 3 }),
)

/** One change of JSON: of a value in it, or of its text. */
export type Mutation =
  | { readonly is: 'set' | 'wrap'; readonly at: number; readonly value: unknown }
  | { readonly is: 'drop' | 'repeat'; readonly at: number }
  | { readonly is: 'add'; readonly at: number; readonly name: string; readonly value: unknown }
  | { readonly is: 'cut'; readonly at: number }
  | { readonly is: 'insert'; readonly at: number; readonly text: string }
  | { readonly is: 'whole'; readonly text: string }

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('set'), at: place, value: odd }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('drop'), at: place }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('repeat'), at: place }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('wrap'), at: place, value: odd }) },
  {
    weight: 2,
    arbitrary: fc.record({ is: fc.constant('add'), at: place, name: fc.constantFrom(...NAMES), value: odd }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('cut'), at: place }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('insert'),
      at: place,
      text: fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('whole'),
      text: fc.oneof(
        fc.constantFrom('', ' ', 'null', '[]', '{}', '"x"', '<html>', 'true', '\uFEFF{}', '{"success":true}'),
        fc.constantFrom('{"success":true,"data":null}', '{"success":false}', '{"success":false,"error":{"a":[1]}}'),
        fc.json(),
        fc.string({ unit: 'binary' }),
      ),
    }),
  },
) as fc.Arbitrary<Mutation>

/** JSON with so many changes, one after the other. */
export const mutations = (most = 4): fc.Arbitrary<readonly Mutation[]> =>
  fc.array(mutation, { minLength: 1, maxLength: most })

/** The text of `value` with all of these changes. Those of the text come last. */
export function mutated(value: unknown, changes: readonly Mutation[]): string {
  const box = { root: structuredClone(value) }
  for (const change of changes) changeValue(box, change)
  let text = JSON.stringify(box.root) ?? ''
  for (const [marker, raw] of Object.entries(RAW)) text = text.replaceAll(marker, () => raw)
  for (const change of changes) text = changedText(text, change)
  return text
}

/** Who holds a value, and by which name. */
type Held = readonly [holder: object, name: string]

function changeValue(box: { root: unknown }, change: Mutation): void {
  if (change.is === 'cut' || change.is === 'insert' || change.is === 'whole') return
  const all: Held[] = [[box, 'root'], ...heldIn(box.root)]
  const [holder, name] = all[change.at % all.length] ?? [box, 'root']
  const value: unknown = Reflect.get(holder, name)
  switch (change.is) {
    case 'set':
      setOwn(holder, name, change.value)
      break
    case 'wrap':
      setOwn(holder, name, [value, change.value])
      break
    case 'drop':
      if (Array.isArray(holder)) holder.splice(Number(name), 1)
      else if (holder !== box) Reflect.deleteProperty(holder, name)
      break
    case 'repeat':
      if (Array.isArray(holder)) holder.push(structuredClone(value))
      break
    case 'add':
      if (isRecord(value)) setOwn(value, change.name, change.value)
  }
}

function heldIn(value: unknown): Held[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, part]): Held[] => [[value, name], ...heldIn(part)])
}

/** A copy of `value`: a later change may put one into the other. */
function setOwn(holder: object, name: string, given: unknown): void {
  const value: unknown = structuredClone(given)
  Object.defineProperty(holder, name, { value, configurable: true, enumerable: true, writable: true })
}

function changedText(text: string, change: Mutation): string {
  if (change.is === 'whole') return change.text
  if (change.is === 'cut') return text.slice(0, change.at % (text.length + 1))
  if (change.is !== 'insert') return text
  const at = change.at % (text.length + 1)
  return text.slice(0, at) + change.text + text.slice(at)
}
