const NAMED = { '\r': '\\r' }

/**
 * Text of others with its control and direction characters made visible, as `printable` of src/observe/printable.ts has it: they could show
 * something else than is there. Ends of lines and tabs stay, since here they move nothing.
 */
export function visible(text) {
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu,
    (found) =>
      NAMED[found] ?? (/[\n\t]/.test(found) ? found : `\\u${found.codePointAt(0).toString(16).padStart(4, '0')}`),
  )
}
