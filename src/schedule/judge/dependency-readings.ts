/**
 * The status of the parents of each project, read about once a second. Each project has its own reading with its own
 * time limit: costly parents of one project do not delay another. Quick readings take turns in one lane; a reading that
 * exceeded the short limit there goes to a second lane, with a longer limit, and then pauses for a multiple of its
 * duration.
 *
 * A project whose readings fail for longer than a limit is blind: the status of its parents is unknown, so results of
 * its children count again. While PostgreSQL is away the last readings stay valid: nothing is published meanwhile.
 */
import type { ParentState } from '../../domain/status/dependencies.ts'
import {
  DEPENDENCY_BLIND_MS,
  DEPENDENCY_POLL_MS,
  DEPENDENCY_QUICK_MS,
  DEPENDENCY_REST_SHARE,
  DEPENDENCY_SLOW_MS,
} from '../../domain/limits.ts'
import type { Log } from '../log.ts'

export interface DependencyMetrics {
  dependencyReadingFailed(): void
  /** Projects whose parents could not be read for longer than the bound. */
  dependenciesBlind(projects: number): void
}

export interface DependencyReadingsOptions {
  /** The status of those of these parents that are failing or OFFLINE; rejects after `withinMs`. */
  readonly read: (
    projectId: string,
    parents: readonly string[],
    withinMs: number,
  ) => Promise<ReadonlyMap<string, ParentState>>
  /** Whether PostgreSQL is away, as opposed to too slow for this reading. */
  readonly isAway: (error: unknown) => boolean
  readonly metrics: DependencyMetrics
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** What is known of the parents of a project. */
export interface ProjectReading {
  /** Parents that are OFFLINE or failing. */
  readonly states: ReadonlyMap<string, ParentState>
  /** When the last good reading began; -Infinity before the first. */
  readonly readMs: number
  readonly isBlind: boolean
}

/** Names what the checks of a pool depend on. */
type Parents = readonly string[]

interface Project extends ProjectReading {
  readonly id: string
  readonly pools: Map<string, Parents>
  /** Distinct, over all pools; undefined after a change. */
  parents: Parents | undefined
  states: ReadonlyMap<string, ParentState>
  readMs: number
  dueMs: number
  /** When the first of the failures in a row came. */
  failingSinceMs: number | undefined
  isBlind: boolean
}

interface Lane {
  readonly withinMs: number
  /** In no order: a project that pauses is due later than the others. */
  readonly waiting: Set<Project>
  timer: NodeJS.Timeout | undefined
  reading: Promise<void> | undefined
}

export class DependencyReadings {
  readonly #options: DependencyReadingsOptions
  readonly #now: () => number
  readonly #projects = new Map<string, Project>()
  readonly #quick: Lane = makeLane(DEPENDENCY_QUICK_MS)
  readonly #slow: Lane = makeLane(DEPENDENCY_SLOW_MS)
  #blind = 0
  #isAway = false
  #isDestroyed = false

