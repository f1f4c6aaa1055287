/** What is known of mutants and of tests, in a folder, so that a run that was cut goes on. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executed } from './coverage.ts'

export interface Verdict {
  readonly id: string
  /** Source file, with its line. */
  readonly file: string
  readonly line: number
  readonly operator: string
  /** What was there. */
  readonly text: string
  /** Test file and title; null = nobody. */
  readonly noticedBy: string | null
  /** Test files that run the place and that it met. */
  readonly met: number
}

export interface Baseline {
  readonly hash: string
  readonly ms: number
  readonly failed?: string
  readonly executed: Executed
}

export class Results {
  readonly #folder: string
  readonly #verdicts = new Map<string, Verdict>()

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(join(folder, 'tests'), { recursive: true })
    const path = join(folder, 'mutants.jsonl')
    if (!existsSync(path)) return
    for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
      const verdict = JSON.parse(line) as Verdict
      this.#verdicts.set(verdict.id, verdict)
    }
  }

  verdict(id: string): Verdict | undefined {
    return this.#verdicts.get(id)
  }

  add(verdict: Verdict): void {
    this.#verdicts.set(verdict.id, verdict)
    appendFileSync(join(this.#folder, 'mutants.jsonl'), `${JSON.stringify(verdict)}\n`)
  }

  /** What a test file ran, when neither it nor what it imports has changed since. */
  baseline(name: string, hash: string): Baseline | undefined {
    const path = this.#pathOf(name)
    if (!existsSync(path)) return undefined
    const baseline = JSON.parse(readFileSync(path, 'utf8')) as Baseline
    return baseline.hash === hash ? baseline : undefined
  }

  keepBaseline(name: string, baseline: Baseline): void {
    writeFileSync(this.#pathOf(name), JSON.stringify(baseline))
  }

  #pathOf(name: string): string {
    return join(this.#folder, 'tests', `${name.replaceAll('/', '_')}.json`)
  }
}
