/** The lines of a text that say something. */
export function textLines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}