  constructor(options: DependencyReadingsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  of(projectId: string): ProjectReading | undefined {
    return this.#projects.get(projectId)
  }

  /** What the checks of a pool depend on; empty = on nothing. */
  setPool(projectId: string, poolId: string, parents: Parents): void {
    if (parents.length === 0) {
      this.removePool(projectId, poolId)
      return
    }
    const known = this.#projects.get(projectId)
    const project = known ?? newProject(projectId, this.#now())
    project.pools.set(poolId, parents)
    project.parents = undefined
    if (known !== undefined) return
    this.#projects.set(projectId, project)
    this.#quick.waiting.add(project)
    this.#run(this.#quick)
  }

  removePool(projectId: string, poolId: string): void {
    const project = this.#projects.get(projectId)
    if (project === undefined || !project.pools.delete(poolId)) return
    project.parents = undefined
    if (project.pools.size > 0) return
    this.#projects.delete(projectId)
    for (const lane of [this.#quick, this.#slow]) lane.waiting.delete(project)
    this.#see(project)
  }

  destroy(): void {
    this.#isDestroyed = true
    for (const lane of [this.#quick, this.#slow]) clearTimeout(lane.timer)
  }

  async close(): Promise<void> {
    this.destroy()
    await Promise.all([this.#quick.reading, this.#slow.reading])
  }

  /** Makes the next reading of a lane as soon as it is due. */
  #run(lane: Lane): void {
    if (lane.reading !== undefined || this.#isDestroyed) return
    clearTimeout(lane.timer)
    const next = firstDue(lane.waiting)
    if (next === undefined) return
    const inMs = next.dueMs - this.#now()
    if (inMs > 0) {
      lane.timer = setTimeout(() => this.#run(lane), inMs)
      return
    }
    lane.waiting.delete(next)
    lane.reading = this.#read(next, lane).finally(() => {
      lane.reading = undefined
      this.#run(lane)
    })
  }

  async #read(project: Project, lane: Lane): Promise<void> {
    const startedMs = this.#now()
    project.parents ??= [...new Set([...project.pools.values()].flat())]
    let isQuick = lane === this.#quick
    // The project may leave during the reading and come back as a new entry: this entry must not be read or counted any
    // more.
    const isGone = () => this.#projects.get(project.id) !== project
    try {
      project.states = await this.#options.read(project.id, project.parents, lane.withinMs)
      project.readMs = startedMs
      project.failingSinceMs = undefined
      this.#see(project)
      if (this.#isAway) this.#options.log.info({}, 'the status of dependencies is read again')
      this.#isAway = false
      isQuick = this.#now() - startedMs < DEPENDENCY_QUICK_MS
    } catch (error) {
      this.#options.metrics.dependencyReadingFailed()
      if (this.#options.isAway(error)) this.#noteAway(error)
      else {
        isQuick = false
        if (!isGone()) this.#noteFailure(project, error)
      }
    }
    if (isGone()) return
    const endedMs = this.#now()
    const restMs = isQuick ? 0 : DEPENDENCY_REST_SHARE * (endedMs - startedMs)
    project.dueMs = endedMs + Math.max(DEPENDENCY_POLL_MS, restMs)
    const next = isQuick ? this.#quick : this.#slow
    next.waiting.add(project)
    this.#run(next)
  }

  #noteAway(error: unknown): void {
    if (!this.#isAway)
      this.#options.log.warn(
        { err: error },
        'the status of dependencies cannot be read; the last readings count',
      )
    this.#isAway = true
  }

  #noteFailure(project: Project, error: unknown): void {
    const nowMs = this.#now()
    project.failingSinceMs ??= nowMs
    if (project.isBlind || nowMs - project.failingSinceMs < DEPENDENCY_BLIND_MS) return
    project.isBlind = true
    this.#options.log.warn(
      { err: error, project_id: project.id, parents: project.parents?.length },
      'what members of a project depend on cannot be read: their failures count by themselves',
    )
    this.#countBlind(1)
  }

  /** Its parents are known, or not needed any more. */
  #see(project: Project): void {
    if (!project.isBlind) return
    project.isBlind = false
    this.#options.log.info({ project_id: project.id }, 'what members of a project depend on is read again')
    this.#countBlind(-1)
  }

  #countBlind(by: 1 | -1): void {
    this.#blind += by
    this.#options.metrics.dependenciesBlind(this.#blind)
  }
}

/** A few hundred projects wait, and one is taken per reading: a scan costs less than keeping an order. */
function firstDue(waiting: Iterable<Project>): Project | undefined {
  let first: Project | undefined
  for (const project of waiting) if (first === undefined || project.dueMs < first.dueMs) first = project
  return first
}

function makeLane(withinMs: number): Lane {
  return { withinMs, waiting: new Set(), timer: undefined, reading: undefined }
}

function newProject(id: string, nowMs: number): Project {
  return {
    id,
    pools: new Map(),
    parents: undefined,
    states: new Map(),
    readMs: Number.NEGATIVE_INFINITY,
    dueMs: nowMs,
    failingSinceMs: undefined,
    isBlind: false,
  }
}
