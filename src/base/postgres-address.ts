import { tryTo } from './try-to.ts'

/** The parts of an address of PostgreSQL; undefined: it is none. One without a host names a socket: `postgresql:///database?host=/run/postgresql`. */
export function readPostgresAddress(text: string): URL | undefined {
  const parsed = tryTo(() => new URL(text.replace('@/', '@localhost/')))
  return parsed?.protocol === 'postgresql:' || parsed?.protocol === 'postgres:' ? parsed : undefined
}

/** What nobody may be shown of such an address: all of it, and its password by itself, as it is written there and as it is meant. */
export function secretsOfAddress(text: string): readonly string[] {
  const parsed = readPostgresAddress(text)
  const password = parsed?.password ?? ''
  const forms = [text, password, tryTo(() => decodeURIComponent(password)) ?? '']
  forms.push(...(parsed?.searchParams.getAll('password') ?? []))
  return forms.filter((form) => form !== '')
}
