import { tryTo } from './try-to.ts'

/** The parts of an address of PostgreSQL; undefined: it is none. One without a host names a socket: `postgresql:///database?host=/run/postgresql`. */
export function readPostgresAddress(text: string): URL | undefined {
  const parsed = tryTo(() => new URL(text.replace('@/', '@localhost/')))
  return parsed?.protocol === 'postgresql:' || parsed?.protocol === 'postgres:' ? parsed : undefined
}

/** Of passwords: a shorter one is a part of other words, and one that is shorter still is a word. */
const SHORT = 8
const SHORTEST = 4

/**
 * Takes an address and its password out of a text. Short passwords are in words that have nothing to do with them: one of less than eight letters is taken out
 * where it stands by itself, and one of less than four only as the password of an address.
 */
export function withoutSecrets(text: string, address: string): string {
  return secretsOfAddress(address).reduce((shown, form) => {
    if (form.length >= SHORT) return shown.replaceAll(form, '[secret]')
    const word = form.replaceAll(/[^\p{L}\p{N}_]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`)
    const places =
      form.length >= SHORTEST
        ? `(?<![\\p{L}\\p{N}_])${word}(?![\\p{L}\\p{N}_])`
        : `(?<=://[^/@\\s:]*:)${word}(?=@)|(?<=[?&]password=)${word}(?=&|$|[^\\p{L}\\p{N}_])`
    return shown.replaceAll(new RegExp(places, 'gu'), '[secret]')
  }, text)
}

/** What nobody may be shown of such an address: all of it, and its password by itself, as it is written there and as it is meant. */
export function secretsOfAddress(text: string): readonly string[] {
  const parsed = readPostgresAddress(text)
  const password = parsed?.password ?? ''
  const forms = [text, password, tryTo(() => decodeURIComponent(password)) ?? '']
  forms.push(...(parsed?.searchParams.getAll('password') ?? []))
  return forms.filter((form) => form !== '')
}
