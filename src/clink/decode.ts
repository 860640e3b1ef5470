import type { z } from 'zod'
import { isRecord } from '../base/record.ts'
import { excess } from './bounds.ts'
import type { HILRequired } from './records.ts'
import { hilRequired, type Schema } from './schemas.ts'
import type { List, Malformed } from './signatures.ts'

/** Why an answer's `data` gives no result. */
export class UnusableData extends Error {
  /** `none`: the answer is fine, but nothing was found. */
  readonly kind: 'unreadable' | 'none'

  constructor(kind: 'unreadable' | 'none', message: string) {
    super(message)
    this.kind = kind
  }
}

/** Makes a result of (a part of) an answer; throws `UnusableData`. */
export type Decode<T> = (data: unknown) => T

/** The whole answer is an envelope of a success. */
export function enveloped<T>(decode: Decode<T>): Decode<T> {
  return (whole) => {
    const { success, data } = object(whole)
    if (success !== true) throw new UnusableData('unreadable', 'it does not say success')
    return decode(data)
  }
}

/** Nothing says whether the answer about health has the envelope of the others. */
export function healthOf(whole: unknown): Readonly<Record<string, unknown>> {
  return kept(object(object(whole)['data'] ?? whole))
}

/** Fields that nobody needs, without those that are too much for whoever copies or writes them. */
export function kept(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (excess(fields) === undefined) return fields
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => excess(value) === undefined))
}

export function object(data: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(data)) return data
  throw new UnusableData('unreadable', 'it is not an object')
}

export function array(data: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const value: unknown = data[name]
  if (Array.isArray(value)) return value
  throw new UnusableData('unreadable', `${name} is not a list`)
}

/** The answer is one record. */
export function one<T>(schema: Schema<T>): Decode<T> {
  return (data) => {
    const tooMuch = excess(data)
    if (tooMuch !== undefined) throw new UnusableData('unreadable', tooMuch)
    const { data: record, error } = schema.safeParse(data)
    if (error !== undefined) throw new UnusableData('unreadable', problem(error))
    return record
  }
}

/** The answer is one record, or says that a human must approve first. */
export function approved<T>(schema: z.ZodType<T>): Decode<T | HILRequired> {
  return (data) => one<T | HILRequired>(object(data)['verification_required'] === true ? hilRequired : schema)(data)
}

/**
 * Reads an answer that holds a list of records. A malformed record does not spoil the others. Other fields are kept.
 */
export function list<Name extends string, T>(name: Name, schema: Schema<T>, idField: string): Decode<List<Name, T>> {
  return (data) => {
    const whole = object(data)
    const records: T[] = []
    const malformed: Malformed[] = []
    for (const record of array(whole, name)) {
      const tooMuch = excess(record)
      if (tooMuch !== undefined) {
        // It is not kept: whoever prints or copies it would fail.
        malformed.push({ id: textOf(record, idField), problem: tooMuch, record: undefined })
        continue
      }
      const parsed = schema.safeParse(record)
      if (parsed.success) records.push(parsed.data)
      else malformed.push({ id: textOf(record, idField), problem: problem(parsed.error), record })
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key has type string
    const found = { [name]: records } as { readonly [K in Name]: T[] }
    const { [name]: _, ...others } = whole
    return { ...kept(others), ...found, malformed }
  }
}

/** A text field, or a number as its text, of something that may not even be an object. */
export function textOf(record: unknown, name: string): string | undefined {
  const value: unknown = typeof record === 'object' && record !== null ? Reflect.get(record, name) : undefined
  const text = Number.isSafeInteger(value) ? String(value) : value
  return typeof text === 'string' && text !== '' ? text : undefined
}

function problem(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'record'}: ${issue.message}`).join('; ')
}
