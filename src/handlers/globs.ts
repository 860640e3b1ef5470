/** Whether any of the texts fits any of the patterns, in which `*` stands for any characters and `?` for one. */
export function globs(
  patterns: string | readonly string[],
): (...texts: readonly (string | null | undefined)[]) => boolean {
  const tests = [patterns].flat().map(glob)
  return (...texts) => texts.some((text) => typeof text === 'string' && tests.some((test) => test(text)))
}

export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern)
}

function glob(pattern: string): (text: string) => boolean {
  if (!isGlob(pattern)) return (text) => text === pattern
  const wanted = Array.from(pattern)
  return (text) => fits(Array.from(text), wanted)
}

/**
 * Goes back to the last `*` only: one before it has taken as little as it may, and more would help nobody. So no text takes longer than its
 * length times that of the pattern; a regular expression takes a power of it.
 */
function fits(text: readonly string[], pattern: readonly string[]): boolean {
  let [at, next] = [0, 0]
  let star: { readonly next: number; at: number } | undefined
  while (at < text.length) {
    const wanted = pattern[next]
    if (wanted === '*') {
      next += 1
      star = { next, at }
    } else if (wanted === '?' || wanted === text[at]) {
      at += 1
      next += 1
    } else if (star === undefined) return false
    else {
      star.at += 1
      at = star.at
      next = star.next
    }
  }
  return pattern.slice(next).every((one) => one === '*')
}
