import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProbeRuntime } from '../../../../src/probe/probe-runtime.ts'
import { logCores } from '../../../../src/schedule/loop/core-log.ts'

test('the log says at info that probes are made by the batch, and warns, with the reason, when they are not', () => {
  const runtime = new ProbeRuntime()
  const told: unknown[][] = []
  const note =
    (level: string) =>
    (fields: object): void =>
      void told.push([level, fields])
  logCores(runtime, { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') })
  for (const [probes, core] of [
    ['TCP', runtime.plainTcp],
    ['HTTP in plain text', runtime.plainHttp],
    ['PING', runtime.ping],
    ['UDP-CONNECT', runtime.udp],
    ['UDP-CONNECT after an echo', runtime.udpAfterEcho],
  ] as const) {
    core.onOpened({ by: 'batch' })
    core.onOpened({ by: 'prober', why: 'no koffi' })
    assert.deepEqual(told.splice(0), [
      ['info', { probes, made_by: 'batch' }],
      ['warn', { probes, made_by: 'prober', why: 'no koffi' }],
    ])
  }
  runtime.close()
})

test('the log warns when answers are lost, and says whether their checks get sockets of their own', () => {
  const runtime = new ProbeRuntime()
  const told: unknown[][] = []
  const none = (): void => undefined
  const warn = (fields: object, text: string): void => void told.push([fields, text])
  logCores(runtime, { debug: none, info: none, warn, error: none })
  for (const [probes, core] of [
    ['PING', runtime.dedicatedPing],
    ['UDP-CONNECT', runtime.dedicatedUdp],
    ['UDP-CONNECT after an echo', runtime.dedicatedUdpAfterEcho],
  ] as const) {
    core.onOpened({ by: 'batch' })
    core.onOpened({ by: 'prober', why: 'no koffi' })
    const cause = 'too many packets arrive, and answers are lost'
    assert.deepEqual(told.splice(0), [
      [{ probes }, `${cause}: checks that lose theirs have sockets of their own`],
      [{ probes, why: 'no koffi' }, `${cause}: failures are inconclusive until this ends`],
    ])
  }
  runtime.close()
})
