/**
 * Part of `api.js`: reads the stream of events and notes how long after its decision each event of a member came. A process of
 * its own: thousands of events would keep the bench from reading answers, and count as their latency.
 */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { PROJECT } from './api-rows.ts'
import type { Lateness } from './stream-lateness.ts'

const OF_A_MEMBER = '"type":"member.status"'
const TIME = /"time":"([^"]+)"/

let latenesses: number[] = []
const sent = request(`${process.argv[2]}/v1/events`, {
  headers: { accept: 'text/event-stream', 'x-project-id': PROJECT },
})
sent.end()
const [response] = (await once(sent, 'response')) as [IncomingMessage]
if (response.statusCode !== 200) throw new Error(`the stream was refused: ${response.statusCode}`)
let rest = ''
response.setEncoding('utf8').on('data', (text: string) => {
  const nowMs = Date.now()
  const messages = (rest + text).split('\n\n')
  rest = messages.pop() ?? ''
  for (const message of messages) {
    const time = message.includes(OF_A_MEMBER) ? TIME.exec(message)?.[1] : undefined
    if (time !== undefined) latenesses.push(nowMs - Date.parse(time))
  }
})
process.on('message', () => {
  const sorted = latenesses.toSorted((a, b) => a - b)
  latenesses = []
  const at = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN
  process.send?.({ events: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) } satisfies Lateness)
})
process.once('disconnect', () => process.exit(0))
process.send?.('ready')
