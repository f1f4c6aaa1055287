/** `healthmonitor probe`: the result of a requested probe, in words. */
import { addressAndPort, bracketed } from '../../domain/address/address-and-port.ts'
import { isReason, statusSentence } from '../../domain/status/status-sentence.ts'
import type { ProbeNow } from '../wire.ts'
import { type Line, labelled, phasesInWords } from './health-view.ts'
import { type Screen, type Style, styled } from './screen.ts'

const STYLES: Readonly<Record<ProbeNow['result'], Style>> = {
  passed: 'green',
  failed: 'red',
  inconclusive: 'yellow',
}

/** Lines of label and text; `member` is its name for the user. */
export function probeNowLines(member: string, probe: ProbeNow, screen: Screen): readonly string[] {
  const { result, reason, detail, phases, counted } = probe
  const why = isReason(reason) ? statusSentence(reason) : reason
  const took = phasesInWords(phases)
  return labelled(
    [['member', member]],
    [['result', styled(result, STYLES[result] ?? 'yellow', screen)]],
    [
      ['why', detail === '' ? `${reason}: ${why}` : `${reason}: ${why}: ${detail}`],
      ...targetLine(probe),
      ...(probe.flag === null ? [] : [['says', `it is ${probe.flag}`] as const]),
      ...(took === '' ? [] : [['took', took] as const]),
      ['counted', counted ? 'yes: as the result of a scheduled probe' : 'no: status and counters stay'],
      ['prober', probe.prober_id],
    ],
  )
}

function targetLine({ evidence: { type, address, port, expected } }: ProbeNow): readonly Line[] {
  if (typeof type !== 'string' || typeof address !== 'string' || typeof port !== 'number') return []
  const target = port === 0 ? bracketed(address) : addressAndPort(address, port)
  return [['probed', `${type} ${target}${typeof expected === 'string' ? `, for ${expected}` : ''}`]]
}
