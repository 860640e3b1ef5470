import type { Start } from './languages.ts'

/** The configuration that `init` writes. */
export function configurationOf({ routes = '' }: Pick<Start, 'routes'>): string {
  return `# clink-worker. Everything has a default: these are the settings that are looked at first.
# All of them, with their meanings, are in config.example.yaml of the package.

# The key is not written here: it comes from the environment, CLINK_API_KEY or CLINK_API_KEY_FILE.

# How many clinks are worked at once.
concurrency: 10

handlers:
  directory: ./handlers
  # How long one run may take.
  timeout: 15m
${routes}
retry:
  # Starts of a handler before a clink is given up. 1: no second try.
  attempts: 5
  backoff: 5s
  # A sender whose clink is given up gets a short answer that says so. Without this line (release) the clink goes back to the inbox, for
  # other workers, and its sender hears nothing.
  onExhausted: complete

log:
  level: info
`
}

export function readmeOf({ about, install, test }: Start): string {
  const first = install === undefined ? '' : `${install}\n`
  return `# A Clink worker

Works a [Clink](https://clink.voxos.ai) inbox with [clink-worker](https://www.npmjs.com/package/clink-worker).

${about}

\`\`\`sh
${first}${test}
npx clink-worker dev               # on an embedded Clink, without a key: it says how you send it a clink
\`\`\`

On your inbox, with a key from clink.voxos.ai:

\`\`\`sh
export CLINK_API_KEY=sk_live_…
npx clink-worker check --online    # is all in order?
npx clink-worker run
\`\`\`

\`clink-worker.yaml\` has the settings, \`clink-worker.service\` is a systemd unit: its first lines say how it is installed. What failed is listed by
\`npx clink-worker failed list\`. What the worker must not forget is in \`state/\`: keep it out of version control, and do not remove it.
`
}
