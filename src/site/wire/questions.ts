/** What probers ask of the relay, and what it answers. */
import type { ProbeAnswer, ProbeRequest } from '../../domain/prober/probe-request.ts'
import type { Witness } from '../../domain/site/witnesses.ts'
import type { ParentState } from '../../domain/status/dependencies.ts'

export interface Questions {
  readonly parents: {
    readonly projectId: string
    readonly parents: readonly string[]
    readonly withinMs: number
  }
  readonly witnesses: { readonly memberIds: readonly string[] }
  readonly 'probe-requests': {
    readonly owner: string
    /** Shards with their epochs. */
    readonly held: readonly (readonly [shard: number, epoch: number])[]
    readonly inHand: readonly string[]
    readonly most: number
  }
  readonly 'probe-answers': {
    readonly owner: string
    readonly answers: readonly {
      readonly request: Pick<ProbeRequest, 'id' | 'shard' | 'epoch'>
      readonly answer: ProbeAnswer
    }[]
  }
}

export interface Answers {
  readonly parents: readonly (readonly [id: string, state: ParentState])[]
  readonly witnesses: readonly Witness[]
  readonly 'probe-requests': readonly ProbeRequest[]
  readonly 'probe-answers': true
}
