/** The target of accept-target.c: compiled at first use, so it takes a C compiler (`cc`). */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface AcceptTarget {
  /** Connections accepted since it started. */
  accepted(): Promise<number>
  readonly stop: () => void
}

/** Starts it on `port` of all addresses; the program is made in `folder`. Throws without a compiler. */
export async function startAcceptTarget(folder: string, port: number): Promise<AcceptTarget> {
  const program = join(folder, 'accept-target')
  // Sources are beside `dist`, not in it.
  const source = fileURLToPath(new URL('../../bench/accept-target.c', import.meta.url))
  const { status, stderr, error } = spawnSync('cc', ['-O2', '-o', program, source], { encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`a target that is never woken takes a C compiler: ${error?.message ?? stderr}`)
  const child = spawn(program, [String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  return {
    accepted: async () => {
      child.stdin.write('\n')
      const [count] = (await once(lines, 'line')) as [string]
      return Number(count)
    },
    stop: () => void child.kill('SIGKILL'),
  }
}
