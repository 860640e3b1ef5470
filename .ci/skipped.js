// A reporter for the test runner: says why each skipped test was skipped. One that gives no reason fails the run.
export default class SkippedReporter {
  #isFiltered = false

  onInit({ config }) {
    this.#isFiltered = config.testNamePattern !== undefined
  }

  onTestRunEnd(modules) {
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const { note } = test.result()
        // What a filter leaves out has no reason of its own.
        if (note === undefined && this.#isFiltered) continue
        console.log(`skipped: ${module.relativeModuleId} > ${test.fullName}: ${note ?? 'NO REASON GIVEN'}`)
        if (note === undefined) process.exitCode = 1
      }
    }
  }
}
