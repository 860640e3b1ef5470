/** A value of a label, as it comes: it becomes text when somebody asks. */
type Value = string | number

/** One line of what a metric says. */
interface Sample {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, Value>>
  readonly value: number
}

/** What a registry asks of a metric. */
export interface Metric {
  readonly name: string
  get(): Promise<object>
}

/** A counter that is counted for every clink: an event costs it a number in a map, and nothing else is made of it until somebody asks. */
export class Counter implements Metric {
  readonly type = 'counter'
  readonly name: string
  readonly help: string
  readonly #labels: readonly string[]
  readonly #counts = new Map<Value, Map<Value, number>>()

  /** @param labels two at most. */
  constructor(name: string, help: string, labels: readonly string[]) {
    this.name = name
    this.help = help
    this.#labels = labels
    if (labels.length === 0) this.add('', '', 0)
  }

  /** @param first the value of its first label, where it has any. */
  add(first: Value = '', second: Value = '', by = 1): void {
    const counts = this.#of(first)
    counts.set(second, (counts.get(second) ?? 0) + by)
  }

  /** Of a total that somebody else counts. */
  set(total: number): void {
    this.#of('').set('', total)
  }

  async get() {
    const { help, name, type } = this
    const [one = '', other = ''] = this.#labels
    const values = [...this.#counts].flatMap(([first, counts]) =>
      [...counts].map(([second, value]) => ({ labels: labelled(one, first, labelled(other, second)), value })),
    )
    return await Promise.resolve({ name, help, type, values })
  }

  #of(first: Value): Map<Value, number> {
    let counts = this.#counts.get(first)
    if (counts === undefined) this.#counts.set(first, (counts = new Map<Value, number>()))
    return counts
  }
}

interface Distribution {
  /** Of each bucket alone; the last one has what is above all bounds. */
  readonly counts: number[]
  sum: number
}

/** A histogram of the same kind. */
export class Histogram implements Metric {
  readonly type = 'histogram'
  readonly name: string
  readonly help: string
  readonly #bounds: readonly number[]
  readonly #label: string
  readonly #distributions = new Map<Value, Distribution>()

  /** @param bounds of its buckets, each a part of it. */
  constructor(name: string, help: string, bounds: readonly number[], label = '') {
    this.name = name
    this.help = help
    this.#bounds = bounds
    this.#label = label
    if (label === '') this.#of('')
  }

  observe(value: number, label: Value = ''): void {
    const distribution = this.#of(label)
    distribution.sum += value
    let bucket = 0
    while (value > (this.#bounds[bucket] ?? Infinity)) bucket += 1
    distribution.counts[bucket] = (distribution.counts[bucket] ?? 0) + 1
  }

  async get() {
    const { help, name, type } = this
    const values = [...this.#distributions].flatMap(([label, one]) =>
      this.#samplesOf(one, labelled(this.#label, label)),
    )
    return await Promise.resolve({ name, help, type, values })
  }

  #samplesOf({ counts, sum }: Distribution, labels: Sample['labels']): readonly Sample[] {
    let count = 0
    const buckets = counts.map((more, bucket) => {
      count += more
      return {
        metricName: `${this.name}_bucket`,
        labels: { le: this.#bounds[bucket] ?? '+Inf', ...labels },
        value: count,
      }
    })
    const whole = { sum, count }
    return [
      ...buckets,
      ...(['sum', 'count'] as const).map((key) => ({ metricName: `${this.name}_${key}`, labels, value: whole[key] })),
    ]
  }

  #of(label: Value): Distribution {
    let distribution = this.#distributions.get(label)
    if (distribution === undefined) {
      distribution = { counts: [...this.#bounds.map(() => 0), 0], sum: 0 }
      this.#distributions.set(label, distribution)
    }
    return distribution
  }
}

function labelled(name: string, value: Value, others: Sample['labels'] = {}): Sample['labels'] {
  return name === '' ? others : { [name]: value, ...others }
}
