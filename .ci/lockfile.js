// Keeps package-lock.json installable: npm leaves a platform binding out of the lock when the registry does not have it
// yet, but `npm ci` demands every name that an entry lists. Such names are dropped; `--check` only says whether any is left.
// It also refuses addresses: the lock must install from whatever registry the machine is set up for.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const dropped = []
let addresses = 0
for (const [path, entry] of Object.entries(lock.packages)) {
  if (entry.resolved !== undefined) {
    addresses += 1
    delete entry.resolved
  }
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`
    if (nested in lock.packages || `node_modules/${name}` in lock.packages) continue
    delete entry.optionalDependencies[name]
    dropped.push(`${path}: ${name}`)
  }
}
if (dropped.length + addresses > 0) {
  if (process.argv.includes('--check')) {
    console.error(
      `package-lock.json: ${dropped.length} dangling optional packages, ${addresses} addresses. Run: npm run lockfile`,
    )
    process.exit(1)
  }
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
}
console.log(`package-lock.json: ${dropped.length} dangling optional packages, ${addresses} addresses removed`)
