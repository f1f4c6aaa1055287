/** One test file in a process of its own, which ends with the first failure. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface TestRun {
  readonly root: string
  /** As `unit/domain/options/presets.test.js`. */
  readonly file: string
  readonly timeoutMs: number
  readonly environment: NodeJS.ProcessEnv
}

export interface TestOutcome {
  readonly ms: number
  /** Title of the first test that failed; `(crash)`, `(timeout)`; undefined = all passed. */
  readonly failed: string | undefined
}

const NOT_OK = /^ *not ok \d+ - (.*)$/m

export function runTest({ root, file, timeoutMs, environment }: TestRun): Promise<TestOutcome> {
  const startedMs = performance.now()
  const args = ['--test-reporter=tap', join(root, 'dist/test', file)]
  // A group of its own, so that what a test starts ends with it.
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  return new Promise((resolve) => {
    let failed: string | undefined
    let output = ''
    const end = (why: string): void => {
      failed ??= why
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    const timer = setTimeout(() => end('(timeout)'), timeoutMs)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const title = NOT_OK.exec(output)?.[1]
      if (title !== undefined && !title.includes('# SKIP')) end(title)
      // A line may come in two pieces; what a failure shows may be long, and comes after its title.
      output = output.slice(-4000)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (code !== 0) failed ??= '(crash)'
      resolve({ ms: performance.now() - startedMs, failed })
    })
  })
}
