/**
 * A process of its own for probes that need another environment (a network namespace, few descriptors). Takes targets as
 * JSON in argv[2], with `--exhaust` uses up all descriptors first, and prints one `TYPE REASON DETAIL` per line.
 */
import { openSync } from 'node:fs'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { closeEchoChannels, closeSctpChannels, probers } from './probers.ts'

const targets = JSON.parse(process.argv[2] ?? '[]') as readonly ProbeTarget[]

function exhaustDescriptors(): void {
  for (;;) {
    try {
      openSync('/dev/null', 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EMFILE') return
      throw error
    }
  }
}

for (const target of targets) {
  // Each time: Node opens and closes files of its own when it likes.
  if (process.argv.includes('--exhaust')) exhaustDescriptors()
  await new Promise<void>((resolve) => {
    const cancel = probers[target.type](target, ({ reason, detail }) => {
      clearTimeout(timer)
      process.stdout.write(`${target.type} ${reason} ${detail}\n`)
      resolve()
    })
    const timer = setTimeout(cancel, target.timeoutMs, 'timeout')
  })
}
closeEchoChannels()
closeSctpChannels()
