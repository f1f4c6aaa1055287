/**
 * `POST …/pools/{pool_id}/members/{id}/probe`: one probe outside the schedule, by the prober that owns the member's shard. This
 * process may reach no member: it leaves a request in PostgreSQL and waits for the answer (docs/adr/0028). While it waits it
 * holds no connection. A client that goes away does not end the request: its member stays taken until there is an answer.
 */
import { randomUUID } from 'node:crypto'
import { DomainError } from '../../domain/errors.ts'
import {
  PROBE_REQUEST_MAX_MS,
  PROBE_REQUEST_RETRY_AFTER_SECONDS,
  PROBE_REQUEST_WITHIN_MS,
} from '../../domain/limits.ts'
import { timeoutMs } from '../../domain/options/profiles.ts'
import { NO_RESULT_SENTENCES, type ProbeFinding } from '../../domain/prober/probe-request.ts'
import { isProbed } from '../../domain/status/member-health.ts'
import { statusSentence } from '../../domain/status/status-sentence.ts'
import { deleteProbeRequest, insertProbeRequest } from '../../store/probing/probe-requests.ts'
import { BODY, readJson } from '../http/body.ts'
import type { ApiContext, ApiDependencies, ProbeRequestOutcome, Route } from '../http/context.ts'
import { sharerOf } from '../http/sharer.ts'
import { admitted } from '../http/waiting.ts'
import { parseProbe } from '../schema/probe.ts'
import { visibleFacts } from './member-health.ts'
import type { AnsweredRequest } from './probe-answers.ts'

export interface ProbeNowDialect {
  readonly paths: (path: string) => readonly string[]
}

export function probeNowRoutes(deps: ApiDependencies, dialect: ProbeNowDialect): Route[] {
  return [
    {
      method: 'post',
      paths: dialect.paths('/pools/:pool_id/members/:id/probe'),
      admitsItself: true,
      handler: (ctx) => probeNow(ctx, deps),
    },
  ]
}

async function probeNow(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const counted = await readCounted(ctx)
  let outcome: ProbeRequestOutcome = 'refused'
  try {
    const { proberId, finding } = await answered(ctx, deps, counted, () => {
      outcome = 'unanswered'
    })
    outcome = finding.outcome
    ctx.body = { probe: render(finding, proberId) }
  } finally {
    deps.probes.ended(outcome)
  }
}

async function readCounted(ctx: ApiContext): Promise<boolean> {
  let counted = false
  await ctx.state.admission.withBody(ctx, sharerOf(ctx.state.identity), BODY, async (body) => {
    ctx.state.received = body
    ;({ counted } = parseProbe(await readJson(ctx)))
  })
  return counted
}

interface Request {
  readonly id: string
  readonly withinMs: number
  readonly answer: Promise<AnsweredRequest | undefined>
  readonly giveBack: () => void
}

/** Makes the request and waits. Throws the refusals of `begin`, NOT_PROBED and PROBE_UNANSWERED. */
async function answered(
  ctx: ApiContext,
  deps: ApiDependencies,
  counted: boolean,
  onBegun: () => void,
): Promise<{ readonly proberId: string; readonly finding: ProbeFinding }> {
  const request = await admitted(ctx, () => begin(ctx, deps, counted))
  try {
    onBegun()
    const found = await request.answer
    if (found?.answer.finding !== undefined)
      return { proberId: found.proberId, finding: found.answer.finding }
    if (found?.answer.noResult === 'not_probed') throw notProbed(NO_RESULT_SENTENCES.not_probed)
    if (found === undefined && deps.probes.answers.isClosed) throw stopping()
    throw unanswered(request.withinMs, found?.answer.noResult)
  } finally {
    request.giveBack()
    await forget(deps, request.id)
  }
}

/**
 * Checks that there is something to probe, and leaves the request. Throws NOT_FOUND and FORBIDDEN; NOT_PROBED; PROJECT_BUSY and
 * TOO_MANY_ATTEMPTS; CONFLICT while another probe of this member was asked for.
 */
async function begin(ctx: ApiContext, deps: ApiDependencies, counted: boolean): Promise<Request> {
  const { answers, allowance } = deps.probes
  const facts = await visibleFacts(ctx, deps)
  if (facts.monitor === undefined || !isProbed(facts)) throw notProbed(statusSentence(facts.reason))
  const giveBack = allowance.take(sharerOf(ctx.state.identity))
  const id = randomUUID()
  const withinMs = Math.min(PROBE_REQUEST_MAX_MS, timeoutMs(facts.monitor) + PROBE_REQUEST_WITHIN_MS)
  const answer = answers.waitFor(id, withinMs)
  try {
    if (!(await insertProbeRequest(deps.db, { id, memberId: facts.id, counted, withinMs }))) throw underWay()
    return { id, withinMs, answer, giveBack }
  } catch (error) {
    answers.giveUp(id)
    giveBack()
    throw error
  }
}

/** The answer does not wait for a database that is away: a prober removes what is left. */
async function forget({ db, log }: ApiDependencies, id: string): Promise<void> {
  await deleteProbeRequest(db, id).catch((error: unknown) => {
    log.debug({ err: error, probe_request_id: id }, 'a request for a probe could not be removed')
  })
}

function render(finding: ProbeFinding, proberId: string): Record<string, unknown> {
  const { outcome, reason, detail, flag = null, phases, evidence, at, counted } = finding
  return {
    result: outcome,
    reason,
    detail,
    flag,
    counted,
    at: new Date(at).toISOString(),
    latency_ms: phases.totalMs,
    phases: {
      echo_ms: phases.echoMs ?? null,
      connect_ms: phases.connectMs ?? null,
      tls_ms: phases.tlsMs ?? null,
      first_byte_ms: phases.firstByteMs ?? null,
      total_ms: phases.totalMs,
    },
    evidence,
    prober_id: proberId,
  }
}

function notProbed(why: string): DomainError {
  return new DomainError('NOT_PROBED', `The member cannot be probed: ${why}.`)
}

function underWay(): DomainError {
  return new DomainError(
    'CONFLICT',
    'A probe of this member was asked for already and has not ended. Please try again.',
    { retryAfterSeconds: PROBE_REQUEST_RETRY_AFTER_SECONDS },
  )
}

function stopping(): DomainError {
  return new DomainError(
    'PROBE_UNANSWERED',
    'The service is being stopped, so there is no result. Please try again.',
  )
}

function unanswered(withinMs: number, why: keyof typeof NO_RESULT_SENTENCES | undefined): DomainError {
  const seconds = Math.ceil(withinMs / 1000)
  return new DomainError(
    'PROBE_UNANSWERED',
    why === undefined
      ? `No prober answered within ${seconds} s. Please try again.`
      : `There is no result within ${seconds} s: ${NO_RESULT_SENTENCES[why]}. Please try again.`,
  )
}
