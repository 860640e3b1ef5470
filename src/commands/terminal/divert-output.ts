/** What handlers print while they are loaded would spoil an answer: until the returned function is called they print to standard error. */
export function divertOutput(): () => void {
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = process.stderr.write.bind(process.stderr)
  return () => {
    process.stdout.write = write
  }
}
