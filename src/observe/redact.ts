/** Anything that looks like a key of the service, also one that nobody told us about. */
const KEY_START = 'sk_live_'
const KEY_SHAPE = /sk_live_[\w-]{4,}/g

/** A shorter text is no secret: it occurs everywhere, and taking it out would leave no line readable. */
const SHORTEST = 8

/** May grow: a key that comes later belongs to it too. */
export type Secrets = readonly string[] | ReadonlySet<string>

/**
 * The last line of defence for P13: takes known secrets out of finished text, as they are and as JSON and addresses write them.
 * Whatever writes the text must not rely on it.
 */
export function redactor(secrets: Secrets): (text: string) => string {
  let known = -1
  let keys: readonly string[] = []
  let others: readonly string[] = []
  return (text) => {
    const count = 'size' in secrets ? secrets.size : secrets.length
    if (count !== known) {
      const forms = formsOf([...secrets])
      keys = forms.filter((form) => form.startsWith(KEY_START))
      others = forms.filter((form) => !form.startsWith(KEY_START))
    }
    known = count
    const clean = without(others, text)
    // Keys are most of the secrets: one look finds that there is none of them.
    return clean.includes(KEY_START) ? without(keys, clean).replace(KEY_SHAPE, '[secret]') : clean
  }
}

function without(forms: readonly string[], text: string): string {
  return forms.reduce((clean, form) => clean.replaceAll(form, '[secret]'), text)
}

function formsOf(secrets: readonly string[]): readonly string[] {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= SHORTEST)
      .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]),
  )
  // The longest first: a shorter one may be a part of it.
  return [...forms].sort((a, b) => b.length - a.length)
}
